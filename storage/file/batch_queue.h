// How batches reach the storage thread: a bounded ring and an eventfd that wakes the thread when it sleeps.
//
// Push: any thread; waits while the ring is full, which is the backpressure on whoever writes faster than the disk. The
// rest: the storage thread alone. A push costs two atomic exchanges while the thread is awake, a system call when not.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "engine/base/bounded_ring.h"
#include "engine/ports/doorbell.h"
#include "storage/file/file_system.h"

namespace headrace {

class BatchQueue final : public Doorbell {
 public:
  static constexpr size_t kCapacity = 1024;

  static absl::StatusOr<std::unique_ptr<BatchQueue>> Open();
  explicit BatchQueue(int event_descriptor) : event_descriptor_(event_descriptor), ring_(kCapacity) {}
  ~BatchQueue() override;
  BatchQueue(const BatchQueue&) = delete;
  BatchQueue& operator=(const BatchQueue&) = delete;

  // A null batch tells the storage thread to finish what came before it and end.
  void Push(FileBatchRef batch);
  void Ring() override;

  std::optional<FileBatchRef> TryPop();
  // False when something came: then the thread must not sleep. After true, any push makes the event descriptor readable.
  bool PrepareToSleep();
  // Takes the event, so that the descriptor is no longer readable. Blocks until there is one.
  void TakeEvent();
  int event_descriptor() const { return event_descriptor_; }

 private:
  const int event_descriptor_;
  BoundedRing<FileBatchRef> ring_;
  std::atomic<bool> asleep_{false};
  // Counts pops; submitters that met a full ring wait for it to move.
  std::atomic<uint32_t> pops_{0};
};

}  // namespace headrace
