#include "net/transport/wake_bell.h"

#include <sys/eventfd.h>
#include <unistd.h>

namespace headrace {

WakeBell::WakeBell(int flags) : fd_(eventfd(0, flags | EFD_CLOEXEC)) {}

WakeBell::~WakeBell() {
  if (fd_ >= 0) close(fd_);
}

void WakeBell::Ring() {
  // Acquire and release: what the ringer wrote before is seen by the reactor's exchange in Awake.
  if (state_.exchange(kRung, std::memory_order_acq_rel) != kSleeping) return;
  const uint64_t one = 1;
  // A write can only fail when the counter is full, and then the reactor is woken anyway.
  [[maybe_unused]] const ssize_t written = write(fd_, &one, sizeof(one));
}

bool WakeBell::PrepareToSleep() {
  uint32_t expected = kAwake;
  return state_.compare_exchange_strong(expected, kSleeping, std::memory_order_acq_rel);
}

void WakeBell::Awake() { state_.exchange(kAwake, std::memory_order_acq_rel); }

}  // namespace headrace
