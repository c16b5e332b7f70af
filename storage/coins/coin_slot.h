// One slot of the coin index: where a coin's record is, and enough of its hash to know it again; and the bucket of seven
// slots that fills one cache line.
//
// A slot is one machine word. A bucket is seven slots and a control word: how many coins that belong here went further
// (overflow), and a version that changes whenever the bucket does. The layout is part of the file format (FORMAT.md).
#pragma once

#include <cstdint>
#include <type_traits>

namespace headrace {

// A record's place in the location space, in units of 8 bytes; 0 is nowhere.
using RecordLocation = uint64_t;

class CoinSlot {
 public:
  static constexpr int kLocationBits = 36;     // units of 8 bytes: 512 GiB of records
  static constexpr int kDisplacementBits = 3;  // buckets between home and here
  static constexpr int kHashBits = 25;         // compared on probe; growth takes its next bit from here
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
  constexpr void set_location(RecordLocation location) { word_ = (word_ & ~kLocationMask) | location; }

 private:
  uint64_t word_ = 0;
};
static_assert(sizeof(CoinSlot) == 8 && std::is_trivially_copyable_v<CoinSlot>);
static_assert(CoinSlot::kLocationBits + CoinSlot::kDisplacementBits + CoinSlot::kHashBits == 64);

struct alignas(64) CoinBucket {
  static constexpr uint32_t kSlots = 7;

  CoinSlot slots[kSlots];
  uint32_t overflow;
  uint32_t version;
};
static_assert(sizeof(CoinBucket) == 64 && std::is_trivially_copyable_v<CoinBucket>);

}  // namespace headrace
