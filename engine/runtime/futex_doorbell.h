// A doorbell that a thread can sleep on, with a time-out: one futex word, no lock.
//
// One thread waits, any thread rings. A ring between two waits is never lost; several coalesce into one.
#pragma once

#include <atomic>
#include <cstdint>

#include "engine/ports/doorbell.h"

namespace headrace {

class FutexDoorbell : public Doorbell {
 public:
  void Ring() override;
  // Returns at once when it was rung since the last return, else when it rings or after `timeout_ms`.
  void Wait(int64_t timeout_ms);

 private:
  enum State : uint32_t { kQuiet, kRung, kSleeping };
  std::atomic<uint32_t> state_{kQuiet};
  static_assert(std::atomic<uint32_t>::is_always_lock_free);
};

}  // namespace headrace
