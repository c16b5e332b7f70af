// The flat hash table of one index shard: outpoint hash to record location, at 64 bytes a bucket of seven.
//
// A coin lives in its home bucket or at most seven buckets further. An insertion raises the overflow count of every full
// bucket it passes and an erasure lowers them again, so a probe stops at the first bucket that nobody passed, and erasing
// leaves no tombstone. Growth doubles the table and takes each coin's next home bit from its slot: records are not read.
//
// Invariants:
//  1. A coin of displacement d was counted in the overflow of the d buckets before its own, and in no other.
//  2. No two slots have one location.
//
// Threads: one writer with no readers, or any number of readers; the store's shard lock sees to it. A lookup costs one
// cache line, nearly always; growth copies the table.
#pragma once

#include <cstdint>

#include "storage/coins/anonymous_memory.h"
#include "storage/coins/coin_slot.h"

namespace headrace {

class CoinTable {
 public:
  // The smallest table has eight buckets, so that seven displacements never come round to the home bucket.
  static constexpr uint32_t kBucketBitsMin = 3;
  static constexpr uint32_t kBucketBitsMax = kBucketBitsMin + CoinSlot::kHashBits;

  // A slot's place: bucket * 8 + slot. Stable until the next Insert.
  using Position = uint64_t;
  static constexpr Position kNowhere = ~uint64_t{0};

  CoinTable() : CoinTable(kBucketBitsMin) {}
  explicit CoinTable(uint32_t bucket_bits);

  // Asks `confirm(location)` about every slot whose hash bits match, until it says yes. kNowhere when none does.
  template <typename Confirm>
  Position Find(uint64_t hash, Confirm&& confirm) const {
    const uint32_t hash_bits = HashBits(hash);
    for (uint32_t displacement = 0; displacement <= CoinSlot::kDisplacementMax; ++displacement) {
      const uint64_t index = (hash + displacement) & bucket_mask_;
      const CoinBucket& bucket = buckets_[index];
      const uint64_t tag = CoinSlot::Tag(displacement, hash_bits);
      for (uint32_t slot = 0; slot < CoinBucket::kSlots; ++slot) {
        if (bucket.slots[slot].HasTag(tag) && confirm(bucket.slots[slot].location())) return index * 8 + slot;
      }
      if (bucket.overflow == 0) break;
    }
    return kNowhere;
  }
  // Calls visit(location) for every slot that Find may ask about.
  template <typename Visit>
  void ForEachCandidate(uint64_t hash, Visit&& visit) const {
    Find(hash, [&](RecordLocation location) {
      visit(location);
      return false;
    });
  }

  void PrefetchHome(uint64_t hash) const { __builtin_prefetch(&buckets_[hash & bucket_mask_]); }
  // The first location in the home bucket whose hash bits match; 0 for none. A hint for prefetching records.
  RecordLocation FirstCandidate(uint64_t hash) const;

  // The coin must not be in the table.
  void Insert(uint64_t hash, RecordLocation location);
  void Erase(Position position);
  void SetLocation(Position position, RecordLocation location);

  RecordLocation LocationAt(Position position) const { return buckets_[position / 8].slots[position % 8].location(); }
  // Calls visit(position, location) for every coin; it may call SetLocation.
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    for (uint64_t index = 0; index <= bucket_mask_; ++index) {
      for (uint32_t slot = 0; slot < CoinBucket::kSlots; ++slot) {
        const CoinSlot& at = buckets_[index].slots[slot];
        if (!at.IsEmpty()) visit(index * 8 + slot, at.location());
      }
    }
  }

  uint64_t size() const { return size_; }
  uint32_t bucket_bits() const { return bucket_bits_; }
  uint64_t bytes() const { return (bucket_mask_ + 1) * sizeof(CoinBucket); }
  // The image: what a checkpoint writes. LoadImage takes `bytes()` bytes and counts the coins.
  const uint8_t* image() const { return reinterpret_cast<const uint8_t*>(buckets_); }
  void LoadImage(const uint8_t* bytes);

  // Whether counts and displacements agree everywhere (invariant 1); for tests and offline verification.
  bool IsConsistent() const;

 private:
  static uint32_t HashBits(uint64_t hash) { return static_cast<uint32_t>(hash >> kBucketBitsMin) & CoinSlot::kHashMask; }
  // Puts a coin into the nearest free slot from `home`; false when seven buckets further all are full.
  bool Place(uint64_t home, uint32_t hash_bits, RecordLocation location);
  void Grow();
  bool TakeAllFrom(const CoinTable& smaller);

  uint32_t bucket_bits_;
  uint64_t bucket_mask_;
  uint64_t size_ = 0;
  AnonymousMemory memory_;
  CoinBucket* buckets_;
};

}  // namespace headrace
