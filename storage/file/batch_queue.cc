#include "storage/file/batch_queue.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "engine/base/check.h"
#include "storage/file/file_error.h"

namespace headrace {

absl::StatusOr<std::unique_ptr<BatchQueue>> BatchQueue::Open() {
  const int descriptor = ::eventfd(0, EFD_CLOEXEC);
  if (descriptor < 0) return FileError("make an event descriptor for", "the storage thread", errno);
  return std::make_unique<BatchQueue>(descriptor);
}

BatchQueue::~BatchQueue() { ::close(event_descriptor_); }

void BatchQueue::Push(FileBatchRef batch) {
  while (true) {
    const uint32_t seen = pops_.load(std::memory_order_acquire);
    if (ring_.TryPush(std::move(batch))) break;
    pops_.wait(seen, std::memory_order_acquire);
  }
  Ring();
}

void BatchQueue::Ring() {
  // Both sides exchange this one flag, and exchanges of one object have a total order: either this one comes second and
  // sees that the thread wants to sleep, or the thread's comes second and then sees the push.
  if (!asleep_.exchange(false, std::memory_order_acq_rel)) return;
  const uint64_t one = 1;
  ssize_t written;
  do {
    written = ::write(event_descriptor_, &one, sizeof(one));
  } while (written < 0 && errno == EINTR);
  HR_CHECK(written == sizeof(one));
}

std::optional<FileBatchRef> BatchQueue::TryPop() {
  std::optional<FileBatchRef> batch = ring_.TryPop();
  if (batch) {
    // Release: a submitter that sees the count finds the cell free.
    pops_.fetch_add(1, std::memory_order_release);
    pops_.notify_all();
  }
  return batch;
}

bool BatchQueue::PrepareToSleep() {
  asleep_.exchange(true, std::memory_order_acq_rel);
  if (ring_.size_hint() == 0) return true;
  // A submitter may have rung in between; the event it leaves wakes a later sleep once for nothing.
  asleep_.exchange(false, std::memory_order_acq_rel);
  return false;
}

void BatchQueue::TakeEvent() {
  uint64_t count;
  ssize_t taken;
  do {
    taken = ::read(event_descriptor_, &count, sizeof(count));
  } while (taken < 0 && errno == EINTR);
  HR_CHECK(taken == sizeof(count));
}

}  // namespace headrace
