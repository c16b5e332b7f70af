// simulate: runs simulated worlds, one after another, and says how to run the one that failed again.

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/sim/shrink.h"
#include "tests/sim/simulate_options.h"
#include "tests/sim/world.h"

namespace headrace::sim {
namespace {

// What a signal handler may still print when a check ends the process.
char g_replay[512];

void OnFatalSignal(int signal) {
  // Only what may be called here; a short write is no worse than none.
  (void)!write(STDERR_FILENO, g_replay, std::string_view(g_replay).size());
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

WorldResult RunOne(const SimulateOptions& options, const WorldOptions& world) {
  std::snprintf(g_replay, sizeof(g_replay), "The process died. Replay: %s\n", ReplayCommand(world).c_str());
  return World(world, options.is_verbose).Run();
}

void Report(const WorldOptions& world, const WorldResult& result, double seconds) {
  std::printf(
      "seed=%llu trace=%016llx ticks=%llu nodes=%d adversaries=%d faults=%02x height=%u made=%llu connected=%llu "
      "reorganisations=%llu starts=%llu power_failures=%llu statuses=%llu comparisons=%llu disk_operations=%llu "
      "simulated_s=%.0f seconds=%.2f\n",
      static_cast<unsigned long long>(world.seed), static_cast<unsigned long long>(result.trace_hash),
      static_cast<unsigned long long>(world.ticks), world.nodes, world.adversaries, world.faults, result.height,
      static_cast<unsigned long long>(result.blocks_made), static_cast<unsigned long long>(result.blocks_connected),
      static_cast<unsigned long long>(result.reorganisations), static_cast<unsigned long long>(result.starts),
      static_cast<unsigned long long>(result.power_failures), static_cast<unsigned long long>(result.statuses),
      static_cast<unsigned long long>(result.set_comparisons), static_cast<unsigned long long>(result.disk_operations),
      static_cast<double>(result.simulated_ns) / kNsPerSecond, seconds);
  std::fflush(stdout);
}

// Runs one seed, twice where that is asked for; false when it failed.
bool RunSeed(const SimulateOptions& options, uint64_t seed, uint64_t& connected) {
  const WorldOptions world = options.WorldOf(seed);
  const auto begin = std::chrono::steady_clock::now();
  const WorldResult result = RunOne(options, world);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  Report(world, result, elapsed.count());
  connected += result.blocks_connected;
  std::string failure = result.failure;
  if (failure.empty() && options.runs_twice) {
    const WorldResult again = RunOne(options, world);
    connected += again.blocks_connected;
    if (again.trace_hash != result.trace_hash) {
      failure = absl::StrCat("two runs of one seed differ: ", result.trace_events, " events and ", again.trace_events);
    }
  }
  if (failure.empty()) return true;
  std::printf("FAILED: %s\nReplay: %s\n", failure.c_str(), ReplayCommand(world).c_str());
  std::fflush(stdout);
  if (options.shrinks) Shrink(world);
  return false;
}

int Main(int count, char** arguments) {
  const std::optional<SimulateOptions> options = ParseSimulateOptions(count, arguments);
  if (!options) return 2;
  std::signal(SIGABRT, OnFatalSignal);
  std::signal(SIGSEGV, OnFatalSignal);
  const auto begin = std::chrono::steady_clock::now();
  const auto elapsed_s = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  uint64_t connected = 0;
  uint64_t worlds = 0;
  bool all_passed = true;
  for (uint64_t seed = options->seed_first; seed <= options->seed_last && all_passed; ++seed) {
    if (options->seconds_max != 0 && elapsed_s() > options->seconds_max) break;
    all_passed = RunSeed(*options, seed, connected);
    ++worlds;
  }
  std::printf("%s worlds=%llu connected=%llu seconds=%.1f connects_per_second=%.0f\n", all_passed ? "passed" : "failed",
              static_cast<unsigned long long>(worlds), static_cast<unsigned long long>(connected), elapsed_s(),
              static_cast<double>(connected) / elapsed_s());
  return all_passed ? 0 : 1;
}

}  // namespace
}  // namespace headrace::sim

int main(int count, char** arguments) { return headrace::sim::Main(count, arguments); }
