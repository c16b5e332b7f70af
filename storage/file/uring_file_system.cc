#include "storage/file/uring_file_system.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/base/status_macros.h"
#include "storage/file/file_error.h"
#include "storage/file/posix_file.h"

namespace headrace {
namespace {

using Kind = FileOperation::Kind;

// One request's length is 32 bits wide and the kernel cuts it below 2 GiB; larger operations take several.
constexpr size_t kRequestBytesMax = size_t{1} << 30;

// Linux 6.14 and later; older headers do not name it.
#ifdef RWF_DONTCACHE
constexpr int kDontCache = RWF_DONTCACHE;
#else
constexpr int kDontCache = 0x80;
#endif

// Pages: what every disk and file system that writes from the submitter's memory takes.
constexpr uint64_t kDirectAlignment = 4096;
// Below this the kernel's copy costs less than waiting for the disk once more.
constexpr uint64_t kDirectBytesMin = 1 << 20;

size_t OperationBytes(const FileOperation& operation) {
  if (operation.IsBarrier()) return 0;
  return operation.kind == Kind::kRead ? operation.read_into.size() : operation.write_from.size();
}

absl::Status OperationError(const FileOperation& operation, int error) {
  switch (operation.kind) {
    case Kind::kRead:
      return FileError("read", operation.file->path(), error);
    case Kind::kWrite:
      return FileError("write", operation.file->path(), error);
    case Kind::kSync:
      return FileError("sync", operation.file->path(), error);
    case Kind::kRemove:
      return FileError("remove", operation.path, error);
    case Kind::kRename:
      return FileError(absl::StrCat("rename ", operation.path, " to"), operation.new_path, error);
    case Kind::kSyncDirectory:
      return FileError("sync the directory", operation.path, error);
  }
  HR_CHECK(false);
}

bool OffersNeededOperations(io_uring& ring) {
  io_uring_probe* probe = io_uring_get_probe_ring(&ring);
  if (probe == nullptr) return false;
  bool offers = true;
  for (const int operation : {IORING_OP_READ, IORING_OP_WRITE, IORING_OP_FSYNC, IORING_OP_POLL_ADD, IORING_OP_NOP,
                              IORING_OP_UNLINKAT, IORING_OP_RENAMEAT}) {
    offers = offers && io_uring_opcode_supported(probe, operation);
  }
  io_uring_free_probe(probe);
  return offers;
}

}  // namespace

absl::StatusOr<std::unique_ptr<FileSystem>> UringFileSystem::Start() {
  HR_ASSIGN_OR_RETURN(std::unique_ptr<BatchQueue> queue, BatchQueue::Open());
  io_uring ring;
  // Twice the depth: every slot and the doorbell's poll always find an entry.
  const int result = io_uring_queue_init(2 * kDepth, &ring, 0);
  if (result < 0) {
    return absl::UnavailableError(absl::StrCat("io_uring_queue_init: ", std::strerror(-result)));
  }
  if (!OffersNeededOperations(ring)) {
    io_uring_queue_exit(&ring);
    return absl::UnavailableError("this kernel's io_uring lacks read, write, fsync, poll, unlinkat or renameat");
  }
  return std::make_unique<UringFileSystem>(std::move(queue), ring);
}

UringFileSystem::UringFileSystem(std::unique_ptr<BatchQueue> queue, const io_uring& ring)
    : queue_(std::move(queue)), ring_(ring) {
  for (uint32_t slot = kDepth; slot-- > 0;) free_slots_.push_back(slot);
  thread_ = std::thread([this] { Run(); });
}

UringFileSystem::~UringFileSystem() {
  queue_->Push(nullptr);
  thread_.join();
  io_uring_queue_exit(&ring_);
}

void UringFileSystem::Submit(FileBatchRef batch) {
  HR_CHECK(batch != nullptr && !batch->done());
  queue_->Push(std::move(batch));
}

void UringFileSystem::Run() {
  PollEvent();
  while (true) {
    AdmitBatches();
    IssueReady();
    if (stopping_ && active_count_ == 0) return;
    // With batches still ready every slot is taken, and a completion will come by itself.
    if (CanAdmit() && ready_.empty() && !queue_->PrepareToSleep()) continue;
    SubmitAndWait();
    ReapCompletions();
  }
}

void UringFileSystem::AdmitBatches() {
  while (CanAdmit() && ready_.size() < kDepth) {
    std::optional<FileBatchRef> batch = queue_->TryPop();
    if (!batch) return;
    if (*batch == nullptr) {
      stopping_ = true;
      return;
    }
    ++active_count_;
    ready_.push_back(new Active{BatchProgress(*std::move(batch))});
  }
}

void UringFileSystem::IssueReady() {
  while (!ready_.empty() && IssueFrom(*ready_.front())) {
    Active* active = ready_.front();
    ready_.pop_front();
    active->ready = false;
    if (active->progress.in_flight() == 0) Finish(active);
  }
}

bool UringFileSystem::IssueFrom(Active& active) {
  while (const std::optional<size_t> operation = active.progress.Next()) {
    if (free_slots_.empty()) return false;
    StartSlot(active, *operation);
  }
  return true;
}

void UringFileSystem::StartSlot(Active& active, size_t operation) {
  const uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  slots_[slot] = Slot{&active, operation};
  active.progress.Begin(operation);
  PrepareSlot(slot);
}

void UringFileSystem::PrepareSlot(uint32_t slot) {
  Slot& state = slots_[slot];
  const FileOperation& operation = state.active->progress.operation(state.operation);
  const int descriptor = operation.file == nullptr ? -1 : AsPosixFile(operation.file).descriptor();
  const uint64_t offset = operation.offset + state.bytes_done;
  const auto size =
      static_cast<unsigned>(std::min(OperationBytes(operation) - state.bytes_done, kRequestBytesMax));
  io_uring_sqe* entry = io_uring_get_sqe(&ring_);
  HR_CHECK(entry != nullptr);
  switch (operation.kind) {
    case Kind::kRead:
      io_uring_prep_read(entry, descriptor, operation.read_into.data() + state.bytes_done, size, offset);
      break;
    case Kind::kWrite:
      PrepareWrite(entry, state, operation, size);
      break;
    case Kind::kSync:
      io_uring_prep_fsync(entry, descriptor, IORING_FSYNC_DATASYNC);
      break;
    case Kind::kRemove:
      io_uring_prep_unlinkat(entry, AT_FDCWD, operation.path.c_str(), 0);
      break;
    case Kind::kRename:
      io_uring_prep_renameat(entry, AT_FDCWD, operation.path.c_str(), AT_FDCWD, operation.new_path.c_str(), 0);
      break;
    case Kind::kSyncDirectory:
      PrepareDirectorySync(entry, state, operation.path);
      break;
  }
  io_uring_sqe_set_data64(entry, slot);
}

void UringFileSystem::PrepareWrite(io_uring_sqe* entry, Slot& state, const FileOperation& operation, unsigned size) {
  const PosixFile& file = AsPosixFile(operation.file);
  const uint8_t* const from = operation.write_from.data() + state.bytes_done;
  const uint64_t offset = operation.offset + state.bytes_done;
  state.path = PathOf(operation, from, offset, size);
  const int descriptor = state.path == WritePath::kDirect ? file.direct_descriptor() : file.descriptor();
  io_uring_prep_write(entry, descriptor, from, size, offset);
  if (state.path == WritePath::kUncached) entry->rw_flags = kDontCache;
}

UringFileSystem::WritePath UringFileSystem::PathOf(const FileOperation& operation, const uint8_t* from, uint64_t offset,
                                                   unsigned size) const {
  if (!operation.passes_cache) return WritePath::kCached;
  const bool is_whole = reinterpret_cast<uintptr_t>(from) % kDirectAlignment == 0 && offset % kDirectAlignment == 0 &&
                        size % kDirectAlignment == 0;
  if (can_write_directly_ && is_whole && size >= kDirectBytesMin &&
      AsPosixFile(operation.file).direct_descriptor() >= 0) {
    return WritePath::kDirect;
  }
  return can_pass_cache_ ? WritePath::kUncached : WritePath::kCached;
}

bool UringFileSystem::IsRefusedPath(const Slot& state, int result) {
  // Memory or offset of another alignment than the disk's.
  if (result == -EINVAL && state.path == WritePath::kDirect) {
    can_write_directly_ = false;
    return true;
  }
  if (result == -EOPNOTSUPP && state.path == WritePath::kUncached) {
    can_pass_cache_ = false;
    return true;
  }
  return false;
}

void UringFileSystem::PrepareDirectorySync(io_uring_sqe* entry, Slot& state, const std::string& path) {
  if (state.directory < 0) state.directory = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (state.directory >= 0) return io_uring_prep_fsync(entry, state.directory, 0);
  // Told like every other failure, when the entry comes back.
  state.open_error = errno;
  io_uring_prep_nop(entry);
}

void UringFileSystem::PollEvent() {
  io_uring_sqe* entry = io_uring_get_sqe(&ring_);
  HR_CHECK(entry != nullptr);
  io_uring_prep_poll_add(entry, queue_->event_descriptor(), POLLIN);
  io_uring_sqe_set_data64(entry, kEventUserData);
}

void UringFileSystem::SubmitAndWait() {
  // Everything but a bug is passing: a signal, a completion queue that must be emptied first, or memory that is short
  // for the moment. Entries that were not taken stay in the ring for the next round.
  const int result = io_uring_submit_and_wait(&ring_, 1);
  HR_CHECK(result >= 0 || result == -EINTR || result == -EAGAIN || result == -EBUSY || result == -ENOMEM);
}

void UringFileSystem::ReapCompletions() {
  io_uring_cqe* completion;
  while (io_uring_peek_cqe(&ring_, &completion) == 0) {
    const uint64_t user_data = io_uring_cqe_get_data64(completion);
    const int result = completion->res;
    io_uring_cqe_seen(&ring_, completion);
    if (user_data == kEventUserData) {
      queue_->TakeEvent();
      PollEvent();
    } else {
      OperationEnded(static_cast<uint32_t>(user_data), result);
    }
  }
}

void UringFileSystem::OperationEnded(uint32_t slot, int result) {
  Slot& state = slots_[slot];
  Active* active = state.active;
  const FileOperation& operation = active->progress.operation(state.operation);
  const bool transfers = !operation.IsBarrier();
  if (result == -EINTR || result == -EAGAIN) return PrepareSlot(slot);
  if (IsRefusedPath(state, result)) return PrepareSlot(slot);
  absl::Status status;
  if (state.directory >= 0) ::close(state.directory);
  if (state.open_error != 0) result = -state.open_error;
  if (result < 0) {
    status = OperationError(operation, -result);
  } else if (transfers && result == 0) {
    // A write that takes nothing and reports nothing would be tried for ever.
    status = operation.kind == Kind::kRead ? ReadPastEnd(operation.file->path(), operation.offset,
                                                         OperationBytes(operation))
                                           : OperationError(operation, EIO);
  } else if (transfers) {
    state.bytes_done += static_cast<size_t>(result);
    if (state.bytes_done < OperationBytes(operation)) return PrepareSlot(slot);
  }
  active->progress.End(state.operation, std::move(status));
  free_slots_.push_back(slot);
  if (active->progress.in_flight() == 0 && !active->ready) {
    active->ready = true;
    ready_.push_back(active);
  }
}

void UringFileSystem::Finish(Active* active) {
  const std::unique_ptr<Active> owned(active);
  --active_count_;
  owned->progress.Complete();
}

}  // namespace headrace
