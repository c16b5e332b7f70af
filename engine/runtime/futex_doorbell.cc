#include "engine/runtime/futex_doorbell.h"

#include <ctime>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace headrace {
namespace {

void FutexCall(std::atomic<uint32_t>& word, int operation, uint32_t value, const timespec* timeout) {
  syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), operation, value, timeout, nullptr, 0);
}

}  // namespace

void FutexDoorbell::Ring() {
  // Release: what was pushed before the ring is seen by whoever acquires in Wait.
  if (state_.exchange(kRung, std::memory_order_acq_rel) == kSleeping) {
    FutexCall(state_, FUTEX_WAKE_PRIVATE, 1, nullptr);
  }
}

void FutexDoorbell::Wait(int64_t timeout_ms) {
  uint32_t quiet = kQuiet;
  // Only the waiter writes kSleeping; a ring that came first turns the exchange down.
  if (state_.compare_exchange_strong(quiet, kSleeping, std::memory_order_acq_rel)) {
    const timespec timeout{static_cast<time_t>(timeout_ms / 1000), static_cast<long>(timeout_ms % 1000 * 1'000'000)};
    FutexCall(state_, FUTEX_WAIT_PRIVATE, kSleeping, &timeout);
  }
  state_.exchange(kQuiet, std::memory_order_acq_rel);
}

}  // namespace headrace
