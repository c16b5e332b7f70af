#include "storage/file/file_system.h"

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/base/status_macros.h"

namespace headrace {
namespace {

std::string AsideOf(const std::string& path) { return absl::StrCat(path, ".new"); }

absl::Status SubmitAndWait(FileSystem& files, std::vector<FileOperation> operations) {
  auto batch = std::make_shared<FileBatch>();
  batch->operations = std::move(operations);
  files.Submit(batch);
  batch->Wait();
  // Nothing of it is shared with the batch, which the storage thread may be the last to drop.
  return {batch->status().code(), batch->status().message()};
}

}  // namespace

void FileBatch::Complete(absl::Status status) {
  HR_CHECK(!done());
  status_ = std::move(status);
  // Nothing of the batch is touched once somebody may have seen that it is done.
  const std::function<void()> tell = std::move(when_done);
  // Release: whoever sees done sees the status and the bytes that were read.
  done_.store(true, std::memory_order_release);
  done_.notify_all();
  if (tell) tell();
}

void FileBatch::Wait() const {
  if (driver_ != nullptr && !done()) driver_->DriveUntilDone(*this);
  done_.wait(false, std::memory_order_acquire);
}

absl::Status FileSystem::WriteAt(const FileRef& file, uint64_t offset, ByteSpan bytes) {
  return SubmitAndWait(
      *this, {{.kind = FileOperation::Kind::kWrite, .file = file, .offset = offset, .write_from = bytes}});
}

absl::Status FileSystem::ReadAt(const FileRef& file, uint64_t offset, MutableByteSpan bytes) {
  return SubmitAndWait(*this,
                       {{.kind = FileOperation::Kind::kRead, .file = file, .offset = offset, .read_into = bytes}});
}

absl::Status FileSystem::Sync(const FileRef& file) {
  return SubmitAndWait(*this, {{.kind = FileOperation::Kind::kSync, .file = file}});
}

absl::StatusOr<std::vector<uint8_t>> FileSystem::ReadWholeFile(const std::string& path, uint64_t bytes_max) {
  HR_ASSIGN_OR_RETURN(const FileRef file, Open(path, OpenMode::kRead));
  HR_ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  if (size > bytes_max) {
    return absl::OutOfRangeError(
        absl::StrCat("The file ", path, " has ", size, " bytes; at most ", bytes_max, " are expected."));
  }
  std::vector<uint8_t> bytes(size);
  HR_RETURN_IF_ERROR(ReadAt(file, 0, bytes));
  return bytes;
}

absl::StatusOr<FileBatchRef> FileSystem::BeginReplaceFile(const std::string& path, ByteSpan bytes) {
  using Kind = FileOperation::Kind;
  const std::string aside = AsideOf(path);
  const std::string directory = std::filesystem::path(path).parent_path().string();
  HR_ASSIGN_OR_RETURN(const FileRef file, Open(aside, OpenMode::kTruncate));
  const SlabRef copy = Slab::Copy(bytes);
  auto batch = std::make_shared<FileBatch>();
  batch->operations.push_back({.kind = Kind::kWrite, .file = file, .write_from = copy->bytes(), .owner = copy});
  batch->operations.push_back({.kind = Kind::kSync, .file = file});
  batch->operations.push_back({.kind = Kind::kRename, .path = aside, .new_path = path});
  batch->operations.push_back({.kind = Kind::kSyncDirectory, .path = directory.empty() ? "." : directory});
  Submit(batch);
  return batch;
}

FileBatchRef FileSystem::BeginRemove(const std::string& path) {
  auto batch = std::make_shared<FileBatch>();
  batch->operations.push_back({.kind = FileOperation::Kind::kRemove, .path = path});
  Submit(batch);
  return batch;
}

absl::Status FileSystem::ReplaceFile(const std::string& path, ByteSpan bytes) {
  absl::Status replaced;
  {
    HR_ASSIGN_OR_RETURN(const FileBatchRef batch, BeginReplaceFile(path, bytes));
    batch->Wait();
    // Nothing of it is shared with the batch, which the storage thread may be the last to drop.
    replaced = absl::Status(batch->status().code(), batch->status().message());
  }
  // The failure to report is the first one; a leftover is overwritten by the next attempt.
  if (!replaced.ok()) Remove(AsideOf(path)).IgnoreError();
  return replaced;
}

}  // namespace headrace
