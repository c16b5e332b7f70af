#include "tests/support/node/failing_file_system.h"

#include <algorithm>

#include "engine/base/status_macros.h"

namespace headrace::testing {

class FailingFileSystem::WatchedFile final : public File {
 public:
  WatchedFile(FailingFileSystem& owner, FileRef inner) : owner_(owner), inner_(std::move(inner)) {}

  const std::string& path() const override { return inner_->path(); }
  absl::StatusOr<uint64_t> Size() const override { return inner_->Size(); }
  absl::Status Preallocate(uint64_t size) override {
    HR_RETURN_IF_ERROR(owner_.TakeChange());
    return inner_->Preallocate(size);
  }
  absl::Status Truncate(uint64_t size) override {
    HR_RETURN_IF_ERROR(owner_.TakeChange());
    return inner_->Truncate(size);
  }
  const FileRef& inner() const { return inner_; }

 private:
  FailingFileSystem& owner_;
  FileRef inner_;
};

absl::Status FailingFileSystem::TakeChange() {
  if (changes_.fetch_add(1) < fails_at_.load()) return absl::OkStatus();
  has_failed_ = true;
  return absl::UnavailableError("the disk takes no more changes (the test wants it so)");
}

absl::StatusOr<FileRef> FailingFileSystem::Open(const std::string& path, OpenMode mode) {
  const bool makes_it = (mode == OpenMode::kCreate && !inner_->Exists(path)) || mode == OpenMode::kTruncate;
  if (makes_it) HR_RETURN_IF_ERROR(TakeChange());
  if (opens_fail_) return absl::ResourceExhaustedError("no file can be opened (the test wants it so)");
  HR_ASSIGN_OR_RETURN(FileRef file, inner_->Open(path, mode));
  return std::make_shared<WatchedFile>(*this, std::move(file));
}

void FailingFileSystem::Submit(FileBatchRef batch) {
  const bool changes_anything =
      std::any_of(batch->operations.begin(), batch->operations.end(),
                  [](const FileOperation& operation) { return operation.kind != FileOperation::Kind::kRead; });
  if (changes_anything) {
    if (const absl::Status status = TakeChange(); !status.ok()) return batch->Complete(status);
  }
  for (FileOperation& operation : batch->operations) {
    if (operation.file != nullptr) operation.file = static_cast<const WatchedFile&>(*operation.file).inner();
  }
  inner_->Submit(std::move(batch));
}

absl::StatusOr<SharedBytes> FailingFileSystem::MapReadOnly(const FileRef& file, uint64_t offset, uint64_t size) {
  return inner_->MapReadOnly(static_cast<const WatchedFile&>(*file).inner(), offset, size);
}

absl::Status FailingFileSystem::MapReadOnlyAt(const FileRef& file, uint64_t size, uint8_t* at) {
  return inner_->MapReadOnlyAt(static_cast<const WatchedFile&>(*file).inner(), size, at);
}

absl::Status FailingFileSystem::MakeDirectories(const std::string& path) {
  if (!inner_->Exists(path)) HR_RETURN_IF_ERROR(TakeChange());
  return inner_->MakeDirectories(path);
}

absl::Status FailingFileSystem::Remove(const std::string& path) {
  HR_RETURN_IF_ERROR(TakeChange());
  return inner_->Remove(path);
}

absl::Status FailingFileSystem::Rename(const std::string& from, const std::string& to) {
  HR_RETURN_IF_ERROR(TakeChange());
  return inner_->Rename(from, to);
}

absl::Status FailingFileSystem::SyncDirectory(const std::string& path) {
  HR_RETURN_IF_ERROR(TakeChange());
  return inner_->SyncDirectory(path);
}

absl::StatusOr<std::unique_ptr<DirectoryLock>> FailingFileSystem::LockDirectory(const std::string& path) {
  return inner_->LockDirectory(path);
}

}  // namespace headrace::testing
