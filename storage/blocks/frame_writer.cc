#include "storage/blocks/frame_writer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/base/status_macros.h"

namespace headrace {
namespace {

constexpr size_t kStagingBytes = 1 << 20;

}  // namespace

FrameWriter::FrameWriter(FileSystem& files, Options options) : files_(files), options_(std::move(options)) {}

std::string FrameWriter::PathOf(uint32_t number) const {
  return absl::StrCat(options_.directory, "/", NumberedFileName(options_.prefix, number));
}

absl::Status FrameWriter::StartAt(FrameExtent extent, FrameExtent durable) {
  end_ = extent;
  // The next sync point will vouch for everything up to the end, the names of the files included. One at a time: after the index
  // was rebuilt these are all files.
  for (uint32_t number = 0; number < extent.file; ++number) {
    const bool is_durable = number < durable.file;
    const absl::StatusOr<FileRef> earlier = files_.Open(PathOf(number), is_durable ? OpenMode::kRead : OpenMode::kReadWrite);
    if (absl::IsNotFound(earlier.status())) continue;
    HR_RETURN_IF_ERROR(earlier.status());
    if (!is_durable) HR_RETURN_IF_ERROR(files_.Sync(*earlier));
    HR_ASSIGN_OR_RETURN(const uint64_t size, (*earlier)->Size());
    earlier_files_bytes_ += size;
  }
  directory_changed_ = true;
  for (uint32_t number = extent.file + 1; files_.Exists(PathOf(number)); ++number) {
    HR_RETURN_IF_ERROR(files_.Remove(PathOf(number)));
  }
  absl::StatusOr<FileRef> opened = files_.Open(PathOf(extent.file), OpenMode::kReadWrite);
  if (absl::IsNotFound(opened.status()) && extent.offset == 0) return absl::OkStatus();
  HR_RETURN_IF_ERROR(opened.status());
  file_ = *std::move(opened);
  HR_ASSIGN_OR_RETURN(const uint64_t size, file_->Size());
  HR_CHECK(size >= extent.offset);
  // Frames that a crash tore must not stand behind new ones, where a later scan could meet them.
  if (size != extent.offset) HR_RETURN_IF_ERROR(file_->Truncate(extent.offset));
  reserved_ = extent.offset;
  unsynced_files_.push_back(file_);
  return absl::OkStatus();
}

absl::StatusOr<BlockPosition> FrameWriter::Append(SlabRef slab) {
  // A frame larger than a whole file has one to itself: the undo record of a block that spends large scripts can reach 250 MB.
  HR_CHECK(slab->size() > options_.trailer_bytes && slab->size() <= kFrameBytesMax);
  HR_RETURN_IF_ERROR(Poll());
  const auto frame_bytes = static_cast<uint32_t>(kFrameHeaderBytes + slab->size());
  if (end_.offset != 0 && frame_bytes > options_.file_bytes_max - std::min(end_.offset, options_.file_bytes_max)) {
    HR_RETURN_IF_ERROR(OpenNext());
  }
  HR_RETURN_IF_ERROR(Reserve(uint64_t{end_.offset} + frame_bytes));

  const BlockPosition position{end_.file, end_.offset + kFrameHeaderBytes,
                               static_cast<uint32_t>(slab->size() - options_.trailer_bytes)};
  const PendingFrames::Key key = PendingFrames::KeyOf(position.file, position.offset);
  uint8_t header[kFrameHeaderBytes];
  StoreFrameHeader(header, options_.magic, position.size);
  if (open_ == nullptr) open_ = std::make_shared<FileBatch>();
  Stage(end_.offset, header);
  if (slab->size() <= kCopyBytesMax) {
    Stage(position.offset, slab->bytes());
  } else {
    EndRun();
    open_->operations.push_back({.kind = FileOperation::Kind::kWrite,
                                 .file = file_,
                                 .offset = position.offset,
                                 .write_from = slab->bytes(),
                                 .passes_cache = passes_cache_,
                                 .owner = slab});
  }
  open_frames_.push_back(key);
  open_bytes_ += frame_bytes;
  queued_bytes_ += frame_bytes;
  end_.offset += frame_bytes;
  ++appended_count_;
  pending_.Add(key, std::move(slab));

  if (in_flight_.empty() || open_bytes_ >= kBatchBytes) SubmitOpen();
  while (queued_bytes_ > options_.queued_bytes_max) {
    SubmitOpen();
    HR_RETURN_IF_ERROR(ReapOldest());
  }
  return position;
}

absl::Status FrameWriter::OpenNext() {
  SubmitOpen();
  if (file_ != nullptr) in_flight_.push_back({.full_file = file_});
  // Writes below the end may still be under way; cutting the reserve above it does not touch them.
  if (file_ != nullptr) HR_RETURN_IF_ERROR(file_->Truncate(end_.offset));
  file_ = nullptr;
  earlier_files_bytes_ += end_.offset;
  ++end_.file;
  end_.offset = 0;
  return absl::OkStatus();
}

absl::Status FrameWriter::Reserve(uint64_t end) {
  if (file_ == nullptr) {
    HR_ASSIGN_OR_RETURN(file_, files_.Open(PathOf(end_.file), OpenMode::kTruncate));
    reserved_ = 0;
    directory_changed_ = true;
    unsynced_files_.push_back(file_);
  }
  if (end <= reserved_) return absl::OkStatus();
  // The size changes once in many blocks, so that a sync seldom has to write the file's metadata, and mappings of the
  // file stay good for as long.
  const uint64_t chunks = (end + kPreallocateBytes - 1) / kPreallocateBytes;
  const uint64_t size = std::max<uint64_t>(end, std::min<uint64_t>(chunks * kPreallocateBytes, options_.file_bytes_max));
  HR_RETURN_IF_ERROR(file_->Preallocate(size));
  HR_RETURN_IF_ERROR(file_->Truncate(size));
  reserved_ = size;
  return absl::OkStatus();
}

// Copies bytes behind the write that is being collected, or begins a new one where they do not follow it.
void FrameWriter::Stage(uint64_t offset, ByteSpan bytes) {
  const bool fits = staging_ != nullptr && staging_->size() - staged_ >= bytes.size();
  if (!fits || offset != run_offset_ + (staged_ - run_begin_)) EndRun();
  if (!fits) {
    staging_ = std::make_shared<Slab>(kStagingBytes);
    staged_ = run_begin_ = 0;
  }
  if (staged_ == run_begin_) run_offset_ = offset;
  std::memcpy(staging_->writable().data() + staged_, bytes.data(), bytes.size());
  staged_ += bytes.size();
}

void FrameWriter::EndRun() {
  if (staged_ == run_begin_) return;
  open_->operations.push_back({.kind = FileOperation::Kind::kWrite,
                               .file = file_,
                               .offset = run_offset_,
                               .write_from = staging_->bytes().subspan(run_begin_, staged_ - run_begin_),
                               .passes_cache = passes_cache_,
                               .owner = staging_});
  run_begin_ = staged_;
}

void FrameWriter::SubmitOpen() {
  if (open_ == nullptr) return;
  EndRun();
  in_flight_.push_back({open_, open_bytes_, std::move(open_frames_), nullptr});
  files_.Submit(std::move(open_));
  open_ = nullptr;
  open_frames_.clear();
  open_bytes_ = 0;
}

absl::Status FrameWriter::ReapOldest() {
  const InFlight oldest = std::move(in_flight_.front());
  in_flight_.pop_front();
  if (oldest.batch == nullptr) {
    BeginSyncOf(oldest.full_file, true);
    return failure_;
  }
  oldest.batch->Wait();
  if (failure_.ok() && !oldest.batch->status().ok()) failure_ = oldest.batch->status();
  // After a failure the slabs stay in the pending table: they are the only copy.
  if (!failure_.ok()) return failure_;
  pending_.Remove(oldest.frames);
  queued_bytes_ -= oldest.bytes;
  bytes_written_ += oldest.bytes;
  written_count_ += oldest.frames.size();
  return absl::OkStatus();
}

void FrameWriter::BeginSyncOf(const FileRef& file, bool is_full) {
  auto batch = std::make_shared<FileBatch>();
  batch->operations.push_back({.kind = FileOperation::Kind::kSync, .file = file});
  syncing_.push_back({batch, is_full ? file : nullptr});
  files_.Submit(std::move(batch));
}

absl::Status FrameWriter::ReapSyncs(bool wait) {
  std::erase_if(syncing_, [&](const Syncing& syncing) {
    if (!wait && !syncing.batch->done()) return false;
    syncing.batch->Wait();
    // Told once by the system: a second sync would succeed.
    if (failure_.ok() && !syncing.batch->status().ok()) failure_ = syncing.batch->status();
    if (syncing.batch->status().ok() && syncing.full_file != nullptr) std::erase(unsynced_files_, syncing.full_file);
    return true;
  });
  return failure_;
}

absl::Status FrameWriter::Poll() {
  while (!in_flight_.empty() && in_flight_.front().done()) HR_RETURN_IF_ERROR(ReapOldest());
  HR_RETURN_IF_ERROR(ReapSyncs(false));
  if (in_flight_.empty() && failure_.ok()) SubmitOpen();
  return failure_;
}

absl::Status FrameWriter::WaitForAll() {
  if (failure_.ok()) SubmitOpen();
  while (!in_flight_.empty()) ReapOldest().IgnoreError();  // kept in failure_
  return ReapSyncs(true);
}

void FrameWriter::BeginSync() {
  SubmitOpen();
  if (file_ != nullptr) BeginSyncOf(file_, false);
}

absl::Status FrameWriter::Sync() {
  HR_RETURN_IF_ERROR(WaitForAll());
  auto batch = std::make_shared<FileBatch>();
  for (const FileRef& file : unsynced_files_) {
    batch->operations.push_back({.kind = FileOperation::Kind::kSync, .file = file});
  }
  files_.Submit(batch);
  batch->Wait();
  if (!batch->status().ok()) return failure_ = batch->status();
  if (directory_changed_) {
    failure_ = files_.SyncDirectory(options_.directory);
    if (!failure_.ok()) return failure_;
  }
  directory_changed_ = false;
  unsynced_files_.clear();
  // What is appended next goes into this file again.
  if (file_ != nullptr) unsynced_files_.push_back(file_);
  return absl::OkStatus();
}

absl::Status FrameWriter::Close() {
  HR_RETURN_IF_ERROR(WaitForAll());
  if (file_ != nullptr && reserved_ != end_.offset) {
    HR_RETURN_IF_ERROR(file_->Truncate(end_.offset));
    reserved_ = end_.offset;
  }
  return absl::OkStatus();
}

}  // namespace headrace
