// The File port: everything this node does to a disk goes through here, so that a simulated disk can stand behind it.
//
// Production has one storage thread that owns an io_uring and takes batches from everybody; where the kernel or a
// container forbids io_uring, the same thread uses pread and pwrite (one log line says so). There is no writable mapping
// anywhere: writes are explicit, mappings are read-only.
//
// Threads: any. Handles may be shared; overlapping writes of one range in two batches have no defined order.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/bytes.h"
#include "engine/base/slab.h"

namespace headrace {

enum class OpenMode : uint8_t { kRead, kReadWrite, kCreate /* read-write, made when absent */, kTruncate /* made empty */ };

// An open file. Closed when the last reference goes; batches hold references.
class File {
 public:
  virtual ~File() = default;
  virtual const std::string& path() const = 0;
  virtual absl::StatusOr<uint64_t> Size() const = 0;
  // Reserves disk space without changing what is read (fallocate); not supported is not an error, a full disk is.
  virtual absl::Status Preallocate(uint64_t size) = 0;
  virtual absl::Status Truncate(uint64_t size) = 0;
};
using FileRef = std::shared_ptr<File>;

// One operation of a batch. Reads fill `read_into` wholly or fail; writes take `write_from` wholly or fail.
struct FileOperation {
  enum class Kind : uint8_t {
    kRead,
    kWrite,
    kSync,  // fdatasync
    // Names: as the functions of FileSystem, without a thread that waits for them.
    kRemove,         // `path`
    kRename,         // `path` to `new_path`
    kSyncDirectory,  // `path`
  };
  Kind kind;
  FileRef file;
  uint64_t offset = 0;
  MutableByteSpan read_into;
  ByteSpan write_from;
  // Of a write: nobody is going to read this soon. Where kernel and file system can, it leaves the page cache once it is on
  // the disk, or is never there (a MiB or more in whole pages, at a multiple of a page); what is read often stays there instead.
  bool passes_cache = false;
  // Keeps the memory above alive until the batch is done, when the submitter does not.
  std::shared_ptr<const void> owner;
  std::string path;
  std::string new_path;

  // Runs after everything before it in its batch, and before everything behind it.
  bool IsBarrier() const { return kind != Kind::kRead && kind != Kind::kWrite; }
};

class FileBatch;

// Carries batches out inside Wait, for a disk that has no thread of its own and moves only when somebody turns it.
class FileBatchDriver {
 public:
  virtual ~FileBatchDriver() = default;
  // Returns when the batch is done.
  virtual void DriveUntilDone(const FileBatch& batch) = 0;
};

// Operations that are handed over together. Reads and writes of a batch run at depth, in any order; syncs and changes of names run
// after every operation before them in the batch, and those after them run after them. Batches of one submitter to one file may
// overlap: whoever needs order puts it into one batch or waits.
class FileBatch {
 public:
  std::vector<FileOperation> operations;
  // Called once the batch is done, on the thread that completes it; it must not wait. Set before Submit.
  std::function<void()> when_done;

  // Done means every operation has ended; `status` is the first failure, naming file and errno, and is set before done.
  bool done() const { return done_.load(std::memory_order_acquire); }
  const absl::Status& status() const { return status_; }
  // For implementations. Notifies after the store; the batch may be freed by the waiter at once.
  void Complete(absl::Status status);
  // For implementations without a thread: who carries the batch out while somebody waits for it. Set by Submit, and
  // outlives the batch's completion.
  void SetDriver(FileBatchDriver* driver) { driver_ = driver; }
  // Blocks the calling thread, or lends it to the driver.
  void Wait() const;

 private:
  std::atomic<bool> done_{false};
  FileBatchDriver* driver_ = nullptr;
  absl::Status status_;
};
using FileBatchRef = std::shared_ptr<FileBatch>;

// Holds a directory's lock until it goes.
class DirectoryLock {
 public:
  virtual ~DirectoryLock() = default;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual absl::StatusOr<FileRef> Open(const std::string& path, OpenMode mode) = 0;
  // Hands a batch to the storage thread. Batches are started in the order of submission.
  virtual void Submit(FileBatchRef batch) = 0;

  // A read-only mapping of [offset, offset + size) as the file is now; the file may grow and be written elsewhere.
  virtual absl::StatusOr<SharedBytes> MapReadOnly(const FileRef& file, uint64_t offset, uint64_t size) = 0;
  // The first `size` bytes of the file in place of the memory at `at`: whole pages that
  // the caller owns and goes on owning. Threads that read there meanwhile see what was there or what is there now.
  virtual absl::Status MapReadOnlyAt(const FileRef& file, uint64_t size, uint8_t* at) = 0;

  // Bytes of such a mapping will be read here and there: a page that is not in memory is then read by itself.
  virtual void ExpectRandomReads(ByteSpan mapped) = 0;
  // Whether looking at these bytes of a mapping would not wait for the disk. A hint: it may change at any moment.
  virtual bool IsResident(ByteSpan mapped) = 0;

  virtual bool Exists(const std::string& path) = 0;
  virtual absl::StatusOr<std::vector<std::string>> List(const std::string& directory) = 0;  // names, sorted
  // The path and what is missing above it; durable when this returns, or whatever is synced inside could still be lost.
  virtual absl::Status MakeDirectories(const std::string& path) = 0;
  virtual absl::Status Remove(const std::string& path) = 0;
  virtual absl::Status Rename(const std::string& from, const std::string& to) = 0;
  virtual absl::Status SyncDirectory(const std::string& path) = 0;
  virtual absl::StatusOr<uint64_t> FreeBytes(const std::string& path) = 0;
  // Fails with a sentence when another process holds it.
  virtual absl::StatusOr<std::unique_ptr<DirectoryLock>> LockDirectory(const std::string& path) = 0;
  // "io_uring" or "pread/pwrite".
  virtual std::string_view name() const = 0;

  // Convenience over Submit and Wait, for cold paths.
  absl::Status WriteAt(const FileRef& file, uint64_t offset, ByteSpan bytes);
  absl::Status ReadAt(const FileRef& file, uint64_t offset, MutableByteSpan bytes);
  absl::Status Sync(const FileRef& file);
  absl::StatusOr<std::vector<uint8_t>> ReadWholeFile(const std::string& path, uint64_t bytes_max);
  // Writes aside, syncs, renames, syncs the directory: the file is the old one or the new one, whatever happens.
  absl::Status ReplaceFile(const std::string& path, ByteSpan bytes);
  // The same, without waiting for it. A batch that fails leaves what was written aside to the next attempt.
  absl::StatusOr<FileBatchRef> BeginReplaceFile(const std::string& path, ByteSpan bytes);
  FileBatchRef BeginRemove(const std::string& path);
};

}  // namespace headrace
