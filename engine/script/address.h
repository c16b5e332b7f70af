// Addresses and private keys as text, for the prefixes of a network. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/crypto/signing.h"

namespace headrace {

// What tells one network's addresses from another's.
struct AddressPrefixes {
  uint8_t pubkey_hash;
  uint8_t script_hash;
  uint8_t secret_key;
  std::string_view segwit_human_part;
};

inline constexpr AddressPrefixes kMainnetAddressPrefixes{0, 5, 128, "bc"};
inline constexpr AddressPrefixes kTestnetAddressPrefixes{111, 196, 239, "tb"};  // testnet3 and testnet4
inline constexpr AddressPrefixes kSignetAddressPrefixes{111, 196, 239, "tb"};
inline constexpr AddressPrefixes kRegtestAddressPrefixes{111, 196, 239, "bcrt"};

// The address of an output script; nothing when its kind has none (bare keys, multisig, data).
std::optional<std::string> EncodeAddress(ByteSpan script, const AddressPrefixes& prefixes);
// The output script of an address; nothing when the text is no address of this network.
std::optional<std::vector<uint8_t>> DecodeAddress(std::string_view text, const AddressPrefixes& prefixes);

struct PrivateKey {
  SecretKey secret;
  // Whether its public key is meant compressed.
  bool compressed;
};

// Wallet import format: Base58Check of prefix, secret, and 01 when the public key is meant compressed.
std::string EncodePrivateKey(const PrivateKey& key, const AddressPrefixes& prefixes);
// Nothing when the text is no private key of this network, or the number no valid key.
std::optional<PrivateKey> DecodePrivateKey(std::string_view text, const AddressPrefixes& prefixes);

}  // namespace headrace
