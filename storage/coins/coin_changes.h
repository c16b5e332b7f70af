// What blocks above a manifest change in its set: coins made, and coins of the manifest spent. It takes a set whose
// parts stand at different blocks to one block, and on to a later one.
//
// Every part has its own height, and what it holds already is left out. The rules of the chain are not looked at: the
// blocks were applied once.
//
// Threads: one at a time. Cost: a hash of each outpoint, and about 150 bytes for a coin that a block makes and leaves.
#pragma once

#include <array>
#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "engine/base/arena.h"
#include "engine/ports/coin_store.h"
#include "storage/coins/coin_manifest.h"

namespace headrace {

class CoinChanges {
 public:
  // `hash_key` decides which part an outpoint belongs to.
  CoinChanges(const uint64_t (&hash_key)[2], const std::array<ShardEntry, kCoinShardCount>& shards);

  void Add(const WindowBlock& block);

  bool is_empty() const { return made_.empty() && gone_.empty(); }
  uint64_t made_count() const { return made_.size(); }
  uint64_t gone_count() const { return gone_.size(); }
  // Coins that must be in the manifest, because a block spends them.
  uint64_t spent_count() const { return spent_count_; }
  // Whether the manifest's coin is none any more.
  bool IsGone(const OutPoint& outpoint) const { return gone_.contains(outpoint); }
  // Whether a block spends it, and does not only make it anew (BIP30's exceptions).
  bool IsSpent(const OutPoint& outpoint) const;

  // Calls visit(record bytes) for every coin that was made and not spent, in no particular order.
  template <typename Visit>
  void ForEachMade(Visit&& visit) const {
    for (const auto& [outpoint, record] : made_) visit(record);
  }

 private:
  bool IsNews(const OutPoint& outpoint, uint32_t height) const;
  void Spend(const OutPoint& outpoint);
  void Make(const OutPoint& outpoint, const Coin& coin, bool may_overwrite);

  const uint64_t hash_key_[2];
  std::array<uint32_t, kCoinShardCount> heights_;
  Arena records_{1 << 20};
  absl::flat_hash_map<OutPoint, const uint8_t*> made_;
  // True: spent. False: overwritten, and it may have been spent long before.
  absl::flat_hash_map<OutPoint, bool> gone_;
  uint64_t spent_count_ = 0;
};

}  // namespace headrace
