// What a window does to one shard, worked out without touching it: which stored coins go, which new ones stay, and where
// every spent coin is found. Coins created and spent inside the window never enter the index.
//
// The plan is made first for all shards, and carried out only when none of them found a violation: a window is applied
// wholly or not at all.
//
// Threads: one worker a plan at a time. Cost: an index probe an outpoint, prefetched; a small table of the window's outpoints.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/ports/coin_store.h"
#include "storage/coins/coin_shard.h"
#include "storage/coins/record_space.h"
#include "storage/coins/window_ops.h"

namespace headrace {

// Where the coin of a spend is: a location in the record space, or the creation in the same window. Zero: nowhere (the
// coinbase's input, or a shard that recovery skips).
class CoinSource {
 public:
  CoinSource() = default;
  static CoinSource Stored(RecordLocation location) { return CoinSource(location); }
  static CoinSource InWindow(const CoinOp* creation) {
    return CoinSource(reinterpret_cast<uintptr_t>(creation) | kInWindowBit);
  }
  bool IsNowhere() const { return word_ == 0; }
  bool IsInWindow() const { return (word_ & kInWindowBit) != 0; }
  RecordLocation location() const { return word_; }
  const CoinOp* creation() const { return reinterpret_cast<const CoinOp*>(word_ & ~kInWindowBit); }

 private:
  // User-space pointers leave the top bit free, and so do locations.
  static constexpr uint64_t kInWindowBit = uint64_t{1} << 63;
  explicit CoinSource(uint64_t word) : word_(word) {}
  uint64_t word_ = 0;
};
static_assert(sizeof(CoinSource) == 8);

class ShardPlan {
 public:
  enum class Outcome : uint8_t { kPlanned, kViolated, kDamaged };

  // Plans `ops` forwards. The source of the spend at input i of block b goes to sources[ops.first_input(b) + i].
  Outcome PlanApply(const CoinShard& shard, const RecordSpace& space, const WindowOps& ops, uint32_t shard_number,
                    std::span<const WindowBlock> window, CoinSource* sources);
  // Plans them backwards: creations go, spent coins come back. A violation means that `window` is not what was applied.
  Outcome PlanUnapply(const CoinShard& shard, const RecordSpace& space, const WindowOps& ops, uint32_t shard_number);

  // Carries the plan out, beside readers of single coins. `window` gives amounts and scripts: the blocks' own
  // outputs when applying, their spent coins when taking back.
  void Execute(CoinShard& shard, RecordSpace& space, std::span<const WindowBlock> window);

  // After kDamaged: where.
  RecordLocation damage() const { return damage_; }
  // In use or kept for the next window.
  uint64_t memory_bytes() const { return entries_.capacity() * sizeof(Entry) + cells_.capacity() * sizeof(uint32_t); }

 private:
  static constexpr uint32_t kBefore = UINT32_MAX;

  // An outpoint that the window touches.
  struct Entry {
    const CoinOp* first;                       // the first operation that names it
    const CoinOp* added = nullptr;             // what brings the coin that the window leaves, when it is new
    CoinTable::Position stored = CoinTable::kNowhere;  // the stored coin that the window removes or has replaced
    bool is_there = false;                     // at this point of the walk
    uint32_t created_in = kBefore;             // the block of the window that last created the coin
    uint32_t spent_in = kBefore;               // and the one that last spent it
  };

  void Reset(size_t op_count);
  // The entry of an operation's outpoint; null when there is none yet, and then `cell` is where it belongs.
  Entry* Find(const CoinOp& op, size_t& cell);
  Entry& Add(const CoinOp& op, size_t cell);
  // Looks the coin up in the shard; false when a damaged record was met.
  bool Lookup(const CoinShard& shard, const RecordSpace& space, const CoinOp& op, CoinTable::Position& position);
  Outcome Spend(const CoinShard& shard, const RecordSpace& space, const CoinOp& op, CoinSource& source);
  Outcome Create(const CoinShard& shard, const RecordSpace& space, const CoinOp& op, bool may_overwrite);
  Outcome Uncreate(const CoinShard& shard, const RecordSpace& space, const CoinOp& op);
  Outcome Unspend(const CoinShard& shard, const RecordSpace& space, const CoinOp& op);

  // Asks for what the entries after the i-th need to become records.
  void PrefetchAdded(const CoinShard& shard, size_t i, std::span<const WindowBlock> window) const;

  std::vector<Entry> entries_;
  std::vector<uint32_t> cells_;  // entry number plus one
  RecordLocation damage_ = 0;
};

}  // namespace headrace
