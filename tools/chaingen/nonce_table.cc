#include "tools/chaingen/nonce_table.h"

#include <secp256k1.h>

#include <cstring>

#include "engine/base/check.h"
#include "engine/base/endian.h"
#include "tools/chaingen/parallel.h"

namespace headrace::chaingen {
namespace {

constexpr uint32_t kNonces = 512;

// The group's order less two: by Fermat, what a scalar is raised to for its inverse.
constexpr SecretKey kOrderLessTwo = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                     0xff, 0xff, 0xff, 0xff, 0xfe, 0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48,
                                     0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x3f};
// Half of the order, rounded down: BIP146's largest S.
constexpr SecretKey kOrderHalf = {0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                  0xff, 0xff, 0xff, 0xff, 0xff, 0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4,
                                  0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0};

// Arithmetic modulo the order needs no tables: the library's static context serves. A result of zero, or a factor at or
// above the order, happens once in 2^127 times.
void Multiply(SecretKey& scalar, ByteSpan factor) {
  HR_CHECK(secp256k1_ec_seckey_tweak_mul(secp256k1_context_static, scalar.data(), factor.data()) == 1);
}

void Add(SecretKey& scalar, ByteSpan summand) {
  HR_CHECK(secp256k1_ec_seckey_tweak_add(secp256k1_context_static, scalar.data(), summand.data()) == 1);
}

void Negate(SecretKey& scalar) { HR_CHECK(secp256k1_ec_seckey_negate(secp256k1_context_static, scalar.data()) == 1); }

SecretKey InverseOf(const SecretKey& scalar) {
  SecretKey power = scalar;
  for (int bit = 254; bit >= 0; --bit) {
    Multiply(power, SecretKey(power));
    if ((kOrderLessTwo[31 - bit / 8] >> (bit % 8) & 1) != 0) Multiply(power, scalar);
  }
  return power;
}

// DER's integer: no leading zeros but the one that keeps it positive.
void PutInteger(const SecretKey& number, std::vector<uint8_t>& der) {
  size_t at = 0;
  while (at < 31 && number[at] == 0) ++at;
  const bool is_padded = number[at] >= 0x80;
  der.push_back(0x02);
  der.push_back(static_cast<uint8_t>(32 - at + (is_padded ? 1 : 0)));
  if (is_padded) der.push_back(0);
  der.insert(der.end(), number.begin() + static_cast<ptrdiff_t>(at), number.end());
}

}  // namespace

SecretKey EvenSecret(const SecretKey& secret) {
  SecretKey even = secret;
  if (PublicKeyOf(secret, true)[0] == 0x03) Negate(even);
  return even;
}

NonceTable::NonceTable(uint64_t seed, bool low_r_only, uint32_t threads)
    : nonces_(kNonces), challenge_(TaggedHasher("BIP0340/challenge")) {
  ParallelFor(kNonces, threads, [&](size_t i) { nonces_[i] = MakeNonce(seed, static_cast<uint32_t>(i), low_r_only); });
}

NonceTable::Nonce NonceTable::MakeNonce(uint64_t seed, uint32_t index, bool low_r_only) {
  Nonce nonce;
  for (uint32_t attempt = 0;; ++attempt) {
    uint8_t origin[16];
    StoreLittle(origin, seed);
    StoreLittle(origin + 8, index);
    StoreLittle(origin + 12, attempt);
    nonce.k = TaggedHasher("headrace/chaingen/nonce").Write(origin).Finish();
    const std::vector<uint8_t> point = PublicKeyOf(nonce.k, true);
    std::memcpy(nonce.r.data(), point.data() + 1, 32);
    if (point[0] == 0x03) Negate(nonce.k);
    if (!low_r_only || nonce.r[0] < 0x80) break;
  }
  nonce.inverse = InverseOf(nonce.k);
  return nonce;
}

// Drawn by the message, so that different ones nearly always take different nonces.
const NonceTable::Nonce& NonceTable::NonceFor(const Digest256& message_hash) const {
  return nonces_[LoadLittle32(message_hash.data()) % kNonces];
}

std::vector<uint8_t> NonceTable::SignEcdsa(const SecretKey& secret, const Digest256& message_hash) const {
  const Nonce& nonce = NonceFor(message_hash);
  // s = (message + r * secret) / k
  SecretKey s = secret;
  Multiply(s, nonce.r);
  Add(s, message_hash);
  Multiply(s, nonce.inverse);
  if (s > kOrderHalf) Negate(s);
  std::vector<uint8_t> der;
  der.reserve(73);  // with room for the hash type
  der = {0x30, 0x00};
  PutInteger(nonce.r, der);
  PutInteger(s, der);
  der[1] = static_cast<uint8_t>(der.size() - 2);
  return der;
}

std::array<uint8_t, 64> NonceTable::SignSchnorr(const SecretKey& even_secret, ByteSpan public_key,
                                                const Digest256& message_hash) const {
  const Nonce& nonce = NonceFor(message_hash);
  const Digest256 challenge = Sha256Hasher(challenge_).Write(nonce.r).Write(public_key).Write(message_hash).Finish();
  // s = k + challenge * secret
  SecretKey s = even_secret;
  Multiply(s, challenge);
  Add(s, nonce.k);
  std::array<uint8_t, 64> signature;
  std::copy(nonce.r.begin(), nonce.r.end(), signature.begin());
  std::copy(s.begin(), s.end(), signature.begin() + 32);
  return signature;
}

}  // namespace headrace::chaingen
