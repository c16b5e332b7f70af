#include "bench/storage/coins/store_comparison.h"

#include <sys/utsname.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "bench/storage/coins/process_figures.h"
#include "tests/support/process.h"

namespace headrace::bench {
namespace {

using Json = nlohmann::ordered_json;

// A line of the table: where the figure is in a run, what it is divided by, and the aim that the project has for it.
struct Line {
  const char* label;
  const char* pointer;
  double divisor;
  const char* format;
  const char* aim;
};

constexpr double kMillion = 1e6;
constexpr Line kLines[] = {
    {"create, M/s", "/phases/create/operations_per_second", kMillion, "%.2f", ""},
    {"  a CPU second", "/phases/create/operations_per_cpu_second", kMillion, "%.2f", "5 (at 1e8, a core)"},
    {"spend, M/s", "/phases/spend/operations_per_second", kMillion, "%.2f", ""},
    {"  a CPU second", "/phases/spend/operations_per_cpu_second", kMillion, "%.2f", "8 (at 1e8, a core)"},
    {"uniform ages, M/s", "/phases/uniform/operations_per_second", kMillion, "%.2f", "5 times RocksDB"},
    {"  a CPU second", "/phases/uniform/operations_per_cpu_second", kMillion, "%.2f", ""},
    {"mainnet's ages, M/s", "/phases/mainnet/operations_per_second", kMillion, "%.2f", "5 times RocksDB"},
    {"  a CPU second", "/phases/mainnet/operations_per_cpu_second", kMillion, "%.2f", ""},
    {"  window p50, ms", "/phases/mainnet/window_ms_p50", 1, "%.1f", ""},
    {"  window p99, ms", "/phases/mainnet/window_ms_p99", 1, "%.1f", ""},
    {"  window max, ms", "/phases/mainnet/window_ms_max", 1, "%.1f", ""},
    {"beside a reader, M/s", "/phases/readers/operations_per_second", kMillion, "%.2f", ""},
    {"with checkpoints, M/s", "/phases/checkpoints/operations_per_second", kMillion, "%.2f", "5 times RocksDB"},
    {"  a CPU second", "/phases/checkpoints/operations_per_cpu_second", kMillion, "%.2f", ""},
    {"  window p50, ms", "/phases/checkpoints/window_ms_p50", 1, "%.1f", ""},
    {"  window p99, ms", "/phases/checkpoints/window_ms_p99", 1, "%.1f", ""},
    {"  window max, ms", "/phases/checkpoints/window_ms_max", 1, "%.1f", "p50 + 50"},
    {"  delayed by 50 ms", "/phases/checkpoints/windows_delayed_50_ms", 1, "%.0f", "0"},
    {"  a step, max, ms", "/phases/checkpoints/step_ms_max", 1, "%.1f", "50"},
    {"with compactions, M/s", "/phases/compactions/operations_per_second", kMillion, "%.2f", ""},
    {"  window p50, ms", "/phases/compactions/window_ms_p50", 1, "%.1f", ""},
    {"  window p99, ms", "/phases/compactions/window_ms_p99", 1, "%.1f", ""},
    {"  window max, ms", "/phases/compactions/window_ms_max", 1, "%.1f", "p50 + 50"},
    {"  delayed by 50 ms", "/phases/compactions/windows_delayed_50_ms", 1, "%.0f", "0"},
    {"  a step, max, ms", "/phases/compactions/step_ms_max", 1, "%.1f", "50"},
    {"checkpoints ended", "/rounds_in_checkpoints", 1, "%.0f", ""},
    {"one read, ns", "/find_ns", 1, "%.0f", ""},
    {"read beside windows p50, ns", "/reads_beside_windows/ns_p50", 1, "%.0f", ""},
    {"  p99, us", "/reads_beside_windows/ns_p99", 1e3, "%.1f", ""},
    {"  p99.9, us", "/reads_beside_windows/ns_p999", 1e3, "%.1f", ""},
    {"  max, ms", "/reads_beside_windows/ns_max", kMillion, "%.1f", ""},
    {"all of it durable, s", "/first_durable_seconds", 1, "%.2f", ""},
    {"last blocks durable, s", "/second_durable_seconds", 1, "%.2f", ""},
    {"memory after create, B/coin", "/phases/create/anonymous_bytes_per_coin", 1, "%.1f", ""},
    {"disk, no garbage, B/coin", "/disk_without_garbage/bytes_per_coin", 1, "%.1f", "85"},
    {"disk, garbage, B/coin", "/disk_with_garbage/bytes_per_coin", 1, "%.1f", "119"},
    {"disk, compacted, B/coin", "/disk_after_compaction/bytes_per_coin", 1, "%.1f", ""},
    {"written, B/creation", "/written_bytes_per_creation", 1, "%.1f", ""},
    {"restart, warm, s", "/restart_warm/answer_seconds", 1, "%.3f", "2 (a node at 1e8)"},
    {"restart, cold, s", "/restart_cold/answer_seconds", 1, "%.3f", ""},
    {"  left in the page cache", "/restart_cold/share_left_in_page_cache", 1, "%.3f", ""},
    {"peak memory, MB", "/peak_memory_bytes", kMillion, "%.0f", ""},
    {"load before", "/load_before", 1, "%.1f", ""},
    {"load after", "/load_after", 1, "%.1f", ""}};

constexpr const char* kComparedPhases[] = {"create", "spend", "uniform", "mainnet", "checkpoints", "compactions"};

// The median of the runs that have the figure.
std::optional<double> MedianOf(const Contestant& contestant, const std::string& pointer) {
  std::vector<double> values;
  for (const Json& run : contestant.runs) {
    const Json::json_pointer at(pointer);
    if (run.contains(at) && run[at].is_number()) values.push_back(run[at].get<double>());
  }
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::string CellOf(const Contestant& contestant, const Line& line) {
  const std::optional<double> value = MedianOf(contestant, line.pointer);
  if (!value) return "-";
  return absl::StrFormat(*absl::ParsedFormat<'f'>::New(line.format), *value / line.divisor);
}

Json Machine() {
  utsname kernel{};
  ::uname(&kernel);
  return {{"processor", ProcessorName()},
          {"cores", std::thread::hardware_concurrency()},
          {"kernel", kernel.release},
          {"compiler", __VERSION__}};
}

// How much faster the first contestant is than each of the others.
std::string RatioText(const Contestant& first, const Contestant& other) {
  std::string text;
  for (const char* phase : kComparedPhases) {
    const std::string pointer = absl::StrCat("/phases/", phase, "/operations_per_second");
    const std::optional<double> ours = MedianOf(first, pointer);
    const std::optional<double> theirs = MedianOf(other, pointer);
    if (ours && theirs && *theirs > 0) text += absl::StrFormat(" %s %.1f", phase, *ours / *theirs);
  }
  return text.empty() ? "" : absl::StrCat(first.name, " is so many times as fast as ", other.name, ":", text, "\n");
}

}  // namespace

absl::StatusOr<StoreRunOptions> OptionsOfContestant(const std::string& contestant, const StoreRunOptions& common) {
  const std::vector<std::string> words = absl::StrSplit(contestant, '+');
  StoreRunOptions options = common;
  options.store = words.front();
  for (size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "prefaulted") {
      options.is_prefaulted = true;
    } else if (words[i] == "alone") {
      options.workers = 0;
    } else if (words[i] == "checked") {
      options.checks_creations = true;
    } else {
      return absl::InvalidArgumentError(
          absl::StrCat("+", words[i], " in \"", contestant, "\" means nothing: give +prefaulted, +alone or +checked."));
    }
  }
  return options;
}

std::vector<Contestant> Compare(const std::string& program, const std::vector<std::string>& names,
                                const std::vector<std::string>& arguments, uint32_t repetitions, uint32_t deadline_s) {
  std::vector<Contestant> contestants;
  for (const std::string& name : names) contestants.push_back({name, {}, {}});
  for (uint32_t repetition = 1; repetition <= repetitions; ++repetition) {
    for (Contestant& contestant : contestants) {
      std::vector<std::string> command{program, absl::StrCat("--store=", contestant.name)};
      command.insert(command.end(), arguments.begin(), arguments.end());
      const testing::ProgramResult result = testing::RunProgram(command, deadline_s);
      Json run = Json::parse(result.output, nullptr, /*allow_exceptions=*/false);
      const bool is_good = result.status == 0 && run.is_object();
      if (is_good) {
        contestant.runs.push_back(std::move(run));
      } else {
        contestant.errors.push_back(result.status ? result.errors : absl::StrCat("not done after ", deadline_s, " s"));
      }
      std::fprintf(stderr, "repetition=%u of=%u store=%s %s\n", repetition, repetitions, contestant.name.c_str(),
                   is_good ? "done" : contestant.errors.back().c_str());
    }
  }
  return contestants;
}

std::string TableOf(const std::vector<Contestant>& contestants) {
  const Json machine = Machine();
  std::string text = absl::StrFormat("%s, %d cores, Linux %s\n", machine["processor"].get<std::string>(),
                                     machine["cores"].get<unsigned>(), machine["kernel"].get<std::string>());
  const auto width = [](const Contestant& contestant) {
    return static_cast<int>(std::max<size_t>(contestant.name.size(), 9));
  };
  text += absl::StrFormat("%-28s", "medians");
  for (const Contestant& contestant : contestants) text += absl::StrFormat(" %*s", width(contestant), contestant.name);
  text += absl::StrFormat("  aim\n%-28s", "runs");
  for (const Contestant& contestant : contestants)
    text += absl::StrFormat(" %*d", width(contestant), contestant.runs.size());
  text += '\n';
  for (const Line& line : kLines) {
    text += absl::StrFormat("%-28s", line.label);
    for (const Contestant& contestant : contestants)
      text += absl::StrFormat(" %*s", width(contestant), CellOf(contestant, line));
    absl::StrAppend(&text, line.aim[0] == '\0' ? "" : "  ", line.aim, "\n");
  }
  for (size_t i = 1; i < contestants.size(); ++i) text += RatioText(contestants.front(), contestants[i]);
  for (const Contestant& contestant : contestants) {
    if (!contestant.runs.empty()) {
      absl::StrAppend(&text, contestant.name, ": ", contestant.runs.front()["settings"].dump(), "\n");
    }
    for (const std::string& error : contestant.errors)
      absl::StrAppend(&text, "ERROR in ", contestant.name, ": ", error, "\n");
  }
  return text;
}

Json JsonOf(const std::vector<Contestant>& contestants) {
  Json json = {{"machine", Machine()}, {"contestants", Json::array()}};
  for (const Contestant& contestant : contestants) {
    json["contestants"].push_back(
        {{"name", contestant.name}, {"runs", contestant.runs}, {"errors", contestant.errors}});
  }
  return json;
}

}  // namespace headrace::bench
