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

SegmentWriter::SegmentWriter(RecordSpace* space, FileSystem* files, std::string directory, uint32_t network_magic,
                             std::function<void()> wait_for_readers)
    : space_(space),
      files_(files),
      directory_(std::move(directory)),
      network_magic_(network_magic),
      wait_for_readers_(std::move(wait_for_readers)) {}

SegmentWriter::~SegmentWriter() {
  sealing_.push_back(std::move(open_file_));
  for (const Sealing& sealing : sealing_) {
    for (const FileBatchRef& batch : sealing.batches) batch->Wait();
  }
}

absl::Status SegmentWriter::OpenNext() {
  auto segment = std::make_unique<Segment>();
  segment->kind = SegmentKind::kOpen;
  segment->serial = next_serial_;
  segment->path = directory_ + "/" + SegmentFileName(segment->serial);
  HR_ASSIGN_OR_RETURN(open_file_.file, files_->Open(segment->path, OpenMode::kTruncate));
  ++next_serial_;
  segment->id = space_->TakeFreeId();
  segment->memory = std::make_shared<AnonymousMemory>(kSegmentBytes);
  segment->base = segment->memory->data();
  StoreSegmentHeader(network_magic_, segment->serial, segment->memory->data());
  open_ = segment.get();
  open_file_.id = segment->id;
  used_ = kSegmentHeaderBytes;
  submitted_ = 0;
  HR_CHECK(space_->Put(std::move(segment)) == nullptr);
  return absl::OkStatus();
}

absl::Status SegmentWriter::Append(ByteSpan record, RecordLocation& location) {
  if (open_ != nullptr && used_ + record.size() > kSegmentBytes) HR_RETURN_IF_ERROR(Seal());
  if (open_ == nullptr) HR_RETURN_IF_ERROR(OpenNext());
  std::memcpy(open_->memory->data() + used_, record.data(), record.size());
  location = LocationOf(open_->id, used_);
  used_ += record.size();
  ++open_->record_count;
  open_->live_count.fetch_add(1, std::memory_order_relaxed);
  if (used_ - submitted_ >= kSubmitBytes) SubmitThrough(used_ / kPageBytes * kPageBytes);
  return absl::OkStatus();
}

void SegmentWriter::SubmitThrough(uint64_t end) {
  if (end == submitted_) return;
  auto batch = std::make_shared<FileBatch>();
  FileOperation write{FileOperation::Kind::kWrite, open_file_.file, submitted_};
  write.write_from = {open_->memory->data() + submitted_, end - submitted_};
  write.owner = open_->memory;
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
  open_file_.records_end = used_;
  open_->checksums = PageChecksums::Of({open_->memory->data(), body_bytes});

  auto batch = std::make_shared<FileBatch>();
  FileOperation write{FileOperation::Kind::kWrite, open_file_.file, body_bytes};
  // The sums move with the segment when it is mapped, so the write gets its own copy.
  const ByteSpan sums = open_->checksums.bytes();
  auto copy = std::make_shared<std::vector<uint8_t>>(sums.begin(), sums.end());
  write.write_from = *copy;
  write.owner = copy;
  batch->operations.push_back(std::move(write));
  bytes_written_ += sums.size();
  open_->file_bytes = body_bytes + sums.size();
  open_file_.batches.push_back(batch);
  files_->Submit(std::move(batch));

  sealing_.push_back(std::move(open_file_));
  open_file_ = Sealing();
  open_ = nullptr;
  return absl::OkStatus();
}

absl::Status SegmentWriter::MapSealed(Sealing& sealing) {
  for (const FileBatchRef& batch : sealing.batches) {
    batch->Wait();
    HR_RETURN_IF_ERROR(batch->status());
  }
  Segment* open = space_->segment(sealing.id);
  auto sealed = std::make_unique<Segment>();
  HR_ASSIGN_OR_RETURN(sealed->mapping, files_->MapReadOnly(sealing.file, 0, open->file_bytes));
  files_->ExpectRandomReads(sealed->mapping.bytes);
  sealed->file = sealing.file;
  sealed->kind = SegmentKind::kSealed;
  sealed->id = open->id;
  sealed->base = sealed->mapping.bytes.data();
  sealed->records_end = sealing.records_end;
  sealed->serial = open->serial;
  sealed->path = open->path;
  sealed->record_count = open->record_count;
  sealed->live_count.store(open->live_count.load(std::memory_order_relaxed), std::memory_order_relaxed);
  sealed->file_bytes = open->file_bytes;
  sealed->is_retiring = open->is_retiring;
  sealed->checksums = PageChecksums::Load(open->checksums.bytes());
  const std::unique_ptr<Segment> replaced = space_->Put(std::move(sealed));
  wait_for_readers_();
  return absl::OkStatus();
}

absl::StatusOr<bool> SegmentWriter::Settle(bool wait) {
  while (!sealing_.empty()) {
    const auto& batches = sealing_.front().batches;
    const bool is_written = std::all_of(batches.begin(), batches.end(), [](const auto& batch) { return batch->done(); });
    if (!is_written && !wait && sealing_.size() <= kSealingMax) return false;
    HR_RETURN_IF_ERROR(MapSealed(sealing_.front()));
    sealing_.erase(sealing_.begin());
  }
  return true;
}

}  // namespace headrace
