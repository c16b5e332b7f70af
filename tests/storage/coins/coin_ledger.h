// An unspent set that needs no map: what becomes of a coin is computed from its number. Hundreds of millions of
// operations can be held against it, coin by coin, and readers on other threads can judge an answer without asking the
// writer.
//
// A coin's number is its block's times kCoins plus its place. Whatever branch it is on, a coin dies in the block that
// stands so many heights above its own as the number says: 0 is the same block, kNever is never. So a coin is there
// exactly when its block is on the chain and the chain ends below its last height.
//
// Threads: one writer. IsPossible and the functions of numbers alone may be called by any thread, beside the writer.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/primitives/block_columns.h"
#include "engine/primitives/coin.h"
#include "engine/primitives/outpoint.h"

namespace headrace::testing {

struct LedgerCoin {
  static constexpr uint32_t kNever = UINT32_MAX;

  OutPoint outpoint;
  Amount amount = 0;
  bool is_coinbase = false;
  // Its output can never be spent: it is no coin.
  bool is_none = false;
  uint32_t lifetime = 0;
  std::vector<uint8_t> script;
};

struct LedgerBlock {
  uint32_t number = 0;
  uint32_t height = 0;
  Hash256 hash;
  Hash256 previous;
  std::vector<uint8_t> raw;
  BlockColumns columns;
  // What it spends, by input; the coinbase's input is left out.
  std::vector<uint32_t> spends;
  uint32_t creations = 0;

  uint64_t operations() const { return spends.size() + creations; }
};
using LedgerBlockRef = std::shared_ptr<const LedgerBlock>;

class CoinLedger {
 public:
  static constexpr uint32_t kCoins = 500;  // a block
  static constexpr uint32_t kOutputsOfATransaction = 4;
  static constexpr uint32_t kTurns = 6;  // how often a block may come and go
  // Nobody takes back more at once.
  static constexpr uint32_t kReorganisationMax = 24;

  // Scripts as outputs have them, or nearly as long as they may be for half of the coins: few coins fill a segment then.
  enum class Scripts : uint8_t { kUsual, kLong };

  CoinLedger(uint64_t seed, Scripts scripts, uint32_t blocks_max, uint32_t steps_max);

  // Functions of the number.
  OutPoint OutPointOf(uint32_t number) const;
  void Describe(uint32_t number, LedgerCoin& coin) const;
  uint32_t LifetimeOf(uint32_t number) const;

  // Writer. A block on the tip, which becomes the tip when connected.
  LedgerBlockRef MakeBlock();
  // One that spends, beside good coins, one that is spent already or never was.
  LedgerBlockRef MakeBadBlock(uint64_t chance);
  void Connect(const LedgerBlock& block);
  void Disconnect(const LedgerBlock& block);
  bool MayComeAgain(const LedgerBlock& block) const;
  uint32_t height() const { return height_; }
  const Hash256& tip() const { return tip_; }
  uint32_t HeightOf(uint32_t number) const {
    return histories_[number / kCoins].height.load(std::memory_order_relaxed);
  }
  uint32_t blocks_made() const { return blocks_made_.load(std::memory_order_relaxed); }
  // Calls visit(number) for all coins that are there.
  template <typename Visit>
  void ForEachCoin(Visit&& visit) const {
    for (uint32_t at = height_ + 1; at < deaths_.size(); ++at) {
      for (const uint32_t number : deaths_[at]) visit(number);
    }
    for (const uint32_t number : immortal_) visit(number);
  }
  uint64_t coins() const { return coins_; }

  // Steps. What was connected and disconnected since the last step belongs to the one that begins; readers may see it
  // from then on, and nothing older from when it has ended.
  void BeginStep();
  void EndStep() { ended_.store(begun_.load(std::memory_order_relaxed), std::memory_order_release); }
  uint32_t begun() const { return begun_.load(std::memory_order_acquire); }
  uint32_t ended() const { return ended_.load(std::memory_order_acquire); }
  // Whether the coin was there (or not) after one of the steps from `first`, the last that had ended when a read began,
  // to `last`, the last that had begun when it was over.
  bool IsPossible(uint32_t number, bool is_there, uint32_t first, uint32_t last) const;

 private:
  // When a block came and went, by step; 0 is not yet.
  struct History {
    std::atomic<uint32_t> height{0};
    std::array<std::atomic<uint32_t>, kTurns> turns{};
  };

  uint64_t Mix(uint64_t number, uint64_t salt) const;
  bool IsNone(uint32_t number) const { return Mix(number, 2) % 64 == 9; }
  Hash256 TxidOf(uint32_t block, uint32_t transaction) const;
  LedgerBlockRef Build(uint32_t number, std::span<const uint32_t> spends, const OutPoint* missing);
  void Turn(uint32_t block);
  bool IsThere(uint32_t number, uint32_t step) const;

  const uint64_t seed_;
  const Scripts scripts_;
  std::vector<History> histories_;
  // By step: the height of the chain after it.
  std::vector<uint32_t> heights_;
  std::atomic<uint32_t> begun_{0};
  std::atomic<uint32_t> ended_{0};

  std::atomic<uint32_t> blocks_made_{0};
  uint32_t height_ = 0;
  Hash256 tip_;
  uint64_t coins_ = 0;
  // By height: who dies there. Entries of one block stand together, in the order of the chain.
  std::vector<std::vector<uint32_t>> deaths_;
  std::vector<uint32_t> immortal_;
};

}  // namespace headrace::testing
