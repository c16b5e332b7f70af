#include "storage/coins/coin_table.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "engine/base/check.h"

namespace headrace {
namespace {

// Tables from this size on are touched all over: huge pages save translation misses.
constexpr size_t kHugeTableBytes = 2 << 20;

// Beyond this load, probes grow longer than a bucket or two: 0.76 of seven slots a bucket.
constexpr uint64_t LoadLimit(uint64_t buckets) { return buckets * CoinBucket::kSlots * 76 / 100; }

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
  const uint64_t next = homes + homes / 3;
  // The ladders' first rungs are all over what a step covers.
  return homes < kStaggeredHomes && next >= kStaggeredHomes ? kStaggeredHomes + ladder * kStaggeredHomes / 3 / kStaggers : next;
}

RecordLocation CoinTable::FirstCandidate(uint64_t hash) const {
  const CoinBucket& bucket = buckets_.at[HomeOf(hash, buckets_.homes)];
  const uint32_t match = bucket.MatchTag(CoinSlot::Tag(0, HashBits(hash)));
  return match == 0 ? 0 : bucket.slots[std::countr_zero(match)].location();
}

void CoinTable::Put(const Buckets& buckets, uint64_t home, uint64_t index, uint32_t empty, uint32_t hash_bits,
                    RecordLocation location) {
  CoinBucket& bucket = buckets.at[index];
  CoinSlot& slot = bucket.slots[std::countr_zero(empty)];
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
  if (const uint32_t empty = buckets.at[home].MatchEmpty(); empty != 0) {
    Put(buckets, home, home, empty, hash_bits, location);
    return true;
  }
  const uint64_t end = std::min(home + kHoleDistanceMax, buckets.count());
  uint64_t hole = home + 1;
  while (buckets.at[hole].MatchEmpty() == 0) {
    if (++hole == end) return false;
  }
  while (hole - home > CoinSlot::kDisplacementMax) {
    if (!MoveOneInto(buckets, hole)) return false;
  }
  Put(buckets, home, hole, buckets.at[hole].MatchEmpty(), hash_bits, location);
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

// The numbers with which the ranges of consecutive homes begin, without a division for each.
class CoinTable::RangeBegins {
 public:
  explicit RangeBegins(uint64_t homes)
      : homes_(homes), step_((uint64_t{1} << kRangeBits) / homes), step_rest_((uint64_t{1} << kRangeBits) % homes) {}

  // Goes on to the next home; the first time, to home 0.
  void Advance() {
    ++home_;
    begins_[home_ & CoinSlot::kDisplacementMax] = begin_;
    begin_ += step_;
    rest_ += step_rest_;
    if (rest_ >= homes_) {
      rest_ -= homes_;
      ++begin_;
    }
  }
  // Of the home that many before the one that was gone to last, seven at most.
  uint64_t Before(uint32_t back) const { return begins_[(home_ - back) & CoinSlot::kDisplacementMax]; }

 private:
  const uint64_t homes_;
  const uint64_t step_;
  const uint64_t step_rest_;
  uint64_t home_ = ~uint64_t{0};
  // Of the home to come: rounded up, and what rounding took, as a share of homes_.
  uint64_t begin_ = 0;
  uint64_t rest_ = homes_ - 1;
  uint64_t begins_[CoinSlot::kDisplacementMax + 1] = {};
};

bool CoinTable::TakeAll(const Buckets& from, const Buckets& into) {
  // Slots are filled from the first on, and counted: to look for an empty one right after its neighbour was written costs more
  // than all the rest (a wide load of what narrow stores have just left behind waits for them).
  std::vector<uint8_t> filled(into.count());
  RangeBegins begins(from.homes);
  for (uint64_t index = 0; index < from.count(); ++index) {
    begins.Advance();
    const CoinBucket& bucket = from.at[index];
    for (uint32_t taken = bucket.MatchTaken(); taken != 0; taken &= taken - 1) {
      const CoinSlot& slot = bucket.slots[std::countr_zero(taken)];
      const uint64_t range_bits = RangeBitsFrom(begins.Before(slot.displacement()), slot.hash_bits());
      const uint64_t home = HomeOf(range_bits, into.homes);
      uint64_t at = home;
      for (; filled[at] == CoinBucket::kSlots; ++at) {
        if (at - home == CoinSlot::kDisplacementMax) return false;
      }
      const auto displacement = static_cast<uint32_t>(at - home);
      into.at[at].slots[filled[at]++].Store(CoinSlot(slot.location(), displacement, slot.hash_bits()));
      for (uint64_t passed = home; passed < at; ++passed) into.at[passed].AddOverflow(1);
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
