// The clock of a simulated world. It moves only when the world moves it: to the moment at which the next component is
// due. One thread.
#pragma once

#include <cstdint>

#include "engine/base/check.h"
#include "engine/ports/clock.h"

namespace headrace::sim {

inline constexpr int64_t kNsPerMs = 1'000'000;
inline constexpr int64_t kNsPerSecond = 1'000'000'000;

class SimClock final : public Clock {
 public:
  // Two days after regtest's genesis, so that a first stretch of blocks at ten minutes lies in the past.
  static constexpr int64_t kStartUnixSeconds = 1'296'688'602 + 2 * 86'400;

  int64_t MonotonicNs() override { return now_ns_; }
  int64_t UnixSeconds() override { return kStartUnixSeconds + now_ns_ / kNsPerSecond; }

  int64_t now_ns() const { return now_ns_; }
  void AdvanceTo(int64_t now_ns) {
    HR_CHECK(now_ns >= now_ns_);
    now_ns_ = now_ns;
  }

 private:
  int64_t now_ns_ = kNsPerSecond;
};

// When a component of the world is to be turned next. Whoever gives it work brings the moment forward, but not into the
// turn that it is busy with: two components that wake each other must not stop the clock.
struct Wakeup {
  int64_t due_ns = 0;
  int64_t busy_until_ns = 0;
  void At(int64_t when_ns) {
    const int64_t possible_ns = when_ns < busy_until_ns ? busy_until_ns : when_ns;
    if (possible_ns < due_ns) due_ns = possible_ns;
  }
};

}  // namespace headrace::sim
