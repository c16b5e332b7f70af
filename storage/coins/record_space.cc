#include "storage/coins/record_space.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/base/endian.h"
#include "storage/coins/segment_file.h"

namespace headrace {

RecordSpace::RecordSpace() {
  for (auto& entry : table_) entry.store(nullptr, std::memory_order_relaxed);
}

absl::Status RecordSpace::Reserve(const std::string& directory) {
  directory_ = directory;
  return memory_.Reserve(uint64_t{kSegmentCount} * kSegmentBytes);
}

RecordSpace::ReadResult RecordSpace::Read(RecordLocation location, CoinRecord& record) const {
  const Segment* at = segment(SegmentOf(location));
  const uint64_t offset = OffsetOf(location);
  if (at == nullptr) return ReadResult::kDamaged;
  const uint64_t records_end = at->records_end.load(std::memory_order_relaxed);
  if (offset >= records_end) return ReadResult::kDamaged;
  const uint64_t room = std::min<uint64_t>(records_end - offset, kRecordBytesMax);
  if (!DecodeRecord({AddressOf(location), room}, record)) return ReadResult::kDamaged;
  if (at->kind.load(std::memory_order_relaxed) == SegmentKind::kSealed &&
      !at->checksums.PageRangeIsGood(at->base, offset, offset + record.size)) {
    return ReadResult::kDamaged;
  }
  return ReadResult::kRead;
}

RecordSpace::Answer RecordSpace::IsRecordOf(RecordLocation location, const uint8_t* txid, uint32_t index) const {
  const Segment* at = segment(SegmentOf(location));
  const uint64_t offset = OffsetOf(location);
  const uint64_t end = offset + OutPoint::kSerializedBytes;
  if (at == nullptr || end > at->records_end.load(std::memory_order_relaxed)) return Answer::kDamaged;
  if (at->kind.load(std::memory_order_relaxed) == SegmentKind::kSealed &&
      !at->checksums.PageRangeIsGood(at->base, offset, end)) {
    return Answer::kDamaged;
  }
  const uint8_t* bytes = AddressOf(location);
  return std::memcmp(bytes, txid, 32) == 0 && LoadLittle32(bytes + 32) == index ? Answer::kYes : Answer::kNo;
}

// The words may be written meanwhile: then the index has changed too, and the caller throws the copy away. Neither compiler
// nor thread sanitizer may think about it, so the words are volatile and nothing is instrumented.
__attribute__((no_sanitize("thread"))) size_t RecordSpace::CopyAnything(RecordLocation location,
                                                                        std::span<uint64_t> out) const {
  const size_t count = std::min<uint64_t>(out.size(), (kSegmentBytes - OffsetOf(location)) / sizeof(uint64_t));
  const auto* from = reinterpret_cast<const volatile uint64_t*>(AddressOf(location));
  for (size_t word = 0; word < count; ++word) out[word] = from[word];
  return count * sizeof(uint64_t);
}

bool RecordSpace::Check(RecordLocation location, uint64_t size) const {
  const Segment* at = segment(SegmentOf(location));
  if (at == nullptr) return false;
  const uint64_t offset = OffsetOf(location);
  if (at->kind.load(std::memory_order_acquire) != SegmentKind::kSealed) return true;
  return offset + size <= at->records_end.load(std::memory_order_relaxed) &&
         at->checksums.PageRangeMatches(AddressOf(LocationOf(SegmentOf(location), 0)), offset, offset + size);
}

absl::Status RecordSpace::DamageAt(RecordLocation location) const {
  const Segment* at = segment(SegmentOf(location));
  if (at == nullptr) {
    return absl::DataLossError(
        absl::StrCat("The coin index names segment ", SegmentOf(location), ", which does not exist; ", kReindexRemedy, "."));
  }
  const uint64_t serial = at->serial.load(std::memory_order_relaxed);
  return absl::DataLossError(
      absl::StrCat(serial == 0 ? std::string("The young coins in memory") : SegmentPath(directory_, serial),
                   " is damaged at byte ", OffsetOf(location), "; ", kReindexRemedy, "."));
}

RecordSpace::YoungChunk RecordSpace::TakeYoungChunk() {
  std::lock_guard lock(young_mutex_);
  if (free_chunks_.empty() && bare_chunks_.empty()) {
    prefers_huge_pages_ = has_young_;
    has_young_ = true;
    Segment& young = Claim(TakeFreeId());
    for (uint32_t chunk = kYoungChunksPerSegment; chunk > 0; --chunk) {
      bare_chunks_.push_back(young.id * kYoungChunksPerSegment + chunk - 1);
    }
    Publish(young, SegmentKind::kYoung);
  }
  std::vector<uint32_t>& chunks = free_chunks_.empty() ? bare_chunks_ : free_chunks_;
  const uint32_t number = chunks.back();
  chunks.pop_back();
  ++taken_chunks_;
  const uint32_t id = number / kYoungChunksPerSegment;
  const uint64_t offset = uint64_t{number % kYoungChunksPerSegment} * kYoungChunkBytes;
  return {number, WritableBase(id) + offset, LocationOf(id, offset)};
}

void RecordSpace::ReturnYoungChunk(uint32_t number, bool keeps_pages) {
  std::lock_guard lock(young_mutex_);
  --taken_chunks_;
  if (!keeps_pages) memory_.Discard(uint64_t{number} * kYoungChunkBytes, kYoungChunkBytes);
  (keeps_pages ? free_chunks_ : bare_chunks_).push_back(number);
}

uint32_t RecordSpace::TakeFreeId() {
  for (uint32_t tried = 0; tried < ids_used_; ++tried) {
    last_id_ = last_id_ % ids_used_ + 1;
    if (segment(last_id_) == nullptr) return last_id_;
  }
  // Id 0 stays unused, so that no location of a record is 0.
  HR_CHECK(ids_used_ + 1 < kSegmentCount);
  last_id_ = ++ids_used_;
  return last_id_;
}

Segment& RecordSpace::Claim(uint32_t id) {
  ids_used_ = std::max(ids_used_, id);
  if (owned_[id] == nullptr) {
    owned_[id] = std::make_unique<Segment>();
    owned_[id]->id = id;
    owned_[id]->base = WritableBase(id);
    owned_[id]->checksums = PageChecksums(kSegmentBytes / kPageBytes);
    memory_.Clear(id * kSegmentBytes, kSegmentBytes);
  }
  if (prefers_huge_pages_) memory_.PreferHugePages(id * kSegmentBytes, kSegmentBytes);
  Segment& segment = *owned_[id];
  segment.records_end = kSegmentBytes;
  segment.serial = 0;
  segment.path.clear();
  segment.record_count = 0;
  segment.live_count = 0;
  segment.file_bytes = 0;
  segment.is_durable = false;
  segment.is_retiring = false;
  return segment;
}

void RecordSpace::Publish(Segment& segment, SegmentKind kind) {
  ForgetWritten(segment);
  if (kind == SegmentKind::kWritten) {
    written_.push_back(segment.id);
    written_bytes_ += RoundUpToPage(segment.records_end);
  }
  segment.kind.store(kind, std::memory_order_release);
  table_[segment.id].store(&segment, std::memory_order_release);
}

void RecordSpace::ForgetWritten(const Segment& segment) {
  if (segment.kind != SegmentKind::kWritten) return;
  std::erase(written_, segment.id);
  written_bytes_ -= RoundUpToPage(segment.records_end);
}

void RecordSpace::Release(uint32_t id) {
  ForgetWritten(*owned_[id]);
  owned_[id]->kind.store(SegmentKind::kFree, std::memory_order_release);
  table_[id].store(nullptr, std::memory_order_release);
  owned_[id]->file = nullptr;
  // In place of the file: whoever claims the id next finds zeros as well.
  memory_.Clear(id * kSegmentBytes, kSegmentBytes);
}

std::vector<Segment*> RecordSpace::OldSegments() const {
  std::vector<Segment*> segments;
  for (const auto& at : owned_) {
    if (at != nullptr && (at->kind == SegmentKind::kOpen || HasWholeFile(at->kind))) segments.push_back(at.get());
  }
  return segments;
}

}  // namespace headrace
