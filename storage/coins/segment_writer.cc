#include "storage/coins/segment_writer.h"

#include <algorithm>
#include <cstring>

#include "engine/base/check.h"
#include "engine/base/status_macros.h"
#include "storage/coins/segment_file.h"

namespace headrace {
namespace {

// Pages are handed over in pieces of this size: large enough for the disk, small enough to spread its work.
constexpr uint64_t kSubmitBytes = 1 << 20;
constexpr size_t kSealingMax = 2;

}  // namespace

SegmentWriter::SegmentWriter(RecordSpace* space, FileSystem* files, std::string directory, uint32_t network_magic)
    : space_(space), files_(files), directory_(std::move(directory)), network_magic_(network_magic) {}

SegmentWriter::~SegmentWriter() {
  sealing_.push_back(std::move(open_file_));
  for (const Sealing& sealing : sealing_) {
    for (const FileBatchRef& batch : sealing.batches) batch->Wait();
  }
}

absl::Status SegmentWriter::OpenNext() {
  const std::string path = SegmentPath(directory_, next_serial_);
  HR_ASSIGN_OR_RETURN(open_file_.file, files_->Open(path, OpenMode::kTruncate));
  Segment& segment = space_->Claim(space_->TakeFreeId());
  segment.serial = next_serial_++;
  segment.path = path;
  open_ = &segment;
  open_file_.id = segment.id;
  StoreSegmentHeader(network_magic_, segment.serial, Memory());
  segment.checksums.Clear();
  open_bytes_max_ = segment_bytes_max_;
  used_ = kSegmentHeaderBytes;
  submitted_ = 0;
  space_->Publish(segment, SegmentKind::kOpen);
  return absl::OkStatus();
}

absl::Status SegmentWriter::Append(ByteSpan record, RecordLocation& location) {
  if (open_ != nullptr && used_ + record.size() > open_bytes_max_) HR_RETURN_IF_ERROR(Seal());
  if (open_ == nullptr) HR_RETURN_IF_ERROR(OpenNext());
  std::memcpy(Memory() + used_, record.data(), record.size());
  location = LocationOf(open_->id, used_);
  used_ += record.size();
  ++open_->record_count;
  open_->live_count.fetch_add(1, std::memory_order_relaxed);
  if (used_ - submitted_ >= kSubmitBytes) {
    SubmitThrough(used_ / kPageBytes * kPageBytes);
    CountFilling();
  }
  return absl::OkStatus();
}

void SegmentWriter::SubmitThrough(uint64_t end) {
  if (end == submitted_) return;
  // Summed piece by piece, while they are in the cache: a whole segment takes ten milliseconds.
  open_->checksums.SumMorePages({Memory() + submitted_, end - submitted_});
  auto batch = std::make_shared<FileBatch>();
  FileOperation write{FileOperation::Kind::kWrite, open_file_.file, submitted_};
  write.write_from = {Memory() + submitted_, end - submitted_};
  batch->operations.push_back(std::move(write));
  bytes_written_ += end - submitted_;
  submitted_ = end;
  open_file_.batches.push_back(batch);
  files_->Submit(std::move(batch));
}

absl::Status SegmentWriter::Seal() {
  if (open_ == nullptr) return absl::OkStatus();
  const uint64_t body_bytes = RoundUpToPage(used_);
  SubmitThrough(body_bytes);
  space_->DiscardBeyond(*open_, body_bytes);
  open_file_.records_end = used_;

  auto batch = std::make_shared<FileBatch>();
  FileOperation write{FileOperation::Kind::kWrite, open_file_.file, body_bytes};
  const ByteSpan sums = open_->checksums.bytes();
  write.write_from = sums;
  batch->operations.push_back(std::move(write));
  bytes_written_ += sums.size();
  open_->file_bytes = body_bytes + sums.size();
  open_file_.batches.push_back(batch);
  files_->Submit(std::move(batch));

  sealing_.push_back(std::move(open_file_));
  open_file_ = Sealing();
  open_ = nullptr;
  CountFilling();
  return absl::OkStatus();
}

void SegmentWriter::CountFilling() {
  // Huge pages: what was touched of the last one is all of it.
  uint64_t bytes = open_ == nullptr ? 0
                                    : (used_ + ReservedMemory::kAlignment - 1) / ReservedMemory::kAlignment *
                                          ReservedMemory::kAlignment;
  for (const Sealing& sealing : sealing_) bytes += RoundUpToPage(sealing.records_end);
  space_->SetFillingBytes(bytes);
}

absl::Status SegmentWriter::NoteWritten(Sealing& sealing) {
  for (const FileBatchRef& batch : sealing.batches) {
    batch->Wait();
    HR_RETURN_IF_ERROR(batch->status());
  }
  Segment& segment = *space_->segment(sealing.id);
  segment.file = sealing.file;
  segment.records_end = sealing.records_end;
  space_->Publish(segment, SegmentKind::kWritten);
  return absl::OkStatus();
}

absl::Status SegmentWriter::Map(Segment& segment) {
  // Not the checksums behind the body: a full segment's would lie where the next segment does.
  const uint64_t body_bytes = RoundUpToPage(segment.records_end);
  HR_CHECK(body_bytes <= kSegmentBytes);
  HR_RETURN_IF_ERROR(files_->MapReadOnlyAt(segment.file, body_bytes, space_->WritableBase(segment.id)));
  files_->ExpectRandomReads({segment.base, body_bytes});
  space_->Publish(segment, SegmentKind::kSealed);
  return absl::OkStatus();
}

absl::StatusOr<bool> SegmentWriter::Settle(bool wait, uint64_t kept_bytes_max) {
  HR_ASSIGN_OR_RETURN(const bool is_settled, NoteAllWritten(wait, kept_bytes_max));
  while (space_->kept_bytes() > kept_bytes_max) {
    Segment* const oldest = space_->OldestWritten();
    if (oldest == nullptr) break;
    HR_RETURN_IF_ERROR(Map(*oldest));
  }
  return is_settled;
}

absl::StatusOr<bool> SegmentWriter::NoteAllWritten(bool wait, uint64_t kept_bytes_max) {
  while (!sealing_.empty()) {
    const auto& batches = sealing_.front().batches;
    const bool is_written = std::all_of(batches.begin(), batches.end(), [](const auto& batch) { return batch->done(); });
    // What is being filled is in no part of `kept_bytes_max`; when it is written it is kept instead.
    const bool has_room = sealing_.size() <= kSealingMax || space_->kept_bytes() < kept_bytes_max;
    if (!is_written && !wait && has_room) return false;
    HR_RETURN_IF_ERROR(NoteWritten(sealing_.front()));
    sealing_.erase(sealing_.begin());
    CountFilling();
  }
  return true;
}

}  // namespace headrace
