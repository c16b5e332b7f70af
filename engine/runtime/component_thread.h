// A thread for one component: calls its step function again and again, and sleeps on a doorbell when a step found
// nothing to do.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "engine/runtime/futex_doorbell.h"

namespace headrace {

class ComponentThread {
 public:
  // `step` returns whether it did anything. It runs on the new thread only, until Stop. `idle_wait_ms` bounds how long
  // timers inside the component can be late.
  ComponentThread(std::string name, FutexDoorbell* doorbell, int64_t idle_wait_ms, std::function<bool()> step);
  ~ComponentThread() { Stop(); }

  // Returns when the current step has ended. Safe to call twice.
  void Stop();

 private:
  void Run();

  const std::string name_;
  FutexDoorbell* const doorbell_;
  const int64_t idle_wait_ms_;
  const std::function<bool()> step_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace headrace
