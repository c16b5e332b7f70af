// The coins of a workload by number: the i-th coin's outpoint, amount and script are computed from i and a seed, so
// that a benchmark of a hundred million coins need not remember any of them.
//
// Transactions have 2, 2, 2 and 5 outputs in turn: 2.75 on average, as mainnet's do. Scripts are mixed about as
// mainnet's outputs are (the table in coin_sequence.cc), with hashes and keys of their own, so that nothing compresses
// that would not. Amounts are mostly spread over all magnitudes; some are round and some are dust.
//
// Pure functions of the seed; any thread. An outpoint costs some ten nanoseconds, a script likewise.
#pragma once

#include <cstdint>

#include "engine/primitives/amount.h"
#include "engine/primitives/outpoint.h"

namespace headrace::bench {

// A number as good as random for each number, and no two the same (the finaliser of SplitMix64).
constexpr uint64_t Scramble(uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

class CoinSequence {
 public:
  // Coins come in groups of so many, made by so many transactions; blocks hold whole groups.
  static constexpr uint32_t kGroupCoins = 11;
  static constexpr uint32_t kGroupTransactions = 4;
  static constexpr uint32_t kScriptBytesMax = 71;

  explicit CoinSequence(uint64_t seed) : key_(Scramble(seed)) {}

  // Which transaction of the whole sequence makes the coin, and how many outputs such a transaction has.
  static uint64_t TransactionOf(uint64_t coin);
  static uint32_t OutputsOf(uint64_t transaction) { return transaction % kGroupTransactions == 3 ? 5 : 2; }

  Hash256 TxidOf(uint64_t transaction) const;
  OutPoint OutPointOf(uint64_t coin) const;
  Amount AmountOf(uint64_t coin) const;
  // Writes at most kScriptBytesMax bytes and returns how many.
  uint32_t WriteScript(uint64_t coin, uint8_t* out) const;

 private:
  uint64_t key_;
};

}  // namespace headrace::bench
