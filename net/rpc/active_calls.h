// The calls that workers are at, for whoever asks what the server is busy with. Any thread; a lock at both ends of a
// call.
#pragma once

#include <chrono>
#include <list>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace headrace {

class ActiveCalls {
 public:
  struct Entry {
    std::string method;
    std::chrono::steady_clock::time_point began;
  };

  // Lists a call as long as it lives.
  class Scope {
   public:
    Scope(ActiveCalls& calls, std::string method) : calls_(calls) {
      const std::lock_guard lock(calls_.mutex_);
      entry_ = calls_.entries_.insert(calls_.entries_.end(), {std::move(method), std::chrono::steady_clock::now()});
    }
    ~Scope() {
      const std::lock_guard lock(calls_.mutex_);
      calls_.entries_.erase(entry_);
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    ActiveCalls& calls_;
    std::list<Entry>::iterator entry_;
  };

  // Oldest first.
  std::vector<Entry> Snapshot() const {
    const std::lock_guard lock(mutex_);
    return {entries_.begin(), entries_.end()};
  }

 private:
  mutable std::mutex mutex_;
  std::list<Entry> entries_;
};

}  // namespace headrace
