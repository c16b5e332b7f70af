// A file system that says of every mapped page that it is not in memory, when told to, and lets the test decide when reads
// end, or everything.
//
// Any thread. Nothing but the hint changes: what is mapped can be looked at all the time.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "storage/file/file_system.h"

namespace headrace::testing {

class ShortMemoryFileSystem final : public FileSystem {
 public:
  explicit ShortMemoryFileSystem(std::unique_ptr<FileSystem> inner) : inner_(std::move(inner)) {}
  ~ShortMemoryFileSystem() override { HoldReads(false); }

  void SetShort(bool is_short) { is_short_ = is_short; }
  uint64_t questions() const { return questions_.load(); }

  // While held, batches that only read wait here, or all of them.
  void HoldReads(bool is_held) { Hold(is_held ? Held::kReads : Held::kNothing); }
  void HoldAll(bool is_held) { Hold(is_held ? Held::kAll : Held::kNothing); }
  std::vector<FileBatchRef> held() const {
    const std::lock_guard lock(mutex_);
    return held_;
  }
  // One of the held batches goes on its way, or ends with an error.
  void Release(size_t at) { inner_->Submit(Take(at)); }
  void Fail(size_t at) { Take(at)->Complete(absl::DataLossError("The disk did not read it.")); }

  void Submit(FileBatchRef batch) override {
    bool reads_only = true;
    for (const FileOperation& operation : batch->operations) {
      reads_only = reads_only && operation.kind == FileOperation::Kind::kRead;
    }
    {
      const std::lock_guard lock(mutex_);
      if (what_is_held_ == Held::kAll || (what_is_held_ == Held::kReads && reads_only)) {
        held_.push_back(std::move(batch));
        return;
      }
    }
    inner_->Submit(std::move(batch));
  }
  void ExpectRandomReads(ByteSpan mapped) override { inner_->ExpectRandomReads(mapped); }
  bool IsResident(ByteSpan mapped) override {
    ++questions_;
    return !is_short_ && inner_->IsResident(mapped);
  }

  absl::StatusOr<FileRef> Open(const std::string& path, OpenMode mode) override { return inner_->Open(path, mode); }
  absl::StatusOr<SharedBytes> MapReadOnly(const FileRef& file, uint64_t offset, uint64_t size) override {
    return inner_->MapReadOnly(file, offset, size);
  }
  absl::Status MapReadOnlyAt(const FileRef& file, uint64_t size, uint8_t* at) override {
    return inner_->MapReadOnlyAt(file, size, at);
  }
  bool Exists(const std::string& path) override { return inner_->Exists(path); }
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override { return inner_->List(path); }
  absl::Status MakeDirectories(const std::string& path) override { return inner_->MakeDirectories(path); }
  absl::Status Remove(const std::string& path) override { return inner_->Remove(path); }
  absl::Status Rename(const std::string& from, const std::string& to) override { return inner_->Rename(from, to); }
  absl::Status SyncDirectory(const std::string& path) override { return inner_->SyncDirectory(path); }
  absl::StatusOr<uint64_t> FreeBytes(const std::string& path) override { return inner_->FreeBytes(path); }
  absl::StatusOr<std::unique_ptr<DirectoryLock>> LockDirectory(const std::string& path) override {
    return inner_->LockDirectory(path);
  }
  std::string_view name() const override { return inner_->name(); }

 private:
  enum class Held : uint8_t { kNothing, kReads, kAll };

  void Hold(Held what) {
    std::vector<FileBatchRef> released;
    {
      const std::lock_guard lock(mutex_);
      what_is_held_ = what;
      if (what == Held::kNothing) released.swap(held_);
    }
    for (FileBatchRef& batch : released) inner_->Submit(std::move(batch));
  }

  FileBatchRef Take(size_t at) {
    const std::lock_guard lock(mutex_);
    FileBatchRef batch = std::move(held_.at(at));
    held_.erase(held_.begin() + static_cast<ptrdiff_t>(at));
    return batch;
  }

  const std::unique_ptr<FileSystem> inner_;
  std::atomic<bool> is_short_{false};
  std::atomic<uint64_t> questions_{0};
  mutable std::mutex mutex_;
  Held what_is_held_ = Held::kNothing;
  std::vector<FileBatchRef> held_;
};

}  // namespace headrace::testing
