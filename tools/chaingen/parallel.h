// A loop over independent slots on several threads. Results must not depend on which thread takes which slot.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace headrace::chaingen {

// Calls body(i) for every i below `count`; returns when all are done. Starting threads costs tens of microseconds, so
// short loops stay on the caller's.
template <typename Body>
void ParallelFor(size_t count, uint32_t threads, const Body& body) {
  constexpr size_t kSlotsPerThreadMin = 8;
  const size_t useful = std::min<size_t>(threads, count / kSlotsPerThreadMin);
  // Relaxed: the counter only hands out slots; joining the threads publishes what they wrote.
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t i = next.fetch_add(1, std::memory_order_relaxed); i < count;
         i = next.fetch_add(1, std::memory_order_relaxed)) {
      body(i);
    }
  };
  std::vector<std::thread> others;
  for (size_t i = 1; i < useful; ++i) others.emplace_back(work);
  work();
  for (std::thread& thread : others) thread.join();
}

}  // namespace headrace::chaingen
