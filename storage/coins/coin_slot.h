// One slot of the coin index: where a coin's record is, and enough of its hash to know it again; and the bucket of seven
// slots that fills one cache line.
//
// A slot is one machine word. A bucket is seven slots and a control word: how many coins that belong here went further
// (overflow), and a version that changes whenever the bucket does. The layout is part of the file format (FORMAT.md).
#pragma once

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <atomic>
#include <cstdint>
#include <type_traits>

namespace headrace {

// A record's place in the location space, in units of 8 bytes; 0 is nowhere.
using RecordLocation = uint64_t;

class CoinSlot {
 public:
  static constexpr int kLocationBits = 36;     // units of 8 bytes: 512 GiB of records
  static constexpr int kDisplacementBits = 3;  // buckets between home and here
  static constexpr int kHashBits = 25;         // compared on probe; with the home bucket, all that growth needs
  static constexpr uint64_t kLocationMask = (uint64_t{1} << kLocationBits) - 1;
  static constexpr uint32_t kDisplacementMax = (1u << kDisplacementBits) - 1;
  static constexpr uint32_t kHashMask = (1u << kHashBits) - 1;

  constexpr CoinSlot() = default;
  constexpr CoinSlot(RecordLocation location, uint32_t displacement, uint32_t hash_bits)
      : word_(Tag(displacement, hash_bits) | location) {}

  // What two slots of equal displacement and hash bits have in common.
  static constexpr uint64_t Tag(uint32_t displacement, uint32_t hash_bits) {
    return static_cast<uint64_t>(hash_bits) << (kLocationBits + kDisplacementBits) |
           static_cast<uint64_t>(displacement) << kLocationBits;
  }

  constexpr bool IsEmpty() const { return word_ == 0; }
  constexpr bool HasTag(uint64_t tag) const { return ((word_ ^ tag) >> kLocationBits) == 0 && word_ != 0; }
  constexpr RecordLocation location() const { return word_ & kLocationMask; }
  constexpr uint32_t displacement() const { return static_cast<uint32_t>(word_ >> kLocationBits) & kDisplacementMax; }
  constexpr uint32_t hash_bits() const { return static_cast<uint32_t>(word_ >> (kLocationBits + kDisplacementBits)); }
  constexpr CoinSlot WithLocation(RecordLocation location) const { return CoinSlot((word_ & ~kLocationMask) | location); }

  // Where readers look while it is written: whoever loads a slot sees the record that it leads to.
  CoinSlot Load() const { return CoinSlot(Word().load(std::memory_order_acquire)); }
  void Store(CoinSlot slot) { Word().store(slot.word_, std::memory_order_release); }

 private:
  explicit constexpr CoinSlot(uint64_t word) : word_(word) {}
  std::atomic_ref<uint64_t> Word() const { return std::atomic_ref<uint64_t>(word_); }

  mutable uint64_t word_ = 0;
};
static_assert(sizeof(CoinSlot) == 8 && std::is_trivially_copyable_v<CoinSlot>);
static_assert(CoinSlot::kLocationBits + CoinSlot::kDisplacementBits + CoinSlot::kHashBits == 64);

struct alignas(64) CoinBucket {
  static constexpr uint32_t kSlots = 7;

  CoinSlot slots[kSlots];
  mutable uint32_t overflow;
  mutable uint32_t version;

  // Which slots have the tag, which are empty: bit i for slot i. Four loads and a dozen instructions with SSE2, which every x86-64
  // has; wider registers save too few of them to pay for the choice between them (bench/storage/coins/README.md).
#if defined(__SSE2__)
  uint32_t MatchTag(uint64_t tag) const {
    // A tag lies in the upper half of its word, above four bits of the location.
    constexpr uint32_t kTagMask = static_cast<uint32_t>(~CoinSlot::kLocationMask >> 32);
    const __m128i wanted = _mm_set1_epi32(static_cast<int>(tag >> 32));
    const __m128i mask = _mm_set1_epi32(static_cast<int>(kTagMask));
    const auto matches = [&](int first) {
      const __m128i upper = _mm_castps_si128(_mm_shuffle_ps(_mm_castsi128_ps(Pair(first)), _mm_castsi128_ps(Pair(first + 1)),
                                                            _MM_SHUFFLE(3, 1, 3, 1)));
      return static_cast<uint32_t>(_mm_movemask_ps(_mm_castsi128_ps(_mm_cmpeq_epi32(_mm_and_si128(upper, mask), wanted))));
    };
    const uint32_t match = (matches(0) | matches(2) << 4) & kAllSlots;
    // An empty slot looks like one of tag zero.
    return tag != 0 ? match : match & ~MatchEmpty();
  }
  uint32_t MatchEmpty() const {
    const auto matches = [&](int pair) {
      const __m128i halves = _mm_cmpeq_epi32(Pair(pair), _mm_setzero_si128());
      const __m128i both = _mm_and_si128(halves, _mm_shuffle_epi32(halves, _MM_SHUFFLE(2, 3, 0, 1)));
      return static_cast<uint32_t>(_mm_movemask_pd(_mm_castsi128_pd(both)));
    };
    return (matches(0) | matches(1) << 2 | matches(2) << 4 | matches(3) << 6) & kAllSlots;
  }
#else
  uint32_t MatchTag(uint64_t tag) const { return MatchTagPlainly(tag); }
  uint32_t MatchEmpty() const { return MatchEmptyPlainly(); }
#endif
  uint32_t MatchTaken() const { return kAllSlots & ~MatchEmpty(); }
  // The same, slot by slot.
  uint32_t MatchTagPlainly(uint64_t tag) const {
    uint32_t match = 0;
    for (uint32_t slot = 0; slot < kSlots; ++slot) match |= static_cast<uint32_t>(slots[slot].HasTag(tag)) << slot;
    return match;
  }
  uint32_t MatchEmptyPlainly() const {
    uint32_t match = 0;
    for (uint32_t slot = 0; slot < kSlots; ++slot) match |= static_cast<uint32_t>(slots[slot].IsEmpty()) << slot;
    return match;
  }

  // For readers beside the writer. A version that has not changed since says that nothing that a slot led to has gone.
  uint32_t LoadVersion() const { return std::atomic_ref(version).load(std::memory_order_acquire); }
  uint32_t LoadOverflow() const { return std::atomic_ref(overflow).load(std::memory_order_relaxed); }
  // The writer's. What a slot led to may be overwritten once the version is counted up.
  void CountVersion() {
    std::atomic_ref(version).store(version + 1, std::memory_order_release);
    std::atomic_thread_fence(std::memory_order_release);
  }
  void AddOverflow(int32_t more) {
    std::atomic_ref(overflow).store(overflow + static_cast<uint32_t>(more), std::memory_order_relaxed);
  }

 private:
  static constexpr uint32_t kAllSlots = (1u << kSlots) - 1;
#if defined(__SSE2__)
  __m128i Pair(int pair) const { return _mm_load_si128(reinterpret_cast<const __m128i*>(slots) + pair); }
#endif
};
static_assert(sizeof(CoinBucket) == 64 && std::is_trivially_copyable_v<CoinBucket>);

}  // namespace headrace
