#include "engine/crypto/signature.h"

#include <secp256k1.h>
#include <secp256k1_extrakeys.h>
#include <secp256k1_schnorrsig.h>

#include <optional>

#include "engine/crypto/lax_der.h"

namespace headrace {
namespace {

// Verification needs no tables of its own in a context, so the library's constant one serves every thread. The library
// asks for its self-test before that one is used; it aborts where the compiler or the processor went wrong.
const secp256k1_context* VerificationContext() {
  static const secp256k1_context* const context = [] {
    secp256k1_selftest();
    return secp256k1_context_static;
  }();
  return context;
}

// An empty span may have no address, which the library would take for a mistake of ours and abort.
std::optional<secp256k1_pubkey> ParsePublicKey(const secp256k1_context* context, ByteSpan bytes) {
  secp256k1_pubkey key;
  if (bytes.empty() || secp256k1_ec_pubkey_parse(context, &key, bytes.data(), bytes.size()) == 0) return std::nullopt;
  return key;
}

std::optional<secp256k1_ecdsa_signature> ParseLax(const secp256k1_context* context, ByteSpan der) {
  const std::optional<CompactSignature> compact = ReadLaxDer(der);
  if (!compact) return std::nullopt;
  secp256k1_ecdsa_signature signature;
  if (secp256k1_ecdsa_signature_parse_compact(context, &signature, compact->data()) == 0) {
    // R or S is not below the group order: read as zero, which parses and verifies nothing.
    const CompactSignature zero{};
    (void)secp256k1_ecdsa_signature_parse_compact(context, &signature, zero.data());
  }
  return signature;
}

std::optional<secp256k1_xonly_pubkey> ParseXOnly(const secp256k1_context* context, ByteSpan bytes) {
  secp256k1_xonly_pubkey key;
  if (bytes.size() != 32 || secp256k1_xonly_pubkey_parse(context, &key, bytes.data()) == 0) return std::nullopt;
  return key;
}

}  // namespace

bool VerifyEcdsa(ByteSpan public_key, ByteSpan der, const Digest256& message_hash) {
  const secp256k1_context* context = VerificationContext();
  const std::optional<secp256k1_pubkey> key = ParsePublicKey(context, public_key);
  if (!key) return false;
  std::optional<secp256k1_ecdsa_signature> signature = ParseLax(context, der);
  if (!signature) return false;
  // The library refuses high S; the network always took both (BIP146 is policy), so S is brought to its lower half.
  secp256k1_ecdsa_signature_normalize(context, &*signature, &*signature);
  return secp256k1_ecdsa_verify(context, &*signature, message_hash.data(), &*key) != 0;
}

bool IsLowS(ByteSpan der) {
  const secp256k1_context* context = VerificationContext();
  const std::optional<secp256k1_ecdsa_signature> signature = ParseLax(context, der);
  return signature && secp256k1_ecdsa_signature_normalize(context, nullptr, &*signature) == 0;
}

bool VerifySchnorr(ByteSpan x_only_key, ByteSpan signature, const Digest256& message_hash) {
  const secp256k1_context* context = VerificationContext();
  if (signature.size() != 64) return false;
  const std::optional<secp256k1_xonly_pubkey> key = ParseXOnly(context, x_only_key);
  return key && secp256k1_schnorrsig_verify(context, signature.data(), message_hash.data(), message_hash.size(),
                                            &*key) != 0;
}

bool CheckTaprootTweak(ByteSpan internal_key, ByteSpan output_key, bool output_is_odd, const Digest256& tweak) {
  const secp256k1_context* context = VerificationContext();
  if (output_key.size() != 32) return false;
  const std::optional<secp256k1_xonly_pubkey> key = ParseXOnly(context, internal_key);
  return key && secp256k1_xonly_pubkey_tweak_add_check(context, output_key.data(), output_is_odd ? 1 : 0, &*key,
                                                       tweak.data()) != 0;
}

bool IsValidPublicKey(ByteSpan public_key) {
  return ParsePublicKey(VerificationContext(), public_key).has_value();
}

}  // namespace headrace
