// From the bytes on the stack to a verified signature: hash type off, digest, curve. Any thread.
#pragma once

#include "engine/script/script_error.h"
#include "engine/script/signature_encoding.h"
#include "engine/script/signature_hash.h"
#include "engine/script/spend_context.h"

namespace headrace {

// Checks ECDSA signatures of one script evaluation. Remembers the last digest: the signatures of a multisig nearly always
// sign the same one, and every key tried against a signature does.
class EcdsaChecker {
 public:
  EcdsaChecker(const SpendContext& context, ScriptVersion version) : context_(context), version_(version) {}

  // `signature` carries its hash type as last byte. False for anything that does not verify. `script_code` must have the
  // same bytes from call to call until ForgetDigest.
  bool Check(ByteSpan signature, ByteSpan public_key, ByteSpan script_code);
  // The script code is about to change.
  void ForgetDigest() { remembered_hash_type_ = kNothing; }

 private:
  static constexpr int kNothing = -1;

  const Digest256& DigestFor(uint8_t hash_type, ByteSpan script_code);

  const SpendContext& context_;
  ScriptVersion version_;
  int remembered_hash_type_ = kNothing;
  Digest256 digest_;
};

// A BIP340 signature of 64 bytes, or 65 with a hash type; `x_only_key` has 32. The error says what is wrong.
ScriptError CheckSchnorrSignature(const SpendContext& context, ByteSpan signature, ByteSpan x_only_key,
                                  const TaprootSignatureScope& scope);

}  // namespace headrace
