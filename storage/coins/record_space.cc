#include "storage/coins/record_space.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/base/endian.h"

namespace headrace {

RecordSpace::RecordSpace() {
  for (auto& entry : table_) entry.store(nullptr, std::memory_order_relaxed);
}

RecordSpace::ReadResult RecordSpace::Read(RecordLocation location, CoinRecord& record) const {
  const Segment* at = segment(SegmentOf(location));
  const uint64_t offset = OffsetOf(location);
  if (at == nullptr || offset >= at->records_end) return ReadResult::kDamaged;
  const uint64_t room = std::min<uint64_t>(at->records_end - offset, kRecordBytesMax);
  if (!DecodeRecord({at->base + offset, room}, record)) return ReadResult::kDamaged;
  if (at->kind == SegmentKind::kSealed && !at->checksums.PageRangeIsGood(at->base, offset, offset + record.size)) {
    return ReadResult::kDamaged;
  }
  return ReadResult::kRead;
}

RecordSpace::Answer RecordSpace::IsRecordOf(RecordLocation location, const uint8_t* txid, uint32_t index) const {
  const Segment* at = segment(SegmentOf(location));
  const uint64_t offset = OffsetOf(location);
  if (at == nullptr || offset + OutPoint::kSerializedBytes > at->records_end) return Answer::kDamaged;
  const uint8_t* bytes = at->base + offset;
  if (at->kind == SegmentKind::kSealed &&
      !at->checksums.PageRangeIsGood(at->base, offset, offset + OutPoint::kSerializedBytes)) {
    return Answer::kDamaged;
  }
  return std::memcmp(bytes, txid, 32) == 0 && LoadLittle32(bytes + 32) == index ? Answer::kYes : Answer::kNo;
}

void RecordSpace::Prefetch(RecordLocation location) const {
  const Segment* at = segment(SegmentOf(location));
  if (at == nullptr) return;
  const uint8_t* bytes = at->base + OffsetOf(location);
  __builtin_prefetch(bytes);
  // Three records out of four go over a line's end.
  __builtin_prefetch(bytes + 63);
}

absl::Status RecordSpace::DamageAt(RecordLocation location) const {
  const Segment* at = segment(SegmentOf(location));
  if (at == nullptr) {
    return absl::DataLossError(
        absl::StrCat("The coin index names segment ", SegmentOf(location), ", which does not exist; ", kReindexRemedy, "."));
  }
  return absl::DataLossError(absl::StrCat(at->path.empty() ? std::string("The young coins in memory") : at->path,
                                          " is damaged at byte ", OffsetOf(location), "; ", kReindexRemedy, "."));
}

RecordSpace::YoungChunk RecordSpace::TakeYoungChunk() {
  std::lock_guard lock(young_mutex_);
  if (free_chunks_.empty()) {
    auto young = std::make_unique<Segment>();
    young->id = TakeFreeId();
    young->memory = std::make_shared<AnonymousMemory>(kSegmentBytes);
    young->base = young->memory->data();
    for (uint32_t chunk = kYoungChunksPerSegment; chunk > 0; --chunk) {
      free_chunks_.push_back(young->id * kYoungChunksPerSegment + chunk - 1);
    }
    Put(std::move(young));
  }
  const uint32_t number = free_chunks_.back();
  free_chunks_.pop_back();
  const uint32_t id = number / kYoungChunksPerSegment;
  const uint64_t offset = uint64_t{number % kYoungChunksPerSegment} * kYoungChunkBytes;
  return {number, segment(id)->memory->data() + offset, LocationOf(id, offset)};
}

void RecordSpace::ReturnYoungChunk(uint32_t number, uint64_t kept_bytes_max) {
  std::lock_guard lock(young_mutex_);
  if (free_chunks_.size() * kYoungChunkBytes >= kept_bytes_max) {
    segment(number / kYoungChunksPerSegment)
        ->memory->Discard(uint64_t{number % kYoungChunksPerSegment} * kYoungChunkBytes, kYoungChunkBytes);
  }
  free_chunks_.push_back(number);
}

uint32_t RecordSpace::TakeFreeId() {
  // Id 0 stays unused, so that no location of a record is 0.
  for (uint32_t tried = 0; tried < kSegmentCount; ++tried) {
    next_id_ = next_id_ % (kSegmentCount - 1) + 1;
    if (segment(next_id_) == nullptr) return next_id_;
  }
  HR_CHECK(!"the location space is exhausted");
  return 0;
}

std::unique_ptr<Segment> RecordSpace::Put(std::unique_ptr<Segment> segment) {
  const uint32_t id = segment->id;
  std::swap(owned_[id], segment);
  table_[id].store(owned_[id].get(), std::memory_order_release);
  return segment;
}

std::unique_ptr<Segment> RecordSpace::Remove(uint32_t id) {
  table_[id].store(nullptr, std::memory_order_release);
  return std::move(owned_[id]);
}

std::vector<Segment*> RecordSpace::OldSegments() const {
  std::vector<Segment*> segments;
  for (const auto& at : owned_) {
    if (at != nullptr && at->kind != SegmentKind::kYoung) segments.push_back(at.get());
  }
  return segments;
}

}  // namespace headrace
