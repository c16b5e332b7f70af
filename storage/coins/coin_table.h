// The flat hash table of one index shard: outpoint hash to record location, at 64 bytes a bucket of seven.
//
// A coin lives in its home bucket or at most seven buckets further. An insertion raises the overflow count of every full
// bucket it passes and an erasure lowers them again, so a probe stops at the first bucket that nobody passed, and erasing
// leaves no tombstone. Behind the last home bucket there are seven more, so that nothing comes round.
//
// Crowds. At a load of 0.76 one coin in a hundred has no room within seven: buckets are full in long rows, though few coins are far from
// home. An insertion then takes the first hole behind the row, and coins that are near their homes move on until the hole has come
// near enough (hopscotch hashing). Without that a table of 10^5 buckets had to grow at a load of 0.6.
//
// Home buckets. Of n, a coin's is the n-th part of the hash's range that its low 28 bits lie in: (hash * n) >> 28. n may
// be any number from eight on. A slot keeps the low 25 of the 28 bits; an eighth of the range or less has no two numbers with
// the same 25, so home and slot together have all 28, and growth reads no record. It takes the coins in the order of
// their hashes, from one end of both tables to the other.
//
// Growth is by a third: load moves between 0.57 and 0.76, 13.9 bytes a coin on average, where doubling has 17, and 24
// at its worst. A coin is moved three times instead of once, at ten nanoseconds each. All shards of a store fill evenly; each has
// a ladder of sizes of its own (StaggerGrowth), or all of them would grow within a few windows.
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
  // Home buckets.
  static constexpr uint32_t kHomesMin = 8;
  static constexpr uint32_t kHomesMax = (1u << 22) - 1;
  static constexpr uint32_t kBucketsBehind = CoinSlot::kDisplacementMax;
  // Of tables that fill evenly.
  static constexpr uint32_t kStaggers = 256;

  // A slot's place: bucket * 8 + slot. Stable until the next Insert.
  using Position = uint64_t;
  static constexpr Position kNowhere = ~uint64_t{0};

  CoinTable() : CoinTable(kHomesMin) {}
  explicit CoinTable(uint32_t homes);
  CoinTable(const CoinTable&) = delete;
  CoinTable& operator=(const CoinTable&) = delete;

  // Which of kStaggers ladders of sizes it climbs when it is no longer small.
  void StaggerGrowth(uint32_t ladder) { ladder_ = ladder; }

  // Asks `confirm(location)` about every slot whose hash bits match, until it says yes. kNowhere when none does.
  template <typename Confirm>
  Position Find(uint64_t hash, Confirm&& confirm) const {
    const uint32_t hash_bits = HashBits(hash);
    const uint64_t home = HomeOf(hash, buckets_.homes);
    for (uint32_t displacement = 0; displacement <= CoinSlot::kDisplacementMax; ++displacement) {
      const uint64_t index = home + displacement;
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
  void PrefetchHome(uint64_t hash) const { __builtin_prefetch(&buckets_.at[HomeOf(hash, buckets_.homes)]); }
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
    for (uint64_t index = 0; index < buckets_.count(); ++index) {
      for (uint32_t slot = 0; slot < CoinBucket::kSlots; ++slot) {
        const CoinSlot& at = buckets_.at[index].slots[slot];
        if (!at.IsEmpty()) visit(index * 8 + slot, at.location());
      }
    }
  }

  uint64_t size() const { return size_; }
  uint32_t homes() const { return static_cast<uint32_t>(buckets_.homes); }
  uint64_t bytes() const { return BytesOf(homes()); }
  static constexpr uint64_t BytesOf(uint32_t homes) { return (uint64_t{homes} + kBucketsBehind) * sizeof(CoinBucket); }
  // The image: what a checkpoint writes.
  const uint8_t* image() const { return reinterpret_cast<const uint8_t*>(buckets_.at); }
  // Takes the image of a table of so many home buckets in place of what is here, and counts the coins.
  void LoadImage(uint32_t homes, const uint8_t* bytes);
  // The same for an image of format version 1: 2^bucket_bits buckets, of which the low bits of the hash tell a coin's, and
  // the last is followed by the first.
  void LoadImageOfVersion1(uint32_t bucket_bits, const uint8_t* bytes);

  // Whether counts and displacements agree everywhere (invariant 1); for tests and offline verification.
  bool IsConsistent() const;

 private:
  struct Buckets {
    explicit Buckets(uint64_t homes);
    uint64_t count() const { return homes + kBucketsBehind; }
    AnonymousMemory memory;
    CoinBucket* at;
    uint64_t homes;
  };
  class RangeBegins;
  enum class Sighting : uint8_t { kAbsent, kFound, kChanged };

  // The range of what a home is told by.
  static constexpr int kRangeBits = CoinSlot::kHashBits + 3;
  static constexpr uint64_t kRangeMask = (uint64_t{1} << kRangeBits) - 1;
  static_assert(1u << (kRangeBits - CoinSlot::kHashBits) == kHomesMin);

  static uint32_t HashBits(uint64_t hash) { return static_cast<uint32_t>(hash) & CoinSlot::kHashMask; }
  static uint64_t HomeOf(uint64_t hash, uint64_t homes) { return ((hash & kRangeMask) * homes) >> kRangeBits; }
  // All bits of a hash that a home is told by, from a slot.
  static uint64_t RangeBits(uint64_t home, uint64_t homes, uint32_t hash_bits) {
    return RangeBitsFrom(((home << kRangeBits) + homes - 1) / homes, hash_bits);
  }
  // The same, where the number is known with which the home's range begins.
  static uint64_t RangeBitsFrom(uint64_t begin, uint32_t hash_bits) {
    return begin + ((hash_bits - begin) & CoinSlot::kHashMask);
  }
  // How many homes the next larger table has.
  static uint64_t HomesAfter(uint64_t homes, uint32_t ladder);

  // The number of the buckets' cache line, and how many homes there are, in one word.
  static constexpr int kLineBits = 42;
  static_assert(kHomesMax == (uint64_t{1} << (64 - kLineBits)) - 1);
  static uint64_t ViewOf(const Buckets& buckets) {
    return buckets.homes << kLineBits | reinterpret_cast<uintptr_t>(buckets.at) / sizeof(CoinBucket);
  }
  template <typename Look>
  static Sighting LookThrough(uint64_t view, uint64_t hash, Look&& look) {
    const auto* buckets =
        reinterpret_cast<const CoinBucket*>((view & ((uint64_t{1} << kLineBits) - 1)) * sizeof(CoinBucket));
    const uint64_t home = HomeOf(hash, view >> kLineBits);
    const uint32_t hash_bits = HashBits(hash);
    for (uint32_t displacement = 0; displacement <= CoinSlot::kDisplacementMax; ++displacement) {
      const CoinBucket& bucket = buckets[home + displacement];
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

  // Puts a coin into the nearest bucket from `home` that has a hole. Where that is further than seven buckets, coins between
  // the two move on, and the hole comes nearer by it. False when that is of no avail.
  static bool Place(const Buckets& buckets, uint64_t home, uint32_t hash_bits, RecordLocation location);
  // `empty`: the bucket's MatchEmpty, which is not 0.
  static void Put(const Buckets& buckets, uint64_t home, uint64_t index, uint32_t empty, uint32_t hash_bits,
                  RecordLocation location);
  // Fills the hole from one of the seven full buckets before it, which gets the hole.
  static bool MoveOneInto(const Buckets& buckets, uint64_t& hole);
  static bool TakeAll(const Buckets& from, const Buckets& into);
  void Grow();
  // Makes these the table's. What was there stays where late readers may look, without its memory if that is much.
  void Publish(Buckets buckets);

  Buckets buckets_;
  std::atomic<uint64_t> view_;
  uint64_t size_ = 0;
  uint32_t ladder_ = 0;
  // Together three times as large as what is used, in addresses.
  std::vector<AnonymousMemory> outgrown_;
};

}  // namespace headrace
