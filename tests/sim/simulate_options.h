// The command line of simulate. Values; one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tests/sim/world_options.h"

namespace headrace::sim {

struct SimulateOptions {
  uint64_t seed_first = 1;
  uint64_t seed_last = 1;
  double seconds_max = 0;  // 0: no limit
  uint64_t jobs = 1;       // processes that share the seeds
  bool runs_twice = false;
  bool is_verbose = false;
  bool shrinks = false;
  bool demands_lies = false;  // fails unless some world reached, and saw through, lies in compact blocks
  // Choices that replace the seed's.
  std::optional<uint64_t> ticks;
  std::optional<int> nodes;
  std::optional<int> adversaries;
  std::optional<uint32_t> faults;
  // To show that worlds notice: see sim_disk.h.
  std::string forgotten_syncs;
  std::string swallowed_errors;

  WorldOptions WorldOf(uint64_t seed) const;
};

// Nothing, and a sentence on standard error, when an argument is wrong.
std::optional<SimulateOptions> ParseSimulateOptions(int count, char** arguments);
// The one command that runs this world again.
std::string ReplayCommand(const WorldOptions& world);

}  // namespace headrace::sim
