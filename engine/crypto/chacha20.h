// ChaCha20's keystream (RFC 8439's block function with the original 64-bit counter and nonce, both zero here): what
// MuHash expands elements with. Any thread.
#pragma once

#include <cstdint>

#include "engine/base/bytes.h"
#include "engine/crypto/sha256.h"

namespace headrace {

// Fills `out`, any size, with the keystream of `key` from block zero.
void ChaCha20Keystream(const Digest256& key, MutableByteSpan out);

}  // namespace headrace
