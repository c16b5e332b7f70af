// Which records of a sealed segment are coins of a manifest: a bit for every place at which a record can begin, an
// eighth of a byte for eight bytes of records. For whole-set work, which reads segments front to back and must not ask
// the index about every record it meets.
//
// Threads: any number may mark, and any number read when the marking is over.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "storage/coins/coin_record.h"
#include "storage/coins/segment.h"

namespace headrace {

class LivingRecords {
 public:
  explicit LivingRecords(std::unique_ptr<Segment> segment)
      : segment_(std::move(segment)), words_((segment_->records_end / kRecordAlignment + 63) / 64) {}

  const Segment& segment() const { return *segment_; }

  // False when a coin was there already, or the place is outside of the segment's records.
  [[nodiscard]] bool Mark(uint64_t offset);

  // Calls visit(offset) for every marked place in the order of the file, until it answers with a failure.
  template <typename Visit>
  absl::Status ForEachPlace(Visit&& visit) const {
    for (size_t index = 0; index < words_.size(); ++index) {
      for (uint64_t word = words_[index]; word != 0; word &= word - 1) {
        const absl::Status status =
            visit((index * 64 + static_cast<uint64_t>(std::countr_zero(word))) * kRecordAlignment);
        if (!status.ok()) return status;
      }
    }
    return absl::OkStatus();
  }
  // The record at a marked place. A sentence that names the file when its pages do not match their checksums, or make
  // none.
  absl::Status Read(uint64_t offset, CoinRecord& record) const;
  // Its first bytes, from a txid on, for whoever has read it once.
  const uint8_t* at(uint64_t offset) const { return segment_->base + offset; }

 private:
  static uint64_t BitOf(uint64_t offset) { return uint64_t{1} << (offset / kRecordAlignment % 64); }

  std::unique_ptr<Segment> segment_;
  std::vector<uint64_t> words_;
};

}  // namespace headrace
