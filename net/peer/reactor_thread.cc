#include "net/peer/reactor_thread.h"

namespace headrace {
namespace {

constexpr int64_t kStepNs = 250'000'000;
// At the end: rounds of at most 20 ms each.
constexpr int kDrainRounds = 100;
constexpr int64_t kDrainStepNs = 20'000'000;

}  // namespace

ReactorThread::ReactorThread(PeerHub& hub) : hub_(hub), thread_([this] { Run(); }) {}

void ReactorThread::Stop() {
  must_stop_.store(true, std::memory_order_release);
  hub_.doorbell().Ring();
  if (thread_.joinable()) thread_.join();
}

void ReactorThread::Run() {
  while (!must_stop_.load(std::memory_order_acquire)) hub_.Step(kStepNs);
  hub_.BeginShutdown();
  for (int i = 0; i < kDrainRounds && hub_.connection_count() != 0; ++i) hub_.Step(kDrainStepNs);
  hub_.AbortAll();
  for (int i = 0; i < kDrainRounds && hub_.connection_count() != 0; ++i) hub_.Step(kDrainStepNs);
}

}  // namespace headrace
