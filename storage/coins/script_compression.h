// The scripts of standard outputs without their fixed bytes: one kind byte and the hash or key. Anything else is kept raw.
//
// Pure functions; any thread. An uncompressed public key is stored as its x coordinate only when it is on the curve, and
// costs a square root to restore.
#pragma once

#include <cstdint>

#include "engine/base/bytes.h"

namespace headrace {

// At most this many bytes are written for a script of `script_size` bytes.
constexpr size_t CompressedScriptBytesMax(size_t script_size) { return script_size + 5; }

// Writes the compressed form to `out` and returns its size.
size_t CompressScript(ByteSpan script, uint8_t* out);

// A compressed script as it lies in a record.
struct CompressedScript {
  uint8_t kind = 0;
  ByteSpan payload;
  uint32_t script_size = 0;
};

// Reads one from the beginning of `bytes` and returns how many bytes it takes; 0 when they are malformed.
size_t ReadCompressedScript(ByteSpan bytes, CompressedScript& script);

// Restores the script into `out`, which has room for script.script_size bytes. False when the bytes cannot have been
// written by CompressScript (a key that is not on the curve).
[[nodiscard]] bool DecompressScript(const CompressedScript& script, uint8_t* out);

// LEB128: seven bits a byte, low bits first. Writes at most ten bytes.
size_t WriteVarint(uint64_t value, uint8_t* out);
// Returns the bytes taken; 0 when they are truncated, longer than needed or beyond 64 bits.
size_t ReadVarint(ByteSpan bytes, uint64_t& value);

}  // namespace headrace
