// Buckets of 64 slots, each slot empty or holding the number of an address: the shape of both tables of the address book.
//
// A bit for every slot and a list of the buckets that hold anybody make a random draw cost the same however empty the
// table is. One thread. Five bytes a slot.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "engine/base/check.h"
#include "net/discovery/keyed_draws.h"

namespace headrace {

class BucketTable {
 public:
  static constexpr uint32_t kSlots = 64;
  static constexpr uint32_t kNobody = UINT32_MAX;

  explicit BucketTable(uint32_t bucket_count)
      : cells_(size_t{bucket_count} * kSlots, kNobody), taken_(bucket_count), place_(bucket_count) {}

  uint32_t At(uint32_t bucket, uint32_t slot) const { return cells_[size_t{bucket} * kSlots + slot]; }
  void Put(uint32_t bucket, uint32_t slot, uint32_t number) {
    uint32_t& cell = cells_[size_t{bucket} * kSlots + slot];
    HR_CHECK(cell == kNobody);
    cell = number;
    if (taken_[bucket] == 0) {
      place_[bucket] = static_cast<uint32_t>(inhabited_.size());
      inhabited_.push_back(bucket);
    }
    taken_[bucket] |= uint64_t{1} << slot;
  }
  void Clear(uint32_t bucket, uint32_t slot) {
    cells_[size_t{bucket} * kSlots + slot] = kNobody;
    taken_[bucket] &= ~(uint64_t{1} << slot);
    if (taken_[bucket] != 0) return;
    const uint32_t last = inhabited_.back();
    inhabited_[place_[bucket]] = last;
    place_[last] = place_[bucket];
    inhabited_.pop_back();
  }

  // A bucket at random of those that hold anybody, and in it whoever comes first from a random slot on: an address is as
  // likely as its bucket is, whatever stands in the others. Nobody when the table is empty.
  uint32_t Draw(KeyedDraws& draws) const {
    if (inhabited_.empty()) return kNobody;
    const uint32_t bucket = inhabited_[draws.Below(inhabited_.size())];
    const auto first = static_cast<uint32_t>(draws.Below(kSlots));
    const int ahead = std::countr_zero(std::rotr(taken_[bucket], static_cast<int>(first)));
    return At(bucket, (first + static_cast<uint32_t>(ahead)) % kSlots);
  }

  size_t inhabited_count() const { return inhabited_.size(); }

 private:
  std::vector<uint32_t> cells_;
  std::vector<uint64_t> taken_;  // by bucket: which slots
  std::vector<uint32_t> inhabited_;
  std::vector<uint32_t> place_;  // by bucket: where in `inhabited_`, if there
};

}  // namespace headrace
