#include "storage/coins/coin_table.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "engine/base/check.h"

namespace headrace {
namespace {

// Tables from this size on are touched all over: huge pages save translation misses.
constexpr size_t kHugeTableBytes = 2 << 20;

// Beyond this load, probes grow longer than a bucket or two: 0.8 of seven slots a bucket.
constexpr uint64_t LoadLimit(uint64_t buckets) { return buckets * CoinBucket::kSlots * 80 / 100; }

// A hole further than this from where a coin belongs is not looked for: such crowds are rarer than growth.
constexpr uint64_t kHoleDistanceMax = 256;

// Smaller tables grow at once and cost nothing; from here on each ladder has sizes of its own.
constexpr uint64_t kStaggeredHomes = 1024;

}  // namespace

CoinTable::Buckets::Buckets(uint64_t homes)
    : memory((homes + kBucketsBehind) * sizeof(CoinBucket)),
      at(reinterpret_cast<CoinBucket*>(memory.data())),
      homes(homes) {
  HR_CHECK(homes >= kHomesMin && homes <= kHomesMax);
  HR_CHECK(reinterpret_cast<uintptr_t>(at) / sizeof(CoinBucket) < uint64_t{1} << kLineBits);
  if (memory.size() >= kHugeTableBytes) memory.PreferHugePages();
}

CoinTable::CoinTable(uint32_t homes) : buckets_(homes), view_(ViewOf(buckets_)) {}

uint64_t CoinTable::HomesAfter(uint64_t homes, uint32_t ladder) {
  const uint64_t next = homes + homes / 4;
  return homes < kStaggeredHomes && next >= kStaggeredHomes ? kStaggeredHomes + ladder : next;
}

RecordLocation CoinTable::FirstCandidate(uint64_t hash) const {
  const CoinBucket& bucket = buckets_.at[HomeOf(hash, buckets_.homes)];
  const uint32_t match = bucket.MatchTag(CoinSlot::Tag(0, HashBits(hash)));
  return match == 0 ? 0 : bucket.slots[std::countr_zero(match)].location();
}

void CoinTable::Put(const Buckets& buckets, uint64_t home, uint64_t index, uint32_t hash_bits, RecordLocation location) {
  CoinBucket& bucket = buckets.at[index];
  CoinSlot& slot = bucket.slots[std::countr_zero(bucket.MatchEmpty())];
  slot.Store(CoinSlot(location, static_cast<uint32_t>(index - home), hash_bits));
  bucket.CountVersion();
  for (uint64_t passed = home; passed < index; ++passed) buckets.at[passed].AddOverflow(1);
}

bool CoinTable::MoveOneInto(const Buckets& buckets, uint64_t& hole) {
  // From as far back as a coin can come.
  for (uint64_t from = hole - CoinSlot::kDisplacementMax; from < hole; ++from) {
    CoinBucket& bucket = buckets.at[from];
    for (CoinSlot& slot : bucket.slots) {
      const uint64_t home = from - slot.displacement();
      if (hole - home > CoinSlot::kDisplacementMax) continue;
      // Readers find it at one place or at both: where it is to be first, then how far it went, then it is gone from here.
      CoinBucket& into = buckets.at[hole];
      into.slots[std::countr_zero(into.MatchEmpty())].Store(
          CoinSlot(slot.location(), static_cast<uint32_t>(hole - home), slot.hash_bits()));
      into.CountVersion();
      for (uint64_t passed = from; passed < hole; ++passed) buckets.at[passed].AddOverflow(1);
      slot.Store(CoinSlot());
      bucket.CountVersion();
      hole = from;
      return true;
    }
  }
  return false;
}

bool CoinTable::Place(const Buckets& buckets, uint64_t home, uint32_t hash_bits, RecordLocation location) {
  const uint64_t end = std::min(home + kHoleDistanceMax, buckets.count());
  uint64_t hole = home;
  while (buckets.at[hole].MatchEmpty() == 0) {
    if (++hole == end) return false;
  }
  while (hole - home > CoinSlot::kDisplacementMax) {
    if (!MoveOneInto(buckets, hole)) return false;
  }
  Put(buckets, home, hole, hash_bits, location);
  return true;
}

void CoinTable::Insert(uint64_t hash, RecordLocation location) {
  if (size_ >= LoadLimit(buckets_.homes)) Grow();
  while (!Place(buckets_, HomeOf(hash, buckets_.homes), HashBits(hash), location)) Grow();
  ++size_;
}

void CoinTable::Erase(Position position) {
  const uint64_t index = position / 8;
  CoinBucket& bucket = buckets_.at[index];
  CoinSlot& slot = bucket.slots[position % 8];
  HR_CHECK(!slot.IsEmpty());
  for (uint32_t back = 1; back <= slot.displacement(); ++back) buckets_.at[index - back].AddOverflow(-1);
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
  for (uint64_t index = 0; index < from.count(); ++index) {
    for (const CoinSlot& slot : from.at[index].slots) {
      if (slot.IsEmpty()) continue;
      const uint64_t range_bits = RangeBits(index - slot.displacement(), from.homes, slot.hash_bits());
      if (!Place(into, HomeOf(range_bits, into.homes), slot.hash_bits(), slot.location())) return false;
    }
  }
  return true;
}

void CoinTable::Grow() {
  for (uint64_t homes = HomesAfter(buckets_.homes, ladder_);; homes = HomesAfter(homes, ladder_)) {
    Buckets larger(homes);
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

void CoinTable::LoadImage(uint32_t homes, const uint8_t* bytes) {
  Buckets image(homes);
  std::memcpy(image.memory.data(), bytes, image.memory.size());
  Publish(std::move(image));
  size_ = 0;
  ForEach([this](Position, RecordLocation) { ++size_; });
}

void CoinTable::LoadImageOfVersion1(uint32_t bucket_bits, const uint8_t* bytes) {
  const uint64_t mask = (uint64_t{1} << bucket_bits) - 1;
  constexpr int kHomeBitsOutsideSlots = 3;
  for (uint64_t index = 0; index <= mask; ++index) {
    CoinBucket bucket;
    std::memcpy(&bucket, bytes + index * sizeof(bucket), sizeof(bucket));
    for (const CoinSlot& slot : bucket.slots) {
      if (slot.IsEmpty()) continue;
      const uint64_t home = (index - slot.displacement()) & mask;
      const uint64_t lowest_bits = home & ((1u << kHomeBitsOutsideSlots) - 1);
      Insert(static_cast<uint64_t>(slot.hash_bits()) << kHomeBitsOutsideSlots | lowest_bits, slot.location());
    }
  }
}

bool CoinTable::IsConsistent() const {
  std::vector<uint32_t> passed(buckets_.count());
  bool is_at_home = true;
  ForEach([&](Position position, RecordLocation) {
    const uint64_t index = position / 8;
    const CoinSlot& slot = buckets_.at[index].slots[position % 8];
    if (slot.displacement() > index) return void(is_at_home = false);
    for (uint32_t back = 1; back <= slot.displacement(); ++back) ++passed[index - back];
    const uint64_t home = index - slot.displacement();
    // What home and slot make of the hash must lead back home.
    is_at_home = is_at_home && home < buckets_.homes &&
                 HomeOf(RangeBits(home, buckets_.homes, slot.hash_bits()), buckets_.homes) == home;
  });
  for (uint64_t index = 0; index < buckets_.count(); ++index) {
    if (passed[index] != buckets_.at[index].overflow) return false;
  }
  return is_at_home;
}

}  // namespace headrace
