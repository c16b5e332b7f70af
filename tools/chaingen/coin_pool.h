// The unspent outputs of the chain being made, picked for spending by age as on mainnet: about two in five within ten
// blocks, most of the others within a hundred, the rest from anywhere. One thread.
//
// Coins stand in buckets by the height from which they may be spent: that of their block or, for coinbases and relative
// locks, later. Memory: about 64 bytes a coin.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/primitives/amount.h"
#include "engine/primitives/outpoint.h"
#include "tools/chaingen/lock.h"
#include "tools/chaingen/random.h"

namespace headrace::chaingen {

struct OwnedCoin {
  OutPoint outpoint;
  uint32_t height = 0;
  Amount amount = 0;
  Lock lock;
  bool is_coinbase = false;
};

class CoinPool {
 public:
  // `last_height` is the last at which a coin is taken.
  explicit CoinPool(uint32_t last_height) : buckets_(size_t{last_height} + 1) {}

  // From now on coins are taken for a block of this height; heights only rise.
  void AdvanceTo(uint32_t height);
  // A coin that is never available only counts as unspent.
  void Add(const OwnedCoin& coin, uint32_t available_from);
  // Nothing when no coin is available.
  std::optional<OwnedCoin> Take(Random& random);

  uint64_t available() const { return available_; }
  uint64_t size() const { return size_; }

  template <typename Visitor>
  void ForEach(const Visitor& visitor) const {
    for (const auto& bucket : buckets_) {
      for (const OwnedCoin& coin : bucket) visitor(coin);
    }
    for (const OwnedCoin& coin : beyond_) visitor(coin);
  }

 private:
  uint32_t DrawAge(Random& random) const;

  std::vector<std::vector<OwnedCoin>> buckets_;
  // Available only after the last height.
  std::vector<OwnedCoin> beyond_;
  uint32_t height_ = 0;
  uint64_t available_ = 0;
  uint64_t size_ = 0;
};

}  // namespace headrace::chaingen
