// The File port over io_uring: one storage thread owns one ring and keeps up to kDepth operations of any number of
// batches in flight.
//
// Order inside a batch is kept by BatchProgress, not by the kernel. (IOSQE_IO_DRAIN would stop every batch for the sake of one.)
#pragma once

#include <liburing.h>

#include <array>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "storage/file/batch_progress.h"
#include "storage/file/batch_queue.h"
#include "storage/file/posix_file_system.h"

namespace headrace {

class UringFileSystem final : public PosixFileSystem {
 public:
  // Operations in flight: enough to saturate an NVMe disk with random reads of one page.
  static constexpr unsigned kDepth = 128;

  // Unavailable, with the reason, where the kernel or the container does not offer io_uring or one of the operations
  // needed (Linux 5.11).
  static absl::StatusOr<std::unique_ptr<FileSystem>> Start();
  UringFileSystem(std::unique_ptr<BatchQueue> queue, const io_uring& ring);
  // Carries out everything that was submitted, then ends the thread.
  ~UringFileSystem() override;

  void Submit(FileBatchRef batch) override;
  std::string_view name() const override { return "io_uring"; }

 private:
  // A batch between its submission and its completion.
  struct Active {
    BatchProgress progress;
    bool ready = true;  // stands in ready_
  };
  // How a write reaches the disk: by the page cache, by it and out of it again, or from the memory where its bytes are.
  enum class WritePath : uint8_t { kCached, kUncached, kDirect };
  // An operation in flight; its number is the completion's user data.
  struct Slot {
    Active* active = nullptr;
    size_t operation = 0;
    size_t bytes_done = 0;
    WritePath path = WritePath::kCached;
    // Of a kSyncDirectory: open until it has ended.
    int directory = -1;
    int open_error = 0;
  };

  static constexpr uint64_t kEventUserData = kDepth;

  void Run();
  // The steps of the loop: take batches, issue what may run, sleep until something ends, look at what ended.
  void AdmitBatches();
  void IssueReady();
  void SubmitAndWait();
  void ReapCompletions();

  // True when nothing of the batch can be issued until something of it ends; it then leaves the ready queue.
  bool IssueFrom(Active& active);
  void StartSlot(Active& active, size_t operation);
  void PrepareSlot(uint32_t slot);
  void PrepareWrite(io_uring_sqe* entry, Slot& state, const FileOperation& operation, unsigned size);
  WritePath PathOf(const FileOperation& operation, const uint8_t* from, uint64_t offset, unsigned size) const;
  // Whether the slot's write was refused for its path, and may be tried on the next one.
  bool IsRefusedPath(const Slot& state, int result);
  void PrepareDirectorySync(io_uring_sqe* entry, Slot& state, const std::string& path);
  void PollEvent();
  void OperationEnded(uint32_t slot, int result);
  void Finish(Active* active);
  // While every slot is taken no batch is taken from the queue, which then fills and makes submitters wait.
  bool CanAdmit() const { return !stopping_ && !free_slots_.empty(); }

  const std::unique_ptr<BatchQueue> queue_;
  io_uring ring_;
  std::array<Slot, kDepth> slots_;
  std::vector<uint32_t> free_slots_;
  std::deque<Active*> ready_;  // batches that have something to issue, oldest first
  size_t active_count_ = 0;
  bool stopping_ = false;
  // Until kernel or file system says no.
  bool can_pass_cache_ = true;
  bool can_write_directly_ = true;
  std::thread thread_;
};

}  // namespace headrace
