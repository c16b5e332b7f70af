#include "engine/runtime/component_thread.h"

#include <pthread.h>

#include <utility>

namespace headrace {

ComponentThread::ComponentThread(std::string name, FutexDoorbell* doorbell, int64_t idle_wait_ms,
                                 std::function<bool()> step)
    : name_(std::move(name)), doorbell_(doorbell), idle_wait_ms_(idle_wait_ms), step_(std::move(step)) {
  thread_ = std::thread([this] { Run(); });
}

void ComponentThread::Stop() {
  // Relaxed would do for the flag itself; the doorbell's exchange orders it before the wake-up.
  stop_.store(true, std::memory_order_release);
  doorbell_->Ring();
  if (thread_.joinable()) thread_.join();
}

void ComponentThread::Run() {
  // The kernel shows at most 15 characters.
  pthread_setname_np(pthread_self(), name_.substr(0, 15).c_str());
  while (!stop_.load(std::memory_order_acquire)) {
    if (!step_()) doorbell_->Wait(idle_wait_ms_);
  }
}

}  // namespace headrace
