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

CoinTable::CoinTable(uint32_t bucket_bits)
    : bucket_bits_(bucket_bits),
      bucket_mask_((uint64_t{1} << bucket_bits) - 1),
      memory_(sizeof(CoinBucket) << bucket_bits),
      buckets_(reinterpret_cast<CoinBucket*>(memory_.data())) {
  HR_CHECK(bucket_bits >= kBucketBitsMin && bucket_bits <= kBucketBitsMax);
  if (memory_.size() >= kHugeTableBytes) memory_.PreferHugePages();
}

RecordLocation CoinTable::FirstCandidate(uint64_t hash) const {
  const CoinBucket& bucket = buckets_[hash & bucket_mask_];
  const uint64_t tag = CoinSlot::Tag(0, HashBits(hash));
  for (const CoinSlot& slot : bucket.slots) {
    if (slot.HasTag(tag)) return slot.location();
  }
  return 0;
}

bool CoinTable::Place(uint64_t home, uint32_t hash_bits, RecordLocation location) {
  for (uint32_t displacement = 0; displacement <= CoinSlot::kDisplacementMax; ++displacement) {
    CoinBucket& bucket = buckets_[(home + displacement) & bucket_mask_];
    for (CoinSlot& slot : bucket.slots) {
      if (!slot.IsEmpty()) continue;
      slot = CoinSlot(location, displacement, hash_bits);
      ++bucket.version;
      for (uint32_t passed = 0; passed < displacement; ++passed) ++buckets_[(home + passed) & bucket_mask_].overflow;
      ++size_;
      return true;
    }
  }
  return false;
}

void CoinTable::Insert(uint64_t hash, RecordLocation location) {
  if (size_ >= LoadLimit(bucket_mask_ + 1)) Grow();
  while (!Place(hash & bucket_mask_, HashBits(hash), location)) Grow();
}

void CoinTable::Erase(Position position) {
  const uint64_t index = position / 8;
  CoinBucket& bucket = buckets_[index];
  CoinSlot& slot = bucket.slots[position % 8];
  HR_CHECK(!slot.IsEmpty());
  for (uint32_t back = 1; back <= slot.displacement(); ++back) --buckets_[(index - back) & bucket_mask_].overflow;
  slot = CoinSlot();
  ++bucket.version;
  --size_;
}

void CoinTable::SetLocation(Position position, RecordLocation location) {
  CoinBucket& bucket = buckets_[position / 8];
  bucket.slots[position % 8].set_location(location);
  ++bucket.version;
}

bool CoinTable::TakeAllFrom(const CoinTable& smaller) {
  // The home index gains the hash bits between the two sizes, which the slot holds from kBucketBitsMin up.
  for (uint64_t index = 0; index <= smaller.bucket_mask_; ++index) {
    for (const CoinSlot& slot : smaller.buckets_[index].slots) {
      if (slot.IsEmpty()) continue;
      const uint64_t low_bits = (index - slot.displacement()) & smaller.bucket_mask_;
      const uint64_t known = static_cast<uint64_t>(slot.hash_bits()) << kBucketBitsMin;
      const uint64_t home = low_bits | (known & bucket_mask_ & ~smaller.bucket_mask_);
      if (!Place(home, slot.hash_bits(), slot.location())) return false;
    }
  }
  return true;
}

void CoinTable::Grow() {
  for (uint32_t bits = bucket_bits_ + 1;; ++bits) {
    CoinTable larger(bits);
    if (!larger.TakeAllFrom(*this)) continue;
    *this = std::move(larger);
    return;
  }
}

void CoinTable::LoadImage(const uint8_t* bytes) {
  std::memcpy(memory_.data(), bytes, memory_.size());
  size_ = 0;
  ForEach([this](Position, RecordLocation) { ++size_; });
}

bool CoinTable::IsConsistent() const {
  std::vector<uint32_t> passed(bucket_mask_ + 1);
  ForEach([&](Position position, RecordLocation) {
    const uint64_t index = position / 8;
    const CoinSlot& slot = buckets_[index].slots[position % 8];
    for (uint32_t back = 1; back <= slot.displacement(); ++back) ++passed[(index - back) & bucket_mask_];
    // The low home bits that the slot itself knows must be those of its home bucket.
    const uint64_t home = (index - slot.displacement()) & bucket_mask_;
    const uint64_t known_mask = bucket_mask_ & ~((uint64_t{1} << kBucketBitsMin) - 1);
    if ((home & known_mask) != ((static_cast<uint64_t>(slot.hash_bits()) << kBucketBitsMin) & known_mask)) {
      passed[0] = ~0u;
    }
  });
  for (uint64_t index = 0; index <= bucket_mask_; ++index) {
    if (passed[index] != buckets_[index].overflow) return false;
  }
  return true;
}

}  // namespace headrace
