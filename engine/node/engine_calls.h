// Questions and orders from other threads, carried to the engine thread and carried out there between two turns.
//
// A call is a function that is tried once a turn until it says that it is done: one that only looks is done at the
// first attempt, one that changes the chain when the change is visible. Calls are tried in the order in which they
// came.
//
// Threads: Run may be called from any other, Step and Close belong to the engine thread. Cost: two locks a turn, and a
// wake-up each call.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <vector>

#include "absl/status/status.h"
#include "engine/ports/doorbell.h"

namespace headrace {

class EngineCalls {
 public:
  // True when it has done what it is for. Whatever it refers to is kept alive by the thread that waits in Run.
  using Attempt = std::function<bool()>;
  // Calls that wait at a time; more are turned away.
  static constexpr size_t kWaitingMax = 1024;

  explicit EngineCalls(Doorbell& engine) : engine_(engine) {}
  EngineCalls(const EngineCalls&) = delete;
  EngineCalls& operator=(const EngineCalls&) = delete;

  // Waits until the attempt is done. Unavailable when the node stops before, and then the attempt is not tried any
  // more; ResourceExhausted when too many calls wait. Not on the engine thread.
  absl::Status Run(Attempt attempt);

  // Tries every waiting call once. True when any was done.
  bool Step();

  // Turns away those that wait and those that will come. Also for another thread once the engine's has ended.
  void Close();

 private:
  struct Call;

  Doorbell& engine_;
  std::mutex mutex_;
  std::vector<Call*> waiting_;  // each lives on the stack of the thread that waits
  std::vector<Call*> trying_;   // the engine thread's, during Step
  bool is_closed_ = false;
};

}  // namespace headrace
