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
// Threads: one writer. FindBesideWriter is for any thread at any time, without locks and without holding the writer up: what
// it was led to counts if bucket and table have not changed while it was looked at. Everything else is for the writer, or
// for any number of threads while nobody writes. A lookup costs one cache line, nearly always; growth copies the table.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <vector>

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
  CoinTable(const CoinTable&) = delete;
  CoinTable& operator=(const CoinTable&) = delete;

  // Asks `confirm(location)` about every slot whose hash bits match, until it says yes. kNowhere when none does.
  template <typename Confirm>
  Position Find(uint64_t hash, Confirm&& confirm) const {
    const uint32_t hash_bits = HashBits(hash);
    for (uint32_t displacement = 0; displacement <= CoinSlot::kDisplacementMax; ++displacement) {
      const uint64_t index = (hash + displacement) & buckets_.mask;
      const CoinBucket& bucket = buckets_.at[index];
      const uint64_t tag = CoinSlot::Tag(displacement, hash_bits);
      for (uint32_t match = bucket.MatchTag(tag); match != 0; match &= match - 1) {
        const auto slot = static_cast<uint32_t>(std::countr_zero(match));
        if (confirm(bucket.slots[slot].location())) return index * 8 + slot;
      }
      if (bucket.overflow == 0) break;
    }
    return kNowhere;
  }
  // The same for readers beside the writer: `look(location)` copies what it needs and must expect anything at the place, for
  // the coin may have moved already; its answer counts only if nothing has changed meanwhile, or it is asked again. A coin
  // that is in the table all the time is found. True when `look` said yes. `begin` is called before each attempt, when it is settled
  // which table it looks through: for tests.
  struct Nothing {
    void operator()() const {}
  };
  template <typename Look, typename Begin = Nothing>
  bool FindBesideWriter(uint64_t hash, Look&& look, Begin&& begin = {}) const {
    for (;;) {
      const uint64_t view = view_.load(std::memory_order_acquire);
      begin();
      const Sighting sighting = LookThrough(view, hash, look);
      if (sighting == Sighting::kChanged || view_.load(std::memory_order_acquire) != view) continue;
      return sighting == Sighting::kFound;
    }
  }
  // Calls visit(location) for every slot that Find may ask about.
  template <typename Visit>
  void ForEachCandidate(uint64_t hash, Visit&& visit) const {
    Find(hash, [&](RecordLocation location) {
      visit(location);
      return false;
    });
  }

  void Prefetch(Position position) const { __builtin_prefetch(&buckets_.at[position / 8]); }
  void PrefetchHome(uint64_t hash) const { __builtin_prefetch(&buckets_.at[hash & buckets_.mask]); }
  // The first location in the home bucket whose hash bits match; 0 for none. A hint for prefetching records.
  RecordLocation FirstCandidate(uint64_t hash) const;

  // The coin must not be in the table.
  void Insert(uint64_t hash, RecordLocation location);
  void Erase(Position position);
  void SetLocation(Position position, RecordLocation location);

  RecordLocation LocationAt(Position position) const { return buckets_.at[position / 8].slots[position % 8].location(); }
  // Calls visit(position, location) for every coin; it may call SetLocation.
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    for (uint64_t index = 0; index <= buckets_.mask; ++index) {
      for (uint32_t slot = 0; slot < CoinBucket::kSlots; ++slot) {
        const CoinSlot& at = buckets_.at[index].slots[slot];
        if (!at.IsEmpty()) visit(index * 8 + slot, at.location());
      }
    }
  }

  uint64_t size() const { return size_; }
  uint32_t bucket_bits() const { return buckets_.bits; }
  uint64_t bytes() const { return (buckets_.mask + 1) * sizeof(CoinBucket); }
  // The image: what a checkpoint writes.
  const uint8_t* image() const { return reinterpret_cast<const uint8_t*>(buckets_.at); }
  // Takes the image of a table of 2^bucket_bits buckets in place of what is here, and counts the coins.
  void LoadImage(uint32_t bucket_bits, const uint8_t* bytes);

  // Whether counts and displacements agree everywhere (invariant 1); for tests and offline verification.
  bool IsConsistent() const;

 private:
  struct Buckets {
    explicit Buckets(uint32_t bucket_bits);
    AnonymousMemory memory;
    CoinBucket* at;
    uint64_t mask;
    uint32_t bits;
  };
  enum class Sighting : uint8_t { kAbsent, kFound, kChanged };

  static uint32_t HashBits(uint64_t hash) { return static_cast<uint32_t>(hash >> kBucketBitsMin) & CoinSlot::kHashMask; }
  // The address of the buckets, which is that of a cache line, and how many bits count them, in one word.
  static uint64_t ViewOf(const Buckets& buckets) { return reinterpret_cast<uintptr_t>(buckets.at) | buckets.bits; }
  template <typename Look>
  static Sighting LookThrough(uint64_t view, uint64_t hash, Look&& look) {
    constexpr uint64_t kBitsMask = alignof(CoinBucket) - 1;
    static_assert(kBucketBitsMax <= kBitsMask);
    const auto* buckets = reinterpret_cast<const CoinBucket*>(view & ~kBitsMask);
    const uint64_t mask = (uint64_t{1} << (view & kBitsMask)) - 1;
    const uint32_t hash_bits = HashBits(hash);
    for (uint32_t displacement = 0; displacement <= CoinSlot::kDisplacementMax; ++displacement) {
      const CoinBucket& bucket = buckets[(hash + displacement) & mask];
      const uint32_t version = bucket.LoadVersion();
      const uint64_t tag = CoinSlot::Tag(displacement, hash_bits);
      for (const CoinSlot& at : bucket.slots) {
        const CoinSlot slot = at.Load();
        if (!slot.HasTag(tag)) continue;
        const bool is_it = look(slot.location());
        // What `look` has read was read before this.
        std::atomic_thread_fence(std::memory_order_acquire);
        if (bucket.LoadVersion() != version) return Sighting::kChanged;
        if (is_it) return Sighting::kFound;
      }
      if (bucket.LoadOverflow() == 0) break;
    }
    return Sighting::kAbsent;
  }

  // Puts a coin into the nearest free slot from `home`; false when seven buckets further all are full.
  static bool Place(const Buckets& buckets, uint64_t home, uint32_t hash_bits, RecordLocation location);
  static bool TakeAll(const Buckets& from, const Buckets& into);
  void Grow();
  // Makes these the table's. What was there stays where late readers may look, without its memory if that is much.
  void Publish(Buckets buckets);

  Buckets buckets_;
  std::atomic<uint64_t> view_;
  uint64_t size_ = 0;
  // Each is half as large as the next.
  std::vector<AnonymousMemory> outgrown_;
};

}  // namespace headrace
