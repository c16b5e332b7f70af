// The three signature hashes, written plainly and for all hash types: a second implementation, made from the
// descriptions alone, against which the engine's fast ones are tested. Any thread; every call hashes everything anew.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/primitives/mutable_transaction.h"

namespace headrace::chaingen {

inline constexpr uint8_t kSighashDefault = 0x00;
inline constexpr uint8_t kSighashAll = 0x01;
inline constexpr uint8_t kSighashNone = 0x02;
inline constexpr uint8_t kSighashSingle = 0x03;
inline constexpr uint8_t kSighashAnyoneCanPay = 0x80;

// Before segregated witness. `script_code` is the script being run, from its last executed separator; separators left in it are
// dropped here. The signature itself must have been deleted from it by the caller. Any 32 bits are a hash type.
Digest256 LegacySighash(const MutableTransaction& transaction, uint32_t input, ByteSpan script_code, uint32_t hash_type);

// BIP143.
Digest256 WitnessV0Sighash(const MutableTransaction& transaction, uint32_t input, ByteSpan script_code, Amount amount,
                           uint32_t hash_type);

// BIP341 and, with a leaf, BIP342.
struct TapLeafContext {
  Digest256 leaf_hash{};
  uint32_t code_separator_position = 0xffffffff;
};

// `spent` are the outputs that the inputs spend, in order; `annex` with its leading 0x50. Nothing for a hash type that BIP341
// forbids, and for SIGHASH_SINGLE without a corresponding output.
std::optional<Digest256> TaprootSighash(const MutableTransaction& transaction, uint32_t input, const std::vector<TransactionOutput>& spent,
                                        uint8_t hash_type, const std::optional<TapLeafContext>& leaf = std::nullopt,
                                        const std::optional<Bytes>& annex = std::nullopt);

// BIP341's leaf hash for leaf version 0xc0.
Digest256 TapLeafHash(ByteSpan script);
// SHA256 tagged "TapTweak" of the internal key and, where there is one, the Merkle root.
Digest256 TapTweak(ByteSpan internal_key, ByteSpan merkle_root);

}  // namespace headrace::chaingen
