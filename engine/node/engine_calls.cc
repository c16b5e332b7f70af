#include "engine/node/engine_calls.h"

#include <condition_variable>
#include <utility>

namespace headrace {

struct EngineCalls::Call {
  Attempt attempt;
  std::condition_variable changed;
  bool is_done = false;
  bool is_turned_away = false;
};

absl::Status EngineCalls::Run(Attempt attempt) {
  Call call;
  call.attempt = std::move(attempt);
  std::unique_lock lock(mutex_);
  if (is_closed_) return absl::UnavailableError("The node is stopping.");
  if (waiting_.size() >= kWaitingMax) return absl::ResourceExhaustedError("Too many calls wait for the engine.");
  waiting_.push_back(&call);
  lock.unlock();
  engine_.Ring();
  lock.lock();
  call.changed.wait(lock, [&] { return call.is_done || call.is_turned_away; });
  return call.is_done ? absl::OkStatus() : absl::UnavailableError("The node is stopping.");
}

bool EngineCalls::Step() {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) return false;
    trying_.swap(waiting_);
  }
  std::vector<Call*> done;
  std::erase_if(trying_, [&](Call* call) {
    if (!call->attempt()) return false;
    done.push_back(call);
    return true;
  });
  const std::lock_guard lock(mutex_);
  for (Call* call : done) {
    call->is_done = true;
    call->changed.notify_one();
  }
  // Those that came meanwhile stand behind.
  trying_.insert(trying_.end(), waiting_.begin(), waiting_.end());
  waiting_.swap(trying_);
  trying_.clear();
  return !done.empty();
}

void EngineCalls::Close() {
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
  for (Call* call : waiting_) {
    call->is_turned_away = true;
    call->changed.notify_one();
  }
  waiting_.clear();
}

}  // namespace headrace
