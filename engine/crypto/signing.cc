#include "engine/crypto/signing.h"

#include <secp256k1.h>
#include <secp256k1_extrakeys.h>
#include <secp256k1_schnorrsig.h>

#include "engine/base/check.h"

namespace headrace {
namespace {

// Made once and never freed: threads may sign until the very end of the program. Constant use of one context by many
// threads is what the library allows.
const secp256k1_context* SigningContext() {
  static const secp256k1_context* const context = secp256k1_context_create(SECP256K1_CONTEXT_SIGN);
  return context;
}

secp256k1_pubkey PointOf(const SecretKey& secret) {
  secp256k1_pubkey point;
  HR_CHECK(secp256k1_ec_pubkey_create(SigningContext(), &point, secret.data()) == 1);
  return point;
}

secp256k1_keypair KeyPairOf(const SecretKey& secret) {
  secp256k1_keypair pair;
  HR_CHECK(secp256k1_keypair_create(SigningContext(), &pair, secret.data()) == 1);
  return pair;
}

}  // namespace

bool IsValidSecretKey(const SecretKey& secret) {
  return secp256k1_ec_seckey_verify(SigningContext(), secret.data()) == 1;
}

std::vector<uint8_t> PublicKeyOf(const SecretKey& secret, bool compressed) {
  const secp256k1_pubkey point = PointOf(secret);
  std::vector<uint8_t> bytes(compressed ? 33 : 65);
  size_t size = bytes.size();
  HR_CHECK(secp256k1_ec_pubkey_serialize(SigningContext(), bytes.data(), &size, &point,
                                         compressed ? SECP256K1_EC_COMPRESSED : SECP256K1_EC_UNCOMPRESSED) == 1);
  return bytes;
}

XOnlyKey XOnlyKeyOf(const SecretKey& secret) {
  const secp256k1_keypair pair = KeyPairOf(secret);
  secp256k1_xonly_pubkey point;
  XOnlyKey key;
  HR_CHECK(secp256k1_keypair_xonly_pub(SigningContext(), &point, nullptr, &pair) == 1);
  HR_CHECK(secp256k1_xonly_pubkey_serialize(SigningContext(), key.data(), &point) == 1);
  return key;
}

std::vector<uint8_t> SignEcdsa(const SecretKey& secret, const Digest256& message_hash) {
  secp256k1_ecdsa_signature signature;
  HR_CHECK(secp256k1_ecdsa_sign(SigningContext(), &signature, message_hash.data(), secret.data(), nullptr, nullptr) == 1);
  std::vector<uint8_t> der(72);
  size_t size = der.size();
  HR_CHECK(secp256k1_ecdsa_signature_serialize_der(SigningContext(), der.data(), &size, &signature) == 1);
  der.resize(size);
  return der;
}

std::array<uint8_t, 64> SignSchnorr(const SecretKey& secret, const Digest256& message_hash) {
  static constexpr std::array<uint8_t, 32> kZeroAuxiliary{};
  const secp256k1_keypair pair = KeyPairOf(secret);
  std::array<uint8_t, 64> signature;
  HR_CHECK(secp256k1_schnorrsig_sign32(SigningContext(), signature.data(), message_hash.data(), &pair,
                                       kZeroAuxiliary.data()) == 1);
  return signature;
}

TweakedOutputKey TweakOutputKey(const XOnlyKey& internal_key, const Digest256& tweak) {
  secp256k1_xonly_pubkey internal, output;
  secp256k1_pubkey tweaked;
  int is_odd = 0;
  TweakedOutputKey result;
  HR_CHECK(secp256k1_xonly_pubkey_parse(SigningContext(), &internal, internal_key.data()) == 1);
  HR_CHECK(secp256k1_xonly_pubkey_tweak_add(SigningContext(), &tweaked, &internal, tweak.data()) == 1);
  HR_CHECK(secp256k1_xonly_pubkey_from_pubkey(SigningContext(), &output, &is_odd, &tweaked) == 1);
  HR_CHECK(secp256k1_xonly_pubkey_serialize(SigningContext(), result.key.data(), &output) == 1);
  result.is_odd = is_odd != 0;
  return result;
}

SecretKey TweakSecretKey(const SecretKey& secret, const Digest256& tweak) {
  secp256k1_keypair pair = KeyPairOf(secret);
  HR_CHECK(secp256k1_keypair_xonly_tweak_add(SigningContext(), &pair, tweak.data()) == 1);
  SecretKey tweaked;
  HR_CHECK(secp256k1_keypair_sec(SigningContext(), tweaked.data(), &pair) == 1);
  return tweaked;
}

}  // namespace headrace
