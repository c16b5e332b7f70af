// Making keys and signatures: for generated chains, tests and the signing calls of the interface. Deterministic
// (RFC 6979, BIP340 with zero auxiliary randomness). Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/crypto/sha256.h"

namespace headrace {

using SecretKey = std::array<uint8_t, 32>;
using XOnlyKey = std::array<uint8_t, 32>;

struct TweakedOutputKey {
  XOnlyKey key;
  bool is_odd;
};

bool IsValidSecretKey(const SecretKey& secret);
// 33 bytes compressed, 65 uncompressed. The secret must be valid.
std::vector<uint8_t> PublicKeyOf(const SecretKey& secret, bool compressed);
XOnlyKey XOnlyKeyOf(const SecretKey& secret);
// Strict DER, low S, without hash type.
std::vector<uint8_t> SignEcdsa(const SecretKey& secret, const Digest256& message_hash);
std::array<uint8_t, 64> SignSchnorr(const SecretKey& secret, const Digest256& message_hash);
// BIP341: the output key for an internal key and a tweak; the secret that signs for it.
TweakedOutputKey TweakOutputKey(const XOnlyKey& internal_key, const Digest256& tweak);
SecretKey TweakSecretKey(const SecretKey& secret, const Digest256& tweak);

}  // namespace headrace
