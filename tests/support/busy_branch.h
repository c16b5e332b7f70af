// A branch of a test chain whose blocks do much: they spend coins of every age at random (those of the part that two
// branches share as well as their own), chains inside one block, outputs of many sizes, some that nobody can satisfy
// and some that are no coins at all. Forked branches take different ways over the same coins.
#pragma once

#include <random>
#include <vector>

#include "tests/support/chain_builder.h"

namespace headrace::testing {

class BusyBranch {
 public:
  // What a bad block does. Where a branch has nothing for it (no coin that cannot be satisfied, no other transaction),
  // an input is missing instead.
  enum class Offence : uint8_t { kBadScript, kMissingInput, kDoubleSpend, kCoinbaseAmount };
  static constexpr int kOffences = 4;

  explicit BusyBranch(uint32_t seed) : random_(seed), salt_(seed) {}

  // A branch over the first `height` blocks of this one, which goes its own way from there.
  BusyBranch Fork(uint32_t height, uint32_t seed) const;

  // `blocks` blocks with about `transactions` transactions each, as far as there are coins to spend.
  void Grow(uint32_t blocks, uint32_t transactions);
  // One block that breaks a rule by its last transaction, or by what its coinbase takes.
  void GrowBad(Offence offence, uint32_t transactions);

  // A transaction over coins of this branch. It joins by Include, here and on other branches that have the coins.
  TestTransaction Draft(uint32_t inputs_max);
  // Takes a transaction into the next block.
  void Include(const TestTransaction& transaction);

  const ChainBuilder& chain() const { return chain_; }
  const std::vector<std::shared_ptr<const TestBlock>>& blocks() const { return chain_.blocks(); }
  uint32_t height() const { return chain_.height(); }
  const Hash256& tip() const { return chain_.blocks().back()->hash; }

 private:
  struct Spendable {
    OutPoint outpoint;
    Amount amount;
  };

  uint32_t Below(uint32_t bound) { return static_cast<uint32_t>(random_() % bound); }
  std::vector<uint8_t> AnyScript();
  void Fill(uint32_t transactions);
  void Mine(Amount coinbase_value);
  void Mature();

  ChainBuilder chain_;
  std::mt19937 random_;
  uint32_t salt_;
  std::vector<Spendable> purse_;  // mature coins, and those of the block in the making
  std::vector<Spendable> traps_;  // coins whose scripts fail
  std::vector<TestTransaction> next_;
};

}  // namespace headrace::testing
