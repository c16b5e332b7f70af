// Signs cheaply with nonces whose points were worked out beforehand: a signature then costs a few products of scalars
// instead of a multiplication of the generator, about one thirtieth of the time.
//
// Not for keys that guard anything. The nonces are few and used again and again, so that two signatures give a key
// away; the keys of generated chains are derived from a public seed and guard nothing. What verifies the signatures
// sees no difference: every one is valid under BIP66, BIP146 and BIP340, and the same key, message and table give the
// same one.
//
// Made once; then read by any thread.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "engine/crypto/signing.h"

namespace headrace::chaingen {

// The one of a secret and its negation whose point has the even y.
SecretKey EvenSecret(const SecretKey& secret);

class NonceTable {
 public:
  // Wallets since 2018 try again until R is below half of the field, which saves a byte of DER: `low_r_only` does as
  // they do.
  NonceTable(uint64_t seed, bool low_r_only, uint32_t threads);

  // Strict DER, low S, without hash type.
  std::vector<uint8_t> SignEcdsa(const SecretKey& secret, const Digest256& message_hash) const;
  // The secret's point must have the even y (see EvenSecret); `public_key` is its x.
  std::array<uint8_t, 64> SignSchnorr(const SecretKey& even_secret, ByteSpan public_key,
                                      const Digest256& message_hash) const;

 private:
  struct Nonce {
    SecretKey k;        // the one of k and -k whose point has the even y
    SecretKey inverse;  // of k, modulo the group's order
    XOnlyKey r;         // the point's x, below the group's order
  };

  static Nonce MakeNonce(uint64_t seed, uint32_t index, bool low_r_only);
  const Nonce& NonceFor(const Digest256& message_hash) const;

  std::vector<Nonce> nonces_;
  const Sha256Hasher challenge_;
};

}  // namespace headrace::chaingen
