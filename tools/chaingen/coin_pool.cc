#include "tools/chaingen/coin_pool.h"

#include <algorithm>
#include <bit>

#include "engine/base/check.h"

namespace headrace::chaingen {

void CoinPool::AdvanceTo(uint32_t height) {
  HR_CHECK(height >= height_ && height < buckets_.size());
  while (height_ < height) available_ += buckets_[++height_].size();
}

void CoinPool::Add(const OwnedCoin& coin, uint32_t available_from) {
  ++size_;
  if (available_from >= buckets_.size()) {
    beyond_.push_back(coin);
    return;
  }
  buckets_[available_from].push_back(coin);
  if (available_from <= height_) ++available_;
}

uint32_t CoinPool::DrawAge(Random& random) const {
  const uint64_t percent = random.Below(100);
  if (percent < 41) return static_cast<uint32_t>(random.Below(10));
  if (percent < 88) return static_cast<uint32_t>(10 + random.Below(90));
  // The long tail: every doubling of the age is as likely as the one before.
  const uint32_t doublings = std::bit_width(height_ / 100);
  const uint64_t base = uint64_t{100} << random.Below(doublings + 1);
  return static_cast<uint32_t>(std::min<uint64_t>(base + random.Below(base), height_));
}

std::optional<OwnedCoin> CoinPool::Take(Random& random) {
  if (available_ == 0) return std::nullopt;
  const uint32_t wanted = height_ - std::min(DrawAge(random), height_);
  // The wished bucket may be empty: the nearest one, newer ones first, since they are fuller.
  uint32_t at = wanted;
  while (at <= height_ && buckets_[at].empty()) ++at;
  if (at > height_) {
    at = wanted;
    while (buckets_[at].empty()) --at;
  }
  std::vector<OwnedCoin>& bucket = buckets_[at];
  std::swap(bucket[random.Below(bucket.size())], bucket.back());
  const OwnedCoin coin = bucket.back();
  bucket.pop_back();
  --available_;
  --size_;
  return coin;
}

}  // namespace headrace::chaingen
