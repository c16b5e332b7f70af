// The real clock.
#pragma once

#include "engine/ports/clock.h"

namespace headrace {

class ProductionClock : public Clock {
 public:
  int64_t MonotonicNs() override;
  int64_t UnixSeconds() override;
};

}  // namespace headrace
