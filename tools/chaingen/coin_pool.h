// The unspent outputs of the chain being made, picked for spending by age as on mainnet: about two in five within ten
// blocks, most of the others within a hundred, the rest from anywhere. One thread.
//
// Coins stand in buckets by the height from which they may be spent: that of their block or, for relative locks, later.
// Coinbases wait in a queue of their own and leave it in order, one a block, as miners pay out. Memory: 18 bytes a coin
// in columns, besides its transaction's 44 in the table.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "engine/primitives/amount.h"
#include "tools/chaingen/lock.h"
#include "tools/chaingen/random.h"

namespace headrace::chaingen {

struct PooledCoin {
  uint32_t slot = 0;  // of its transaction in the table
  uint16_t index = 0;
  Lock lock;
  Amount amount = 0;
};

class CoinPool {
 public:
  // `last_height` is the last at which a coin is taken.
  explicit CoinPool(uint32_t last_height);

  // From now on coins are taken for a block of this height; heights only rise.
  void AdvanceTo(uint32_t height);
  // A coin that is available only after the last height merely counts as unspent.
  void Add(const PooledCoin& coin, uint32_t available_from);
  // In order of height.
  void AddCoinbase(const PooledCoin& coin, uint32_t available_from);
  // Nothing when no coin is available.
  std::optional<PooledCoin> Take(Random& random);
  // The oldest coinbase that may be spent.
  std::optional<PooledCoin> TakeCoinbase();

  // Without coinbases.
  uint64_t available() const { return available_; }
  uint64_t size() const { return size_; }

  template <typename Visitor>
  void ForEach(const Visitor& visitor) const {
    const auto visit = [&](const Bucket& bucket) {
      for (size_t i = 0; i < bucket.size(); ++i) visitor(bucket.At(i));
    };
    for (const Bucket& bucket : buckets_) visit(bucket);
    visit(beyond_);
    for (const Coinbase& coinbase : coinbases_) visitor(coinbase.coin);
  }

 private:
  struct Bucket {
    std::vector<uint32_t> slots;
    std::vector<uint16_t> indexes;
    std::vector<uint32_t> locks;  // key, and the kind in the highest byte
    std::vector<Amount> amounts;

    size_t size() const { return slots.size(); }
    PooledCoin At(size_t i) const;
    void Add(const PooledCoin& coin);
    // The last coin takes the place of the one that leaves.
    PooledCoin Remove(size_t i);
  };
  struct Coinbase {
    PooledCoin coin;
    uint32_t available_from;
  };

  uint32_t DrawAge(Random& random) const;
  uint32_t NearestFilled(uint32_t wanted) const;
  void MarkFilled(uint32_t height, bool is_filled);

  std::vector<Bucket> buckets_;
  // One bit a bucket that holds coins: long chains of small blocks leave thousands of empty ones side by side.
  std::vector<uint64_t> filled_;
  Bucket beyond_;
  std::deque<Coinbase> coinbases_;
  uint32_t height_ = 0;
  uint64_t available_ = 0;
  uint64_t size_ = 0;
};

}  // namespace headrace::chaingen
