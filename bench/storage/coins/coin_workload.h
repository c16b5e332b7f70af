// What every store of this benchmark is asked to do: windows of blocks that create coins and spend them, the same for
// every store from one seed.
//
// Coins are numbered in the order in which they are created (coin_sequence.h), and one bit a coin says which are
// unspent: 12.5 MB for a hundred million, and nothing else is remembered. A spend is chosen among the unspent coins of
// the age that it shall have; since a coin's facts follow from its number, the coin that a store hands back for it can
// be checked.
//
// Ages. kUniform: any unspent coin, whatever its age. kMainnet: 41 % of spends take a coin of the last ten blocks, 24 %
// one of 10 to 100 blocks before, 15 % of 100 to 1000, 10 % of 1000 to 10,000 and the rest any; within a span, ages are
// alike on a logarithmic scale. A coin may be spent in the block that made it, by a later transaction.
//
// Not made here: outputs that can never be spent, and BIP30's exceptions.
//
// Threads: one. Blocks keep their memory from window to window.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "bench/storage/coins/coin_sequence.h"
#include "engine/base/arena.h"
#include "engine/ports/coin_store.h"
#include "engine/primitives/block_columns.h"

namespace headrace::bench {

struct WorkloadShape {
  uint64_t seed = 1;
  uint32_t creations_per_block = 5500;  // a multiple of CoinSequence::kGroupCoins
  uint32_t spends_per_block = 5000;
  uint32_t blocks_per_window = 8;
};

enum class SpentAges : uint8_t { kUniform, kMainnet };

struct WindowKind {
  bool creates = true;
  bool spends = false;
  SpentAges ages = SpentAges::kUniform;
};

class CoinWorkload {
 public:
  explicit CoinWorkload(const WorkloadShape& shape);

  const WorkloadShape& shape() const { return shape_; }

  // Makes the next window, in place of the one before.
  void MakeWindow(const WindowKind& kind);
  std::span<WindowBlock> window() { return window_; }
  // Of the window: coins.
  uint64_t creations() const { return creations_; }
  uint64_t spends() const { return spends_; }
  // Whether the store has filled `spent` of every block with the very coins. A sentence when it has not.
  absl::Status CheckSpent() const;

  // Coins created so far, and those unspent.
  uint64_t created() const { return created_; }
  uint64_t unspent() const { return unspent_; }
  uint32_t height() const { return height_; }

  // Chooses unspent coins that will never be spent, so that another thread may read them while windows are applied.
  std::vector<uint64_t> Reserve(uint64_t count);
  // Whether the coin is unspent at the end of the last window.
  bool IsUnspent(uint64_t coin) const;
  // The coin as a store must hand it back; the script is written to `script` (CoinSequence::kScriptBytesMax bytes).
  Coin Expected(uint64_t coin, uint8_t* script) const;
  OutPoint OutPointOf(uint64_t coin) const { return sequence_.OutPointOf(coin); }

  // Of all spends with mainnet's ages so far, those of coins younger than ten and a hundred blocks.
  struct AgeShares {
    uint64_t spends = 0;
    uint64_t within_10 = 0;
    uint64_t within_100 = 0;
  };
  const AgeShares& age_shares() const { return age_shares_; }

 private:
  static constexpr uint64_t kNoCoin = ~uint64_t{0};

  struct Block {
    BlockColumns columns;
    std::vector<uint8_t> raw;
    std::vector<Coin> spent;
    std::vector<uint64_t> spent_coins;  // by input; the coinbase's is kNoCoin
    Arena arena{1 << 20};
  };
  // Creating blocks follow one another without a gap from `first_block` (counted among creating ones) at `first_height`
  // on.
  struct Run {
    uint64_t first_block;
    uint32_t first_height;
  };

  void MakeBlock(Block& block, const WindowKind& kind);
  void AddOutputs(Block& block, uint64_t transaction, size_t& at);
  uint64_t Random();
  uint64_t Random(uint64_t below);
  uint64_t TakeCoin(SpentAges ages);
  uint64_t PickMainnet();
  uint64_t PickUniform();
  bool IsSpendable(uint64_t coin) const { return (spendable_[coin / 64] >> (coin % 64) & 1) != 0; }
  uint32_t HeightOf(uint64_t coin) const;

  const WorkloadShape shape_;
  const CoinSequence sequence_;
  uint64_t random_state_;

  // A bit a coin. Of reserved coins it is clear.
  std::vector<uint64_t> spendable_;
  std::vector<uint64_t> reserved_;  // ascending
  uint64_t created_ = 0;
  uint64_t unspent_ = 0;
  uint32_t height_ = 0;
  std::vector<Run> runs_;
  AgeShares age_shares_;

  std::vector<Block> blocks_;
  std::vector<WindowBlock> window_;
  uint64_t creations_ = 0;
  uint64_t spends_ = 0;
};

}  // namespace headrace::bench
