#include "engine/script/signature_encoding.h"

#include "engine/crypto/signature.h"
#include "engine/script/signature_hash.h"

namespace headrace {
namespace {

bool IsDefinedHashType(uint8_t hash_type) {
  const uint8_t outputs = hash_type & ~kSighashAnyoneCanPay;
  return outputs >= kSighashAll && outputs <= kSighashSingle;
}

bool IsCompressedKey(ByteSpan key) { return key.size() == 33 && (key[0] == 2 || key[0] == 3); }
bool IsUncompressedKey(ByteSpan key) { return key.size() == 65 && key[0] == 4; }

// A DER integer at `at` (type, size, then `size` bytes that are known to be there) that is positive and has no needless
// leading zero.
bool IsStrictInteger(const uint8_t* at) {
  const uint8_t size = at[1];
  if (at[0] != 0x02 || size == 0 || (at[2] & 0x80) != 0) return false;
  return size == 1 || at[2] != 0 || (at[3] & 0x80) != 0;
}

}  // namespace

bool IsStrictDer(ByteSpan signature) {
  // 30 [size] 02 [size R] R 02 [size S] S [hash type], with at least one byte each for R and S.
  const size_t size = signature.size();
  if (size < 9 || size > 73) return false;
  if (signature[0] != 0x30 || signature[1] != size - 3) return false;
  const size_t size_r = signature[3];
  if (5 + size_r >= size) return false;
  const size_t size_s = signature[5 + size_r];
  if (size_r + size_s + 7 != size) return false;
  return IsStrictInteger(&signature[2]) && IsStrictInteger(&signature[4 + size_r]);
}

ScriptError CheckSignatureEncoding(ByteSpan signature, ScriptFlags flags) {
  if (signature.empty()) return ScriptError::kOk;
  // Signatures MUST be strict DER. (BIP66)
  if ((flags & (kVerifyDerSignatures | kVerifyLowS | kVerifyStrictEncoding)) != 0 && !IsStrictDer(signature)) {
    return ScriptError::kSigDer;
  }
  if ((flags & kVerifyLowS) != 0 && !IsLowS(signature.first(signature.size() - 1))) return ScriptError::kSigHighS;
  if ((flags & kVerifyStrictEncoding) != 0 && !IsDefinedHashType(signature.back())) return ScriptError::kSigHashType;
  return ScriptError::kOk;
}

ScriptError CheckPublicKeyEncoding(ByteSpan public_key, ScriptFlags flags, ScriptVersion version) {
  if ((flags & kVerifyStrictEncoding) != 0 && !IsCompressedKey(public_key) && !IsUncompressedKey(public_key)) {
    return ScriptError::kPubkeyType;
  }
  if ((flags & kVerifyWitnessPubkeyType) != 0 && version == ScriptVersion::kWitnessV0 && !IsCompressedKey(public_key)) {
    return ScriptError::kWitnessPubkeyType;
  }
  return ScriptError::kOk;
}

}  // namespace headrace
