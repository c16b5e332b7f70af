#include "tests/sim/simulate_options.h"

#include <cstdio>
#include <random>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace headrace::sim {
namespace {

constexpr char kUsage[] =
    "simulate --seed=N | --seeds=A-B | --minutes=M [--jobs=N] [--twice] [--verbose] [--shrink] [--demand-lies]\n"
    "         [--ticks=N] [--nodes=N] [--adversaries=N] "
    "[--faults=none|all|kills,power,eio,enospc,rot,network,adversaries,"
    "reorganisations]\n"
    "         [--forget-syncs=PART_OF_PATH] [--swallow-errors=PART_OF_PATH]\n";

std::optional<uint32_t> ParseFaults(const std::string& text) {
  if (text == "none") return 0;
  if (text == "all") return kAllFaults;
  uint32_t faults = 0;
  for (const std::string& name : std::vector<std::string>(absl::StrSplit(text, ','))) {
    bool is_known = false;
    for (const FaultClassName& fault : kFaultClassNames) {
      if (name != fault.name) continue;
      faults |= fault.fault;
      is_known = true;
    }
    if (!is_known) return std::nullopt;
  }
  return faults;
}

template <typename Number>
bool ParseInto(const std::string& text, std::optional<Number>& number) {
  Number parsed;
  if (!absl::SimpleAtoi(text, &parsed)) return false;
  number = parsed;
  return true;
}

bool ParseOne(const std::string& argument, SimulateOptions& options) {
  const size_t equals = argument.find('=');
  const std::string name = argument.substr(0, equals);
  const std::string value = equals == std::string::npos ? std::string() : argument.substr(equals + 1);
  if (name == "--twice") return options.runs_twice = true;
  if (name == "--verbose") return options.is_verbose = true;
  if (name == "--shrink") return options.shrinks = true;
  if (name == "--demand-lies") return options.demands_lies = true;
  if (name == "--seed") {
    if (!absl::SimpleAtoi(value, &options.seed_first)) return false;
    options.seed_last = options.seed_first;
    return true;
  }
  if (name == "--seeds") {
    const std::vector<std::string> ends = absl::StrSplit(value, '-');
    return ends.size() == 2 && absl::SimpleAtoi(ends[0], &options.seed_first) &&
           absl::SimpleAtoi(ends[1], &options.seed_last);
  }
  if (name == "--jobs") return absl::SimpleAtoi(value, &options.jobs) && options.jobs >= 1 && options.jobs <= 256;
  if (name == "--minutes") {
    double minutes;
    if (!absl::SimpleAtod(value, &minutes) || minutes <= 0) return false;
    options.seconds_max = minutes * 60;
    // Worlds that nobody has seen: this is the one place where the outside decides.
    options.seed_first = uint64_t{std::random_device()()} << 20;
    options.seed_last = UINT64_MAX;
    return true;
  }
  if (name == "--ticks") return ParseInto(value, options.ticks);
  if (name == "--nodes") return ParseInto(value, options.nodes) && *options.nodes >= 1 && *options.nodes <= 16;
  if (name == "--adversaries")
    return ParseInto(value, options.adversaries) && *options.adversaries >= 0 && *options.adversaries <= 16;
  if (name == "--forget-syncs") return !(options.forgotten_syncs = value).empty();
  if (name == "--swallow-errors") return !(options.swallowed_errors = value).empty();
  if (name == "--faults") return (options.faults = ParseFaults(value)).has_value();
  return false;
}

}  // namespace

WorldOptions SimulateOptions::WorldOf(uint64_t seed) const {
  WorldOptions world = DrawWorldOptions(seed);
  if (ticks) world.ticks = *ticks;
  if (nodes) world.nodes = *nodes;
  if (adversaries) world.adversaries = *adversaries;
  if (faults) world.faults = *faults;
  world.forgotten_syncs = forgotten_syncs;
  world.swallowed_errors = swallowed_errors;
  return world;
}

std::optional<SimulateOptions> ParseSimulateOptions(int count, char** arguments) {
  SimulateOptions options;
  for (int i = 1; i < count; ++i) {
    if (ParseOne(arguments[i], options)) continue;
    std::fprintf(stderr, "Error: the argument %s is unknown or has no such value.\n%s", arguments[i], kUsage);
    return std::nullopt;
  }
  return options;
}

std::string ReplayCommand(const WorldOptions& world) {
  std::string faults;
  for (const FaultClassName& fault : kFaultClassNames) {
    if ((world.faults & fault.fault) != 0) absl::StrAppend(&faults, faults.empty() ? "" : ",", fault.name);
  }
  return absl::StrCat("simulate --seed=", world.seed, " --ticks=", world.ticks, " --nodes=", world.nodes,
                      " --adversaries=", world.adversaries, " --faults=", faults.empty() ? "none" : faults,
                      world.forgotten_syncs.empty() ? "" : " --forget-syncs=" + world.forgotten_syncs,
                      world.swallowed_errors.empty() ? "" : " --swallow-errors=" + world.swallowed_errors);
}

}  // namespace headrace::sim
