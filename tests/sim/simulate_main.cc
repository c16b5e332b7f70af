// simulate: runs simulated worlds and says how to run the one that failed again. Worlds know nothing of one another:
// with
// --jobs, so many processes share the seeds.

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
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
      "absent_pages=%llu compact_questions=%llu compact_lies=%llu "
      "simulated_s=%.0f seconds=%.2f\n",
      static_cast<unsigned long long>(world.seed), static_cast<unsigned long long>(result.trace_hash),
      static_cast<unsigned long long>(world.ticks), world.nodes, world.adversaries, world.faults, result.height,
      static_cast<unsigned long long>(result.blocks_made), static_cast<unsigned long long>(result.blocks_connected),
      static_cast<unsigned long long>(result.reorganisations), static_cast<unsigned long long>(result.starts),
      static_cast<unsigned long long>(result.power_failures), static_cast<unsigned long long>(result.statuses),
      static_cast<unsigned long long>(result.set_comparisons), static_cast<unsigned long long>(result.disk_operations),
      static_cast<unsigned long long>(result.absent_pages), static_cast<unsigned long long>(result.compact_questions),
      static_cast<unsigned long long>(result.compact_lies), static_cast<double>(result.simulated_ns) / kNsPerSecond, seconds);
  std::fflush(stdout);
}

// What the processes of one run add up, in memory that they share.
struct Totals {
  std::atomic<uint64_t> connected = 0;
  std::atomic<uint64_t> worlds = 0;
  std::atomic<uint64_t> compact_questions = 0;
  std::atomic<uint64_t> compact_lies = 0;
  std::atomic<bool> has_failed = false;
};

Totals& SharedTotals() {
  void* memory = mmap(nullptr, sizeof(Totals), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    std::perror("Error: no memory to share");
    std::exit(2);
  }
  return *new (memory) Totals;
}

// Runs one seed, twice where that is asked for; false when it failed.
bool RunSeed(const SimulateOptions& options, uint64_t seed, Totals& totals) {
  const WorldOptions world = options.WorldOf(seed);
  const auto begin = std::chrono::steady_clock::now();
  const WorldResult result = RunOne(options, world);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  Report(world, result, elapsed.count());
  totals.connected += result.blocks_connected;
  totals.compact_questions += result.compact_questions;
  totals.compact_lies += result.compact_lies;
  std::string failure = result.failure;
  if (failure.empty() && options.runs_twice) {
    const WorldResult again = RunOne(options, world);
    totals.connected += again.blocks_connected;
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

// Every `jobs`-th seed, beginning with the one numbered `job`.
void RunShare(const SimulateOptions& options, uint64_t job, absl::FunctionRef<double()> elapsed_s, Totals& totals) {
  for (uint64_t seed = options.seed_first + job; seed <= options.seed_last; seed += options.jobs) {
    if (totals.has_failed || (options.seconds_max != 0 && elapsed_s() > options.seconds_max)) return;
    if (!RunSeed(options, seed, totals)) totals.has_failed = true;
    ++totals.worlds;
  }
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
  Totals& totals = SharedTotals();
  if (options->jobs == 1) {
    RunShare(*options, 0, elapsed_s, totals);
  } else {
    for (uint64_t job = 0; job < options->jobs; ++job) {
      const pid_t child = fork();
      if (child < 0) {
        std::perror("Error: fork");
        return 2;
      }
      if (child == 0) {
        RunShare(*options, job, elapsed_s, totals);
        std::fflush(stdout);
        _exit(0);
      }
    }
    int status = 0;
    while (wait(&status) > 0) {
      if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) totals.has_failed = true;
    }
  }
  if (options->demands_lies && (totals.compact_questions == 0 || totals.compact_lies == 0)) {
    std::printf("FAILED: no world put a compact block of a liar together and saw through it\n");
    totals.has_failed = true;
  }
  const bool all_passed = !totals.has_failed;
  std::printf("%s worlds=%llu connected=%llu compact_questions=%llu compact_lies=%llu seconds=%.1f connects_per_second=%.0f\n", all_passed ? "passed" : "failed",
              static_cast<unsigned long long>(totals.worlds), static_cast<unsigned long long>(totals.connected),
              static_cast<unsigned long long>(totals.compact_questions),
              static_cast<unsigned long long>(totals.compact_lies),
              elapsed_s(), static_cast<double>(totals.connected) / elapsed_s());
  return all_passed ? 0 : 1;
}

}  // namespace
}  // namespace headrace::sim

int main(int count, char** arguments) { return headrace::sim::Main(count, arguments); }
