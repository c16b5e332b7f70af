// A whole life of a small coin store, written down before it is lived: windows, rollbacks, refused windows,
// checkpoints in pieces, pins, clean stops, kills and power failures, and after each step what the naive set holds. Any
// number of machines can then live it, each on a disk of its own, and be crashed anywhere.
//
// The store's hash key is known, so most coins fall into two of its shards: their tables grow although there are few
// coins, and one life costs milliseconds. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "tests/storage/coins/coin_world.h"

namespace headrace::sim {

using BlockRef = std::shared_ptr<testing::WorldBlock>;
using BlockWindow = std::vector<BlockRef>;

struct CoinStep {
  enum class Kind : uint8_t {
    kApply,
    kRefuse,  // a window whose last block spends what does not exist
    kUnapply,
    kSetApplied,  // verdicts have come through the tip
    kBegin,
    kStep,  // `calls` steps of a checkpoint, the disk turned up to `turns` times before each
    kFinish,
    kPin,
    kUnpin,
    kStop,  // a clean stop and a start
    kKill,
    kLosePower,
  };
  Kind kind;
  BlockWindow window = {};
  uint32_t calls = 0;
  uint32_t turns = 0;
  // After it: the chain that the store holds, and its coins.
  BlockPoint tip = {};
  std::shared_ptr<const std::map<OutPoint, testing::NaiveCoin>> coins = nullptr;
};

class CoinPlan {
 public:
  // A small plan has one of everything; a larger one is `rounds` steps in any order.
  explicit CoinPlan(uint64_t seed, uint32_t rounds = 0);

  const std::vector<CoinStep>& steps() const { return steps_; }
  const BlockPoint& origin() const { return origin_; }
  uint64_t key_seed() const { return key_seed_; }
  uint64_t cache_bytes_max() const { return cache_bytes_max_; }
  uint64_t checkpoint_step_bytes() const { return checkpoint_step_bytes_; }
  // Everything that was ever a coin.
  const std::vector<OutPoint>& outpoints() const { return outpoints_; }

  const BlockRef& block(const Hash256& hash) const { return blocks_.at(hash); }
  bool Knows(const BlockPoint& point) const { return point == origin_ || blocks_.contains(point.hash); }
  // In which order blocks came to be; the origin is 0.
  uint64_t serial(const Hash256& hash) const { return hash == origin_.hash ? 0 : serials_.at(hash); }
  // The blocks from above `from`, an ancestor of `to`, through `to`.
  BlockWindow Branch(const BlockPoint& from, const BlockPoint& to) const;
  bool IsAncestor(const BlockPoint& point, const BlockPoint& of) const;

 private:
  uint64_t Below(uint64_t bound) { return random_() % bound; }
  BlockPoint tip() const;
  Hash256 CrowdedTxid();
  std::vector<uint8_t> Script();
  testing::NaiveBlock MakeBlock(size_t spends, size_t creations);
  void Record(CoinStep step);

  void Apply(size_t count, size_t spends, size_t creations);
  void Refuse();
  void Unapply(size_t count);
  void Note(CoinStep::Kind kind);
  void Checkpoint(uint32_t calls, uint32_t turns);

  void WriteSmall();
  void WriteRound();

  std::mt19937_64 random_;
  uint64_t key_seed_;
  uint64_t hash_key_[2];
  uint64_t cache_bytes_max_;
  uint64_t checkpoint_step_bytes_;
  BlockPoint origin_;

  testing::NaiveCoinSet naive_;
  BlockWindow chain_;
  bool is_applied_ = true;
  std::vector<CoinStep> steps_;
  std::vector<OutPoint> pool_;
  std::vector<OutPoint> outpoints_;
  absl::flat_hash_map<Hash256, BlockRef> blocks_;
  absl::flat_hash_map<Hash256, uint64_t> serials_;
};

}  // namespace headrace::sim
