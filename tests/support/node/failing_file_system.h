// A file system whose disk stops taking changes at a moment that the test chooses. What was handed over before stays,
// what comes later fails and leaves no trace: for whoever opens the directory next, the process was killed just there.
//
// Any thread. Reads go on. A batch is one change when it writes or syncs anything.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "storage/file/file_system.h"

namespace headrace::testing {

class FailingFileSystem final : public FileSystem {
 public:
  explicit FailingFileSystem(std::unique_ptr<FileSystem> inner) : inner_(std::move(inner)) {}

  // So many more changes succeed.
  void FailAfter(uint64_t changes) { fails_at_ = changes_.load() + changes; }
  // From now on no file can be opened, as when every descriptor is taken; those that are open go on.
  void FailOpens() { opens_fail_ = true; }
  bool has_failed() const { return has_failed_.load(); }
  uint64_t changes() const { return changes_.load(); }

  absl::StatusOr<FileRef> Open(const std::string& path, OpenMode mode) override;
  void Submit(FileBatchRef batch) override;
  absl::StatusOr<SharedBytes> MapReadOnly(const FileRef& file, uint64_t offset, uint64_t size) override;
  absl::Status MapReadOnlyAt(const FileRef& file, uint64_t size, uint8_t* at) override;
  void ExpectRandomReads(ByteSpan mapped) override { inner_->ExpectRandomReads(mapped); }
  bool IsResident(ByteSpan mapped) override { return inner_->IsResident(mapped); }
  bool Exists(const std::string& path) override { return inner_->Exists(path); }
  absl::StatusOr<std::vector<std::string>> List(const std::string& directory) override {
    return inner_->List(directory);
  }
  absl::Status MakeDirectories(const std::string& path) override;
  absl::Status Remove(const std::string& path) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status SyncDirectory(const std::string& path) override;
  absl::StatusOr<uint64_t> FreeBytes(const std::string& path) override { return inner_->FreeBytes(path); }
  absl::StatusOr<std::unique_ptr<DirectoryLock>> LockDirectory(const std::string& path) override;
  std::string_view name() const override { return inner_->name(); }

 private:
  class WatchedFile;

  // Counts a change; a status when the disk takes no more.
  absl::Status TakeChange();

  std::unique_ptr<FileSystem> inner_;
  std::atomic<uint64_t> changes_{0};
  std::atomic<uint64_t> fails_at_{UINT64_MAX};
  std::atomic<bool> has_failed_{false};
  std::atomic<bool> opens_fail_{false};
};

}  // namespace headrace::testing
