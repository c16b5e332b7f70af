// How much the stress tests do: HEADRACE_STRESS multiplies the rounds of each (1 when it is not set). Where a thread
// waits for others, it has a deadline after which the test fails instead of hanging.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <thread>

namespace headrace::testing {

inline int StressFactor() {
  const char* factor = std::getenv("HEADRACE_STRESS");
  const int times = factor == nullptr ? 1 : std::atoi(factor);
  return times < 1 ? 1 : times;
}

// `base` rounds, or as many times more as the environment says.
inline int StressRounds(int base) { return base * StressFactor(); }

// What a thread that asks without end says to itself after each question: a pause now and then. oneTBB's workers yield while they
// look for work, and would get no processor beside threads that never rest.
class BusyPause {
 public:
  void AfterOne() {
    if (++asked_ % 64 == 0) std::this_thread::sleep_for(std::chrono::microseconds(100));
  }

 private:
  uint64_t asked_ = 0;
};

class StressDeadline {
 public:
  // Longer than any deadline: who sleeps so long because nobody woke it fails its test.
  static int64_t BeyondMs() { return Length().count() + 60'000; }

  bool is_over() const { return std::chrono::steady_clock::now() > end_; }
  // Yields until `done`; false when the deadline came first.
  bool Await(const std::function<bool()>& done) const {
    while (!done()) {
      if (is_over()) return false;
      std::this_thread::yield();
    }
    return true;
  }

 private:
  static std::chrono::milliseconds Length() { return std::chrono::minutes(5) * StressFactor(); }

  const std::chrono::steady_clock::time_point end_ = std::chrono::steady_clock::now() + Length();
};

}  // namespace headrace::testing
