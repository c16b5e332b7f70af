#include "engine/script/signature_check.h"

#include "engine/crypto/signature.h"

namespace headrace {

bool EcdsaChecker::Check(ByteSpan signature, ByteSpan public_key, ByteSpan script_code) {
  if (!HasPublicKeySize(public_key) || signature.empty()) return false;
  const Digest256& digest = DigestFor(signature.back(), script_code);
  return VerifyEcdsa(public_key, signature.first(signature.size() - 1), digest);
}

const Digest256& EcdsaChecker::DigestFor(uint8_t hash_type, ByteSpan script_code) {
  if (remembered_hash_type_ == hash_type) return digest_;
  if (version_ == ScriptVersion::kWitnessV0) {
    digest_ = WitnessV0SignatureHash(context_.transaction, context_.input, script_code,
                                     context_.spent[context_.input].amount, hash_type, context_.midstates);
  } else {
    digest_ = LegacySignatureHash(context_.transaction, context_.input, script_code, hash_type);
  }
  remembered_hash_type_ = hash_type;
  return digest_;
}

ScriptError CheckSchnorrSignature(const SpendContext& context, ByteSpan signature, ByteSpan x_only_key,
                                  const TaprootSignatureScope& scope) {
  constexpr size_t kSignatureBytes = 64;
  if (signature.size() != kSignatureBytes && signature.size() != kSignatureBytes + 1) {
    return ScriptError::kSchnorrSigSize;
  }
  uint8_t hash_type = kSighashDefault;
  if (signature.size() != kSignatureBytes) {
    // The default hash type MUST be expressed by leaving it out. (BIP341)
    hash_type = signature.back();
    if (hash_type == kSighashDefault) return ScriptError::kSchnorrSigHashType;
  }
  const std::optional<Digest256> digest =
      TaprootSignatureHash(context.transaction, context.input, context.spent, hash_type, scope, context.midstates);
  if (!digest) return ScriptError::kSchnorrSigHashType;
  if (!VerifySchnorr(x_only_key, signature.first(kSignatureBytes), *digest)) return ScriptError::kSchnorrSig;
  return ScriptError::kOk;
}

}  // namespace headrace
