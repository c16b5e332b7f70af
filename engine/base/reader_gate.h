// A lock for one writer and many readers in which readers that keep coming cannot keep the writer out, as they can with
// std::shared_mutex where the system prefers readers. For std::lock_guard and std::shared_lock; any thread; not recursive.
#pragma once

#include <mutex>
#include <shared_mutex>

namespace headrace {

class ReaderGate {
 public:
  void lock() {
    // Holding the turnstile keeps new readers out while those inside leave.
    const std::lock_guard turn(turnstile_);
    inside_.lock();
  }
  void unlock() { inside_.unlock(); }

  void lock_shared() {
    { const std::lock_guard turn(turnstile_); }
    inside_.lock_shared();
  }
  void unlock_shared() { inside_.unlock_shared(); }

 private:
  std::mutex turnstile_;
  std::shared_mutex inside_;
};

}  // namespace headrace
