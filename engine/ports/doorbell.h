// Wakes a component that waits for work. Rung after something was pushed into one of its rings; rings may coalesce.
#pragma once

namespace headrace {

class Doorbell {
 public:
  virtual ~Doorbell() = default;
  // Any thread; cheap when the component is awake.
  virtual void Ring() = 0;
};

}  // namespace headrace
