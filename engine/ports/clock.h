// Time, as the engine and the network ask for it.
#pragma once

#include <cstdint>

namespace headrace {

class Clock {
 public:
  virtual ~Clock() = default;
  // Never goes back; the zero is arbitrary.
  virtual int64_t MonotonicNs() = 0;
  // Seconds since 1970, UTC: what header times are compared with.
  virtual int64_t UnixSeconds() = 0;
};

}  // namespace headrace
