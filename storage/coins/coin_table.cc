#include "storage/coins/coin_table.h"

#include <cstring>
#include <vector>

#include "engine/base/check.h"

namespace headrace {
namespace {

// Tables from this size on are touched all over: huge pages save translation misses.
constexpr size_t kHugeTableBytes = 2 << 20;

// Beyond this load, probes grow longer than a bucket or two: 0.85 of seven slots a bucket.
constexpr uint64_t LoadLimit(uint64_t buckets) { return buckets * CoinBucket::kSlots * 85 / 100; }

}  // namespace

CoinTable::Buckets::Buckets(uint32_t bucket_bits)
    : memory(sizeof(CoinBucket) << bucket_bits),
      at(reinterpret_cast<CoinBucket*>(memory.data())),
      mask((uint64_t{1} << bucket_bits) - 1),
      bits(bucket_bits) {
  HR_CHECK(bucket_bits >= kBucketBitsMin && bucket_bits <= kBucketBitsMax);
  if (memory.size() >= kHugeTableBytes) memory.PreferHugePages();
}

CoinTable::CoinTable(uint32_t bucket_bits) : buckets_(bucket_bits), view_(ViewOf(buckets_)) {}

RecordLocation CoinTable::FirstCandidate(uint64_t hash) const {
  const CoinBucket& bucket = buckets_.at[hash & buckets_.mask];
  const uint32_t match = bucket.MatchTag(CoinSlot::Tag(0, HashBits(hash)));
  return match == 0 ? 0 : bucket.slots[std::countr_zero(match)].location();
}

bool CoinTable::Place(const Buckets& buckets, uint64_t home, uint32_t hash_bits, RecordLocation location) {
  for (uint32_t displacement = 0; displacement <= CoinSlot::kDisplacementMax; ++displacement) {
    CoinBucket& bucket = buckets.at[(home + displacement) & buckets.mask];
    const uint32_t empty = bucket.MatchEmpty();
    if (empty == 0) continue;
    bucket.slots[std::countr_zero(empty)].Store(CoinSlot(location, displacement, hash_bits));
    bucket.CountVersion();
    for (uint32_t passed = 0; passed < displacement; ++passed) {
      buckets.at[(home + passed) & buckets.mask].AddOverflow(1);
    }
    return true;
  }
  return false;
}

void CoinTable::Insert(uint64_t hash, RecordLocation location) {
  if (size_ >= LoadLimit(buckets_.mask + 1)) Grow();
  while (!Place(buckets_, hash & buckets_.mask, HashBits(hash), location)) Grow();
  ++size_;
}

void CoinTable::Erase(Position position) {
  const uint64_t index = position / 8;
  CoinBucket& bucket = buckets_.at[index];
  CoinSlot& slot = bucket.slots[position % 8];
  HR_CHECK(!slot.IsEmpty());
  for (uint32_t back = 1; back <= slot.displacement(); ++back) buckets_.at[(index - back) & buckets_.mask].AddOverflow(-1);
  slot.Store(CoinSlot());
  bucket.CountVersion();
  --size_;
}

void CoinTable::SetLocation(Position position, RecordLocation location) {
  CoinBucket& bucket = buckets_.at[position / 8];
  CoinSlot& slot = bucket.slots[position % 8];
  slot.Store(slot.WithLocation(location));
  bucket.CountVersion();
}

bool CoinTable::TakeAll(const Buckets& from, const Buckets& into) {
  // The home index gains the hash bits between the two sizes, which the slot holds from kBucketBitsMin up.
  for (uint64_t index = 0; index <= from.mask; ++index) {
    for (const CoinSlot& slot : from.at[index].slots) {
      if (slot.IsEmpty()) continue;
      const uint64_t low_bits = (index - slot.displacement()) & from.mask;
      const uint64_t known = static_cast<uint64_t>(slot.hash_bits()) << kBucketBitsMin;
      const uint64_t home = low_bits | (known & into.mask & ~from.mask);
      if (!Place(into, home, slot.hash_bits(), slot.location())) return false;
    }
  }
  return true;
}

void CoinTable::Grow() {
  for (uint32_t bits = buckets_.bits + 1;; ++bits) {
    Buckets larger(bits);
    if (!TakeAll(buckets_, larger)) continue;
    return Publish(std::move(larger));
  }
}

void CoinTable::Publish(Buckets buckets) {
  std::swap(buckets_, buckets);
  view_.store(ViewOf(buckets_), std::memory_order_release);
  std::atomic_thread_fence(std::memory_order_release);
  outgrown_.push_back(std::move(buckets.memory));
  outgrown_.back().Discard(0, outgrown_.back().size());
}

void CoinTable::LoadImage(uint32_t bucket_bits, const uint8_t* bytes) {
  Buckets image(bucket_bits);
  std::memcpy(image.memory.data(), bytes, image.memory.size());
  Publish(std::move(image));
  size_ = 0;
  ForEach([this](Position, RecordLocation) { ++size_; });
}

bool CoinTable::IsConsistent() const {
  std::vector<uint32_t> passed(buckets_.mask + 1);
  ForEach([&](Position position, RecordLocation) {
    const uint64_t index = position / 8;
    const CoinSlot& slot = buckets_.at[index].slots[position % 8];
    for (uint32_t back = 1; back <= slot.displacement(); ++back) ++passed[(index - back) & buckets_.mask];
    // The low home bits that the slot itself knows must be those of its home bucket.
    const uint64_t home = (index - slot.displacement()) & buckets_.mask;
    const uint64_t known_mask = buckets_.mask & ~((uint64_t{1} << kBucketBitsMin) - 1);
    if ((home & known_mask) != ((static_cast<uint64_t>(slot.hash_bits()) << kBucketBitsMin) & known_mask)) {
      passed[0] = ~0u;
    }
  });
  for (uint64_t index = 0; index <= buckets_.mask; ++index) {
    if (passed[index] != buckets_.at[index].overflow) return false;
  }
  return true;
}

}  // namespace headrace
