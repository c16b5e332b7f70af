#include "storage/coins/segment_compaction.h"

#include <algorithm>

#include "engine/base/status_macros.h"
#include "storage/coins/segment_file.h"

namespace headrace {
namespace {

constexpr uint64_t kPieceBytes = 1 << 20;
// What a piece holds beyond its end: the rest of a record that begins in it.
constexpr uint64_t kOverlapBytes = 16 << 10;
static_assert(kOverlapBytes >= kRecordBytesMax && kOverlapBytes % kPageBytes == 0 && kPieceBytes % kPageBytes == 0);
constexpr size_t kPiecesMax = 6;

}  // namespace

void SegmentCompaction::Begin(std::deque<uint32_t> retiring) { retiring_ = std::move(retiring); }

void SegmentCompaction::OpenNext() {
  file_ = state_->space.segment(retiring_.front())->file;
  read_from_ = 0;
  next_record_ = kSegmentHeaderBytes;
}

void SegmentCompaction::StartReading() {
  const uint64_t body_bytes = RoundUpToPage(state_->space.segment(retiring_.front())->records_end);
  while (pieces_.size() < kPiecesMax && read_from_ < body_bytes) {
    Piece& piece = pieces_.emplace_back();
    piece.offset = read_from_;
    piece.bytes.resize(std::min(kPieceBytes + kOverlapBytes, body_bytes - read_from_));
    piece.batch = std::make_shared<FileBatch>();
    piece.batch->operations.push_back({FileOperation::Kind::kRead, file_, piece.offset, piece.bytes});
    state_->files->Submit(piece.batch);
    read_from_ += kPieceBytes;
  }
}

absl::Status SegmentCompaction::Walk(const Piece& piece) {
  const Segment& segment = *state_->space.segment(retiring_.front());
  for (uint64_t at = 0; at < piece.bytes.size(); at += kPageBytes) {
    const uint64_t offset = piece.offset + at;
    if (!segment.checksums.Matches(offset / kPageBytes, piece.bytes.data() + at)) {
      return state_->space.DamageAt(LocationOf(segment.id, offset));
    }
  }
  const uint64_t records_end = std::min<uint64_t>(segment.records_end, piece.offset + piece.bytes.size());
  const uint64_t begin_end = std::min<uint64_t>(segment.records_end, piece.offset + kPieceBytes);
  // The record before may have reached over the whole of a short last piece.
  if (next_record_ >= begin_end) return absl::OkStatus();
  const RecordRun run{ByteSpan(piece.bytes).subspan(next_record_ - piece.offset, records_end - next_record_),
                      LocationOf(segment.id, next_record_), begin_end - next_record_};
  HR_ASSIGN_OR_RETURN(const uint64_t walked, copier_.Copy(run));
  next_record_ += walked;
  return absl::OkStatus();
}

absl::StatusOr<bool> SegmentCompaction::Step(uint64_t bytes_max, bool wait) {
  uint64_t walked = 0;
  while (!retiring_.empty() && (wait || walked < bytes_max)) {
    if (file_ == nullptr) OpenNext();
    StartReading();
    if (pieces_.empty()) {
      file_ = nullptr;
      retiring_.pop_front();
      continue;
    }
    Piece& piece = pieces_.front();
    if (!wait && !piece.batch->done()) return false;
    piece.batch->Wait();
    HR_RETURN_IF_ERROR(piece.batch->status());
    HR_RETURN_IF_ERROR(Walk(piece));
    HR_RETURN_IF_ERROR(writer_->Settle(false, state_->kept_bytes_max()).status());
    walked += kPieceBytes;
    pieces_.pop_front();
  }
  return retiring_.empty();
}

void SegmentCompaction::Abandon() {
  for (const Piece& piece : pieces_) piece.batch->Wait();
  pieces_.clear();
  retiring_.clear();
  file_ = nullptr;
}

}  // namespace headrace
