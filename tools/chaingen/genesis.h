// The parameters of regtest that a chain is made by, and its first block.
#pragma once

#include <cstdint>

#include "engine/primitives/amount.h"
#include "engine/primitives/mutable_transaction.h"

namespace headrace::chaingen {

inline constexpr uint32_t kRegtestMagic = 0xdab5bffa;  // fa bf b5 da in a file
inline constexpr uint32_t kRegtestBits = 0x207fffff;
inline constexpr uint32_t kGenesisTime_s = 1296688602;
// Every block is this much later than the one before: median time past rises, and half a million blocks end before 2021.
inline constexpr uint32_t kBlockInterval_s = 600;
inline constexpr uint32_t kHalvingInterval = 150;
inline constexpr uint32_t kCoinbaseMaturity = 100;

inline Amount SubsidyAt(uint32_t height) {
  const uint32_t halvings = height / kHalvingInterval;
  return halvings >= 64 ? 0 : (50 * kCoin) >> halvings;
}

// The serialised block 0f9188f1...2206. Its coinbase can never be spent and is no part of the unspent set.
Bytes GenesisBlock();

}  // namespace headrace::chaingen
