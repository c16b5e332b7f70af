#include "bench/sync/sync_run.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "bench/sync/bench_node.h"
#include "engine/base/status_macros.h"

namespace headrace::bench {
namespace {

constexpr double kStop_s = 300;
constexpr double kRestart_s = 300;
constexpr int64_t kDigest_s = 3600;

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Of all children that have ended; seeding nodes have not.
struct ChildrenUsage {
  double cpu_s = 0;
  uint64_t bytes_written = 0;
};

ChildrenUsage UsageOfChildren() {
  constexpr uint64_t kSectorBytes = 512;
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return {seconds(usage.ru_utime) + seconds(usage.ru_stime), static_cast<uint64_t>(usage.ru_oublock) * kSectorBytes};
}

std::string PostureOption(const Chain& chain, const std::string& assumevalid) {
  return "-assumevalid=" + (assumevalid == "tail" ? chain.before_tail : assumevalid);
}

std::vector<std::string> LoadOptions(const Chain& chain) {
  std::vector<std::string> arguments;
  for (const std::string& file : chain.files) arguments.push_back("-loadblock=" + file);
  return arguments;
}

std::vector<std::string> OptionsOf(const Chain& chain, const MeasuredNode& node, const SyncSetting& setting,
                                   const Seeders* seeders, const std::string& summary) {
  std::vector<std::string> arguments;
  if (setting.mode == Mode::kIbd) arguments = seeders->ConnectOptions(setting.peers);
  if (setting.mode == Mode::kImport) arguments = LoadOptions(chain);
  if (setting.mode == Mode::kReindexChainstate) arguments = {"-reindex-chainstate"};
  if (setting.mode != Mode::kIbd) arguments.push_back("-connect=0");
  arguments.insert(arguments.end(), {"-listen=0", PostureOption(chain, setting.assumevalid),
                                     absl::StrCat("-par=", setting.par), absl::StrCat("-dbcache=", setting.dbcache)});
  if (node.is_headraced) arguments.push_back("-summaryfile=" + summary);
  return arguments;
}

// A directory with all blocks, of which no scripts were verified if the chain's tail is long enough: synced once for
// each node, unmeasured, and copied for each run, since a run would leave marks of what it has verified.
absl::Status Place(const SyncOptions& options, const Chain& chain, const MeasuredNode& node, const Seeders& seeders,
                   const std::string& directory) {
  const std::string original = absl::StrCat(options.work, "/placed-", node.name);
  if (!std::filesystem::exists(original)) {
    std::vector<std::string> arguments = seeders.ConnectOptions(1);
    arguments.insert(arguments.end(), {"-listen=0", PostureOption(chain, "tail")});
    BenchNode placed(node.command, original, arguments);
    HR_RETURN_IF_ERROR(placed.WaitForBestBlock(chain.best_block, options.deadline_s));
    HR_RETURN_IF_ERROR(placed.Stop(kStop_s));
  }
  return CopyDataDirectory(original, directory);
}

absl::Status Sync(const SyncOptions& options, const Chain& chain, const MeasuredNode& node,
                  const std::string& directory, const std::vector<std::string>& arguments, const Seeders* seeders,
                  SyncRun& run) {
  const ChildrenUsage before = UsageOfChildren();
  const double seeders_before_s = seeders != nullptr ? seeders->CpuSeconds() : 0;
  const Clock::time_point start = Clock::now();
  {
    BenchNode measured(node.command, directory, arguments);
    ProcessProbe probe(measured.pid());
    HR_RETURN_IF_ERROR(measured.WaitForBestBlock(chain.best_block, options.deadline_s));
    run.reached_s = SecondsSince(start);
    run.seeders_cpu_s = seeders != nullptr ? seeders->CpuSeconds() - seeders_before_s : 0;
    HR_RETURN_IF_ERROR(measured.Stop(kStop_s));
    run.durable_s = SecondsSince(start);
    run.facts = probe.Finish();
  }
  const ChildrenUsage after = UsageOfChildren();
  run.cpu_s = after.cpu_s - before.cpu_s;
  run.bytes_written = after.bytes_written - before.bytes_written;
  return absl::OkStatus();
}

void ReadSummary(const std::string& path, SyncRun& run) {
  std::ifstream stream(path);
  const nlohmann::json summary = nlohmann::json::parse(stream, nullptr, /*allow_exceptions=*/false);
  if (!summary.is_object()) return;
  run.checkpoints = summary.value("checkpoints", uint64_t{0});
  run.scripts_verified = summary.value("scripts_verified", uint64_t{0});
  run.scripts_skipped = summary.value("scripts_skipped", uint64_t{0});
}

// Started again without peers, the node must have the chain and the generator's unspent set.
absl::Status Verify(const Chain& chain, const MeasuredNode& node, const std::string& directory) {
  BenchNode again(node.command, directory, {"-connect=0", "-listen=0"});
  HR_RETURN_IF_ERROR(again.WaitForBestBlock(chain.best_block, kRestart_s));
  HR_ASSIGN_OR_RETURN(const Json coins, again.Call("gettxoutsetinfo", Json::array({"hash_serialized_3"}), kDigest_s));
  const std::string hash = coins.is_object() ? coins.value("hash_serialized_3", "") : "";
  if (hash != chain.hash_serialized_3) {
    return absl::InternalError(
        absl::StrCat("the unspent set is ", hash, " where the generator says ", chain.hash_serialized_3));
  }
  return again.Stop(kStop_s);
}

// The data directory of every measured process, one after the other.
std::string NodeDirectory(const SyncOptions& options) { return options.work + "/node"; }

// Where it is from now on: the next run must not take the logs of one that failed.
std::string KeepFailed(const SyncOptions& options) {
  uint32_t number = 1;
  while (std::filesystem::exists(absl::StrCat(options.work, "/failed-", number))) ++number;
  std::string kept = absl::StrCat(options.work, "/failed-", number);
  std::error_code ignored;  // it may have failed before there was any
  std::filesystem::rename(NodeDirectory(options), kept, ignored);
  return kept;
}

absl::Status MeasureInto(const SyncOptions& options, const Chain& chain, const MeasuredNode& node,
                         const SyncSetting& setting, const Seeders* seeders, SyncRun& run) {
  const std::string directory = NodeDirectory(options);
  const std::string summary = absl::StrCat(options.work, "/summary.json");
  std::filesystem::remove(summary);
  std::filesystem::remove_all(directory);
  if (setting.mode == Mode::kReindexChainstate) {
    HR_RETURN_IF_ERROR(Place(options, chain, node, *seeders, directory));
  }
  HR_RETURN_IF_ERROR(
      Sync(options, chain, node, directory, OptionsOf(chain, node, setting, seeders, summary), seeders, run));
  if (node.is_headraced) ReadSummary(summary, run);
  return Verify(chain, node, directory);
}

}  // namespace

std::vector<SyncSetting> SettingsOf(const SyncOptions& options) {
  std::vector<SyncSetting> settings;
  for (const Mode mode : options.modes) {
    const std::vector<uint32_t> peers = mode == Mode::kIbd ? options.peers : std::vector<uint32_t>{0};
    for (const std::string& assumevalid : options.assumevalid) {
      for (const uint32_t count : peers) {
        for (const uint32_t par : options.par) {
          for (const uint32_t dbcache : options.dbcache) settings.push_back({mode, assumevalid, count, par, dbcache});
        }
      }
    }
  }
  return settings;
}

SyncRun Measure(const SyncOptions& options, const Chain& chain, const MeasuredNode& node, const SyncSetting& setting,
                const Seeders* seeders) {
  SyncRun run;
  const absl::Status status = MeasureInto(options, chain, node, setting, seeders, run);
  if (!status.ok()) {
    run.error = absl::StrCat(status.message(), " (data directory: ", KeepFailed(options), ")");
  }
  return run;
}

}  // namespace headrace::bench
