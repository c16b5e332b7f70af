// Questions of other threads that only the reactor can answer, because what they are about is its own (the address book).
//
// Any thread asks and waits until the reactor has run its question between two steps, or has ended. Few and rare: an operator's
// calls. The reactor pays one atomic load a step while there is none.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <vector>

#include "engine/ports/doorbell.h"

namespace headrace {

class ReactorCalls {
 public:
  // Any thread but the reactor's. True when `what` was run; false when the reactor does not turn any more.
  bool Call(const std::function<void()>& what, Doorbell& reactor) {
    Waiting waiting{&what};
    std::unique_lock lock(mutex_);
    if (is_closed_) return false;
    waiting_.push_back(&waiting);
    // Release: the reactor that sees it takes the lock and finds the question.
    has_any_.store(true, std::memory_order_release);
    reactor.Ring();
    over_.wait(lock, [&] { return waiting.is_over; });
    return waiting.was_run;
  }

  // The reactor.
  void RunAll() {
    if (!has_any_.load(std::memory_order_acquire)) return;
    const std::lock_guard lock(mutex_);
    for (Waiting* waiting : waiting_) {
      (*waiting->what)();
      waiting->was_run = waiting->is_over = true;
    }
    Forget();
  }
  // The reactor, once and for all: nobody waits for it any more.
  void Close() {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    for (Waiting* waiting : waiting_) waiting->is_over = true;
    Forget();
  }

 private:
  struct Waiting {
    const std::function<void()>* what;
    bool is_over = false;
    bool was_run = false;
  };
  void Forget() {
    waiting_.clear();
    has_any_.store(false, std::memory_order_relaxed);
    over_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable over_;
  std::vector<Waiting*> waiting_;
  std::atomic<bool> has_any_{false};
  bool is_closed_ = false;
};

}  // namespace headrace
