// The reactor's doorbell: an eventfd that is written only when the reactor sleeps.
//
// Ring is for any thread and costs one atomic exchange while the reactor is awake. The reactor brackets its wait with
// PrepareToSleep and Awake; what was pushed into a ring before Ring is seen after Awake.
#pragma once

#include <atomic>
#include <cstdint>

#include "engine/ports/doorbell.h"

namespace headrace {

class WakeBell final : public Doorbell {
 public:
  // `flags` for eventfd: io_uring wants a blocking descriptor, epoll one that does not block. Where no descriptor is to be had,
  // `fd` is negative: whoever opens a transport looks, and refuses.
  explicit WakeBell(int flags);
  ~WakeBell() override;
  WakeBell(const WakeBell&) = delete;
  WakeBell& operator=(const WakeBell&) = delete;

  void Ring() override;

  // False when somebody has rung since the last Awake: the reactor must not wait.
  bool PrepareToSleep();
  void Awake();

  int fd() const { return fd_; }

 private:
  enum State : uint32_t { kAwake, kSleeping, kRung };
  static_assert(std::atomic<uint32_t>::is_always_lock_free);

  const int fd_;
  std::atomic<uint32_t> state_{kAwake};
};

}  // namespace headrace
