#include "storage/file/plain_file_system.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/status_macros.h"
#include "storage/file/file_error.h"
#include "storage/file/posix_file.h"

namespace headrace {
namespace {

absl::Status Read(const PosixFile& file, uint64_t offset, MutableByteSpan into) {
  size_t filled = 0;
  while (filled < into.size()) {
    const ssize_t count = ::pread(file.descriptor(), into.data() + filled, into.size() - filled,
                                  static_cast<off_t>(offset + filled));
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0) return FileError("read", file.path(), errno);
    if (count == 0) return ReadPastEnd(file.path(), offset, into.size());
    filled += static_cast<size_t>(count);
  }
  return absl::OkStatus();
}

absl::Status Write(const PosixFile& file, uint64_t offset, ByteSpan from) {
  size_t written = 0;
  while (written < from.size()) {
    const ssize_t count = ::pwrite(file.descriptor(), from.data() + written, from.size() - written,
                                   static_cast<off_t>(offset + written));
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0) return FileError("write", file.path(), errno);
    // A write that takes nothing and reports nothing would be tried for ever.
    if (count == 0) return FileError("write", file.path(), EIO);
    written += static_cast<size_t>(count);
  }
  return absl::OkStatus();
}

absl::Status SyncFile(const PosixFile& file) {
  int result;
  do {
    result = ::fdatasync(file.descriptor());
  } while (result != 0 && errno == EINTR);
  // Any other failure is final: the kernel may have dropped the pages, and a second call would report success.
  return result == 0 ? absl::OkStatus() : FileError("sync", file.path(), errno);
}

}  // namespace

absl::Status PlainFileSystem::Execute(const FileOperation& operation) {
  switch (operation.kind) {
    case FileOperation::Kind::kRead:
      return Read(AsPosixFile(operation.file), operation.offset, operation.read_into);
    case FileOperation::Kind::kWrite:
      return Write(AsPosixFile(operation.file), operation.offset, operation.write_from);
    case FileOperation::Kind::kSync:
      return SyncFile(AsPosixFile(operation.file));
    case FileOperation::Kind::kRemove:
      return Remove(operation.path);
    case FileOperation::Kind::kRename:
      return Rename(operation.path, operation.new_path);
    case FileOperation::Kind::kSyncDirectory:
      return SyncDirectory(operation.path);
  }
  HR_CHECK(false);
}

absl::Status PlainFileSystem::ExecuteAll(const FileBatch& batch) {
  for (const FileOperation& operation : batch.operations) HR_RETURN_IF_ERROR(Execute(operation));
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<FileSystem>> PlainFileSystem::Start() {
  HR_ASSIGN_OR_RETURN(std::unique_ptr<BatchQueue> queue, BatchQueue::Open());
  return std::make_unique<PlainFileSystem>(std::move(queue));
}

PlainFileSystem::PlainFileSystem(std::unique_ptr<BatchQueue> queue)
    : queue_(std::move(queue)), thread_([this] { Run(); }) {}

PlainFileSystem::~PlainFileSystem() {
  queue_->Push(nullptr);
  thread_.join();
}

void PlainFileSystem::Submit(FileBatchRef batch) {
  HR_CHECK(batch != nullptr && !batch->done());
  queue_->Push(std::move(batch));
}

void PlainFileSystem::Run() {
  while (true) {
    const std::optional<FileBatchRef> batch = queue_->TryPop();
    if (!batch) {
      if (queue_->PrepareToSleep()) queue_->TakeEvent();
      continue;
    }
    if (*batch == nullptr) return;
    (*batch)->Complete(ExecuteAll(**batch));
  }
}

}  // namespace headrace
