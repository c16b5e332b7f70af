// What signatures and public keys must look like before anybody verifies them. Pure; any thread.
#pragma once

#include "engine/base/bytes.h"
#include "engine/script/script_error.h"
#include "engine/script/script_flags.h"

namespace headrace {

// The rules that hold for a script depend on where it was found.
enum class ScriptVersion : uint8_t { kLegacy, kWitnessV0, kTaprootKey, kTapscript };

// A signature of an ECDSA operation: DER, then one byte of hash type. An empty one is always well encoded: it is the
// compact way to say that there is none.
ScriptError CheckSignatureEncoding(ByteSpan signature, ScriptFlags flags);
ScriptError CheckPublicKeyEncoding(ByteSpan public_key, ScriptFlags flags, ScriptVersion version);

// Strict DER with a hash type byte (BIP66).
bool IsStrictDer(ByteSpan signature);

// Whether the size is what the first byte says: 33 for 02 and 03, 65 for 04 and the hybrids 06 and 07.
constexpr bool HasPublicKeySize(ByteSpan key) {
  if (key.empty()) return false;
  if (key[0] == 2 || key[0] == 3) return key.size() == 33;
  return (key[0] == 4 || key[0] == 6 || key[0] == 7) && key.size() == 65;
}

}  // namespace headrace
