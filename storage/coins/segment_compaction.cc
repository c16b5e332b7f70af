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
// What a worker takes at a time.
constexpr uint64_t kRunBytes = 128 << 10;

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

absl::Status SegmentCompaction::CheckPages(const Piece& piece) const {
  const Segment& segment = *state_->space.segment(retiring_.front());
  for (uint64_t at = 0; at < piece.bytes.size(); at += kPageBytes) {
    const uint64_t offset = piece.offset + at;
    if (!segment.checksums.Matches(offset / kPageBytes, piece.bytes.data() + at)) {
      return state_->space.DamageAt(LocationOf(segment.id, offset));
    }
  }
  return absl::OkStatus();
}

absl::Status SegmentCompaction::Walk(ByteSpan bytes, uint64_t offset) {
  const Segment& segment = *state_->space.segment(retiring_.front());
  const uint64_t records_end = std::min<uint64_t>(segment.records_end, offset + bytes.size());
  const uint64_t begin_end = std::min<uint64_t>(segment.records_end, offset + kPieceBytes);
  // Where records begin only the ones before them say; finding out who is alive is the work, and is for all workers.
  runs_.clear();
  while (next_record_ < begin_end) {
    const uint64_t run_begin = next_record_;
    const uint64_t run_end = std::min(begin_end, run_begin + kRunBytes);
    while (next_record_ < run_end) {
      const uint64_t room = std::min<uint64_t>(records_end - next_record_, kRecordBytesMax);
      CoinRecord record;
      if (!DecodeRecord(bytes.subspan(next_record_ - offset, room), record)) {
        return state_->space.DamageAt(LocationOf(segment.id, next_record_));
      }
      next_record_ += record.size;
    }
    runs_.push_back({bytes.subspan(run_begin - offset, records_end - run_begin), LocationOf(segment.id, run_begin),
                     run_end - run_begin});
  }
  return copier_.Copy(runs_);
}

absl::Status SegmentCompaction::WalkInMemory() {
  const Segment& segment = *state_->space.segment(retiring_.front());
  const uint64_t size = std::min<uint64_t>(kPieceBytes + kOverlapBytes, segment.records_end - read_from_);
  const uint64_t offset = read_from_;
  read_from_ += kPieceBytes;
  return Walk({segment.base + offset, size}, offset);
}

absl::StatusOr<bool> SegmentCompaction::Step(uint64_t bytes_max, bool wait) {
  uint64_t walked = 0;
  while (!retiring_.empty() && (wait || walked < bytes_max)) {
    if (file_ == nullptr) OpenNext();
    const Segment& segment = *state_->space.segment(retiring_.front());
    if (read_from_ >= segment.records_end && pieces_.empty()) {
      file_ = nullptr;
      retiring_.pop_front();
      continue;
    }
    // It may leave memory between two pieces, but never comes back.
    if (segment.kind == SegmentKind::kWritten) {
      HR_RETURN_IF_ERROR(WalkInMemory());
    } else {
      StartReading();
      Piece& piece = pieces_.front();
      if (!wait && !piece.batch->done()) return false;
      piece.batch->Wait();
      HR_RETURN_IF_ERROR(piece.batch->status());
      HR_RETURN_IF_ERROR(CheckPages(piece));
      HR_RETURN_IF_ERROR(Walk(piece.bytes, piece.offset));
      pieces_.pop_front();
    }
    HR_RETURN_IF_ERROR(writer_->Settle(false, state_->kept_bytes_max()).status());
    walked += kPieceBytes;
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
