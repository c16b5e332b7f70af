// bench_coin_stores: headrace's coin store beside others, under one workload. See README.md.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "bench/storage/coins/benched_store.h"
#include "bench/storage/coins/store_comparison.h"
#include "bench/storage/coins/store_run.h"
#include "engine/base/status_macros.h"

namespace headrace::bench {
namespace {

constexpr char kUsage[] =
    "bench_coin_stores measures coin stores under one workload: blocks that create and spend coins.\n"
    "\n"
    "  --store=NAME          runs one store and prints its figures as JSON\n"
    "  --compare=NAME,...    runs several, each in a process of its own, and prints a table of medians (headrace)\n"
    "  --coins=N             coins created before anything else is measured (1000000)\n"
    "  --seed=N              of the workload (1)\n"
    "  --workers=N           threads beside the calling one (1)\n"
    "  --cache-mib=N         for each store; 0: enough to hold everything in memory (0)\n"
    "  --blocks-per-window=N (8)\n"
    "  --windows=N           of each kind; 0: by the number of coins (0)\n"
    "  --windows-per-checkpoint=N   where windows and checkpoints go on together (40)\n"
    "  --directory=FOLDER    where stores are made and deleted again (the system's temporary directory)\n"
    "  --repetitions=N       of all stores, interleaved, with --compare (1)\n"
    "  --deadline=SECONDS    of one run (3600)\n"
    "  --json=FILE           all runs, with --compare\n"
    "\n"
    "A name may go on with +prefaulted (its memory is there before the clock runs), +alone (no worker beside the "
    "calling\n"
    "thread) and +checked (looks whether created coins exist, where a store does not anyway). Stores:\n";

struct Options {
  StoreRunOptions run;
  std::string store;
  std::vector<std::string> compared = {"headrace"};
  uint32_t repetitions = 1;
  uint32_t deadline_s = 3600;
  std::string json;
  // What every run of a comparison is given too.
  std::vector<std::string> passed_on;
};

template <typename T>
absl::Status ParseNumber(std::string_view name, std::string_view text, uint64_t least, uint64_t most, T& target) {
  uint64_t number = 0;
  if (!absl::SimpleAtoi(absl::string_view(text.data(), text.size()), &number) || number < least || number > most) {
    return absl::InvalidArgumentError(absl::StrCat("--", std::string(name), "=", std::string(text),
                                                   " is wrong: give a whole number from ", least, " to ", most, "."));
  }
  target = static_cast<T>(number);
  return absl::OkStatus();
}

absl::Status ParseOfRun(std::string_view name, std::string_view value, StoreRunOptions& run) {
  if (name == "coins") return ParseNumber(name, value, 1000, 1'000'000'000, run.coins);
  if (name == "seed") return ParseNumber(name, value, 0, UINT64_MAX, run.seed);
  if (name == "workers") return ParseNumber(name, value, 0, 256, run.workers);
  if (name == "cache-mib") {
    HR_RETURN_IF_ERROR(ParseNumber(name, value, 0, 1 << 24, run.cache_bytes));
    run.cache_bytes <<= 20;
    return absl::OkStatus();
  }
  if (name == "blocks-per-window") return ParseNumber(name, value, 1, 1024, run.blocks_per_window);
  if (name == "windows") return ParseNumber(name, value, 0, 1'000'000, run.windows);
  if (name == "windows-per-checkpoint") return ParseNumber(name, value, 1, 1'000'000, run.windows_per_checkpoint);
  if (name == "directory") {
    run.directory = std::string(value);
    return absl::OkStatus();
  }
  return absl::NotFoundError(
      absl::StrCat("There is no option --", std::string(name), "; --help lists those there are."));
}

absl::Status ParseOne(std::string_view name, std::string_view value, Options& options) {
  if (name == "store") {
    options.store = std::string(value);
    return absl::OkStatus();
  }
  if (name == "compare") {
    options.compared = absl::StrSplit(std::string(value), ',');
    return absl::OkStatus();
  }
  if (name == "repetitions") return ParseNumber(name, value, 1, 1000, options.repetitions);
  if (name == "deadline") return ParseNumber(name, value, 1, 86'400, options.deadline_s);
  if (name == "json") {
    options.json = std::string(value);
    return absl::OkStatus();
  }
  options.passed_on.push_back(absl::StrCat("--", std::string(name), "=", std::string(value)));
  return ParseOfRun(name, value, options.run);
}

std::string Usage() {
  std::string text = kUsage;
  for (const StoreName& store : StoreNames()) {
    absl::StrAppend(&text, "  ", store.missing.empty() ? store.name : store.missing, "\n");
  }
  return text;
}

absl::Status WriteJson(const std::string& path, const nlohmann::ordered_json& json) {
  std::ofstream stream(path, std::ios::binary);
  stream << json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
  stream.flush();
  return stream ? absl::OkStatus()
                : absl::UnavailableError(absl::StrCat("cannot write ", path, ": give another with --json."));
}

absl::StatusOr<bool> RunComparison(const Options& options, const std::string& program) {
  for (const std::string& name : options.compared) HR_RETURN_IF_ERROR(OptionsOfContestant(name, options.run).status());
  const std::vector<Contestant> contestants =
      Compare(program, options.compared, options.passed_on, options.repetitions, options.deadline_s);
  std::fputs(TableOf(contestants).c_str(), stdout);
  if (!options.json.empty()) HR_RETURN_IF_ERROR(WriteJson(options.json, JsonOf(contestants)));
  bool is_good = true;
  for (const Contestant& contestant : contestants) is_good = is_good && contestant.errors.empty();
  return is_good;
}

absl::StatusOr<bool> Run(std::span<const char* const> arguments, const std::string& program) {
  Options options;
  for (const std::string_view argument : arguments) {
    if (argument == "--help") {
      std::fputs(Usage().c_str(), stdout);
      return true;
    }
    const size_t equals = argument.find('=');
    if (!argument.starts_with("--") || equals == std::string_view::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", std::string(argument), "\" is no option: write --name=value; --help lists the names."));
    }
    HR_RETURN_IF_ERROR(ParseOne(argument.substr(2, equals - 2), argument.substr(equals + 1), options));
  }
  if (options.store.empty()) return RunComparison(options, program);
  HR_ASSIGN_OR_RETURN(const StoreRunOptions run, OptionsOfContestant(options.store, options.run));
  HR_ASSIGN_OR_RETURN(const nlohmann::ordered_json figures, RunStore(run));
  std::fputs((figures.dump(1) + "\n").c_str(), stdout);
  return true;
}

}  // namespace
}  // namespace headrace::bench

int main(int argc, char** argv) {
  try {
    const std::string program = std::filesystem::read_symlink("/proc/self/exe").string();
    const absl::StatusOr<bool> is_good = headrace::bench::Run({argv + 1, static_cast<size_t>(argc - 1)}, program);
    if (is_good.ok()) return *is_good ? 0 : 1;
    std::fprintf(stderr, "Error: %s\n", std::string(is_good.status().message()).c_str());
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "Error: %s\n", failure.what());
  }
  return 1;
}
