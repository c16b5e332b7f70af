#include "tools/chaingen/coin_pool.h"

#include <algorithm>
#include <array>
#include <bit>

#include "engine/base/check.h"

namespace headrace::chaingen {
namespace {

constexpr uint32_t kKindShift = 24;
// Per cent of all spends by age in blocks, the youngest first; together the 41 of the first ten.
constexpr std::array<uint8_t, 10> kYoungPercents = {7, 6, 5, 4, 4, 3, 3, 3, 3, 3};
constexpr uint32_t kPercentBelow100 = 88;

// Gives memory back once three quarters of it lie idle: buckets shrink to a tenth of what they were.
template <typename T>
void PopBack(std::vector<T>& column, size_t hole) {
  column[hole] = column.back();
  column.pop_back();
  if (column.capacity() > 64 && column.size() < column.capacity() / 4) column.shrink_to_fit();
}

}  // namespace

PooledCoin CoinPool::Bucket::At(size_t i) const {
  const Lock lock{static_cast<LockKind>(locks[i] >> kKindShift), locks[i] & ((1u << kKindShift) - 1)};
  return {slots[i], indexes[i], lock, amounts[i]};
}

void CoinPool::Bucket::Add(const PooledCoin& coin) {
  HR_CHECK(coin.lock.key < 1u << kKindShift);
  slots.push_back(coin.slot);
  indexes.push_back(coin.index);
  locks.push_back(static_cast<uint32_t>(coin.lock.kind) << kKindShift | coin.lock.key);
  amounts.push_back(coin.amount);
}

PooledCoin CoinPool::Bucket::Remove(size_t i) {
  const PooledCoin coin = At(i);
  PopBack(slots, i);
  PopBack(indexes, i);
  PopBack(locks, i);
  PopBack(amounts, i);
  return coin;
}

CoinPool::CoinPool(uint32_t last_height) : buckets_(size_t{last_height} + 1), filled_(last_height / 64 + 1) {}

void CoinPool::AdvanceTo(uint32_t height) {
  HR_CHECK(height >= height_ && height < buckets_.size());
  while (height_ < height) available_ += buckets_[++height_].size();
}

void CoinPool::Add(const PooledCoin& coin, uint32_t available_from) {
  ++size_;
  if (available_from >= buckets_.size()) {
    beyond_.Add(coin);
    return;
  }
  buckets_[available_from].Add(coin);
  MarkFilled(available_from, true);
  if (available_from <= height_) ++available_;
}

void CoinPool::AddCoinbase(const PooledCoin& coin, uint32_t available_from) {
  ++size_;
  coinbases_.push_back({coin, available_from});
}

std::optional<PooledCoin> CoinPool::TakeCoinbase() {
  if (coinbases_.empty() || coinbases_.front().available_from > height_) return std::nullopt;
  const PooledCoin coin = coinbases_.front().coin;
  coinbases_.pop_front();
  --size_;
  return coin;
}

uint32_t CoinPool::DrawAge(Random& random) const {
  uint64_t percent = random.Below(100);
  if (percent >= kPercentBelow100) {
    // The long tail: every doubling of the age is as likely as the one before.
    const uint32_t doublings = std::bit_width(height_ / 100);
    const uint64_t base = uint64_t{100} << random.Below(doublings + 1);
    return static_cast<uint32_t>(std::min<uint64_t>(base + random.Below(base), height_));
  }
  for (uint32_t age = 0; age < kYoungPercents.size(); ++age) {
    if (percent < kYoungPercents[age]) return age;
    percent -= kYoungPercents[age];
  }
  return static_cast<uint32_t>(kYoungPercents.size() + random.Below(100 - kYoungPercents.size()));
}

void CoinPool::MarkFilled(uint32_t height, bool is_filled) {
  const uint64_t bit = uint64_t{1} << (height % 64);
  uint64_t& word = filled_[height / 64];
  word = is_filled ? word | bit : word & ~bit;
}

// The wished bucket may be empty: the nearest one that is available, newer ones first, since they are fuller. There is
// one.
uint32_t CoinPool::NearestFilled(uint32_t wanted) const {
  size_t at = wanted / 64;
  uint64_t word = filled_[at] & ~uint64_t{0} << (wanted % 64);
  while (word == 0 && ++at <= height_ / 64) word = filled_[at];
  if (word != 0) {
    const auto found = static_cast<uint32_t>(at * 64 + std::countr_zero(word));
    if (found <= height_) return found;
  }
  at = wanted / 64;
  word = filled_[at] & ~uint64_t{0} >> (63 - wanted % 64);
  while (word == 0) word = filled_[--at];
  return static_cast<uint32_t>(at * 64 + 63 - std::countl_zero(word));
}

std::optional<PooledCoin> CoinPool::Take(Random& random) {
  if (available_ == 0) return std::nullopt;
  const uint32_t at = NearestFilled(height_ - std::min(DrawAge(random), height_));
  Bucket& bucket = buckets_[at];
  const PooledCoin coin = bucket.Remove(random.Below(bucket.size()));
  if (bucket.size() == 0) MarkFilled(at, false);
  --available_;
  --size_;
  return coin;
}

}  // namespace headrace::chaingen
