// Wakes a component that waits for work. Rung after something was pushed into one of its rings; rings may coalesce.
#pragma once

#include <mutex>

namespace headrace {

class Doorbell {
 public:
  virtual ~Doorbell() = default;
  // Any thread; cheap when the component is awake.
  virtual void Ring() = 0;
};

// A doorbell for work that may outlive the component it was for: once it is taken down, ringing does nothing.
class DetachableDoorbell {
 public:
  explicit DetachableDoorbell(Doorbell& doorbell) : doorbell_(&doorbell) {}

  // Any thread.
  void Ring() {
    const std::lock_guard lock(mutex_);
    if (doorbell_ != nullptr) doorbell_->Ring();
  }
  // When this has returned, nobody touches the doorbell any more.
  void TakeDown() {
    const std::lock_guard lock(mutex_);
    doorbell_ = nullptr;
  }

 private:
  std::mutex mutex_;
  Doorbell* doorbell_;
};

}  // namespace headrace
