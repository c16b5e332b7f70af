// bench_sync: fresh nodes get a generated chain, from peers or from files, and what it takes is measured. See
// README.md.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/sync/seeders.h"
#include "bench/sync/sync_options.h"
#include "bench/sync/sync_report.h"
#include "bench/sync/sync_run.h"
#include "engine/base/status_macros.h"
#include "tests/support/process.h"

namespace headrace::bench {
namespace {

// The work folder, empty; gone at the end, unless a run failed and left logs there.
class WorkFolder {
 public:
  static absl::StatusOr<WorkFolder> Take(const std::string& path) {
    constexpr char kMark[] = "/made-by-bench-sync";
    std::error_code error;
    const bool is_foreign = std::filesystem::exists(path, error) && !std::filesystem::is_empty(path, error) &&
                            !std::filesystem::exists(path + kMark, error);
    if (is_foreign) {
      return absl::AlreadyExistsError(
          absl::StrCat(path, " holds files of others: give an empty or a new folder with --work."));
    }
    std::filesystem::remove_all(path, error);
    std::filesystem::create_directories(path, error);
    std::FILE* const mark = std::fopen((path + kMark).c_str(), "wb");
    if (error || mark == nullptr) {
      return absl::UnavailableError(absl::StrCat("cannot make ", path, ": give another folder with --work."));
    }
    std::fclose(mark);
    return WorkFolder(path);
  }

  void Remove() const {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

 private:
  explicit WorkFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// The first line of what it says of itself.
absl::StatusOr<std::string> VersionOf(const std::string& program) {
  const testing::ProgramResult result = testing::RunProgram({program, "-version"}, 30);
  if (result.status != 0) {
    return absl::NotFoundError(absl::StrCat(program, " cannot be run: ", result.output, result.errors));
  }
  return result.output.substr(0, result.output.find('\n'));
}

absl::StatusOr<std::vector<SyncRow>> RowsOf(const SyncOptions& options) {
  std::vector<MeasuredNode> nodes = {{"headraced", {options.node}, true}};
  if (!options.versus.empty()) {
    std::string name = std::filesystem::path(options.versus.front()).filename().string();
    if (name == nodes.front().name) name += "-vs";
    nodes.push_back({name, options.versus, false});
  }
  std::vector<SyncRow> rows;
  for (const SyncSetting& setting : SettingsOf(options)) {
    for (const MeasuredNode& node : nodes) {
      HR_ASSIGN_OR_RETURN(std::string version, VersionOf(node.command.front()));
      rows.push_back({setting, node, std::move(version), {}});
    }
  }
  return rows;
}

// Every row once, then every row again, so that what changes about the machine meanwhile strikes all alike.
void MeasureAll(const SyncOptions& options, const Chain& chain, const Seeders* seeders, std::vector<SyncRow>& rows) {
  for (uint32_t repetition = 1; repetition <= options.repetitions; ++repetition) {
    for (SyncRow& row : rows) {
      row.runs.push_back(Measure(options, chain, row.node, row.setting, seeders));
      const SyncRun& run = row.runs.back();
      std::fprintf(stderr, "repetition=%u of=%u mode=%s assumevalid=%.16s peers=%u par=%u dbcache=%u node=%s %s%.2f\n",
                   repetition, options.repetitions, std::string(NameOf(row.setting.mode)).c_str(),
                   row.setting.assumevalid.c_str(), row.setting.peers, row.setting.par, row.setting.dbcache,
                   row.node.name.c_str(), run.error.empty() ? "seconds=" : "FAILED after ", run.durable_s);
    }
  }
}

absl::StatusOr<bool> Run(std::span<const char* const> arguments, const std::string& program_directory) {
  HR_ASSIGN_OR_RETURN(const SyncOptions options, ParseSyncOptions(arguments, program_directory));
  if (options.wants_help) {
    std::fputs(SyncUsage().c_str(), stdout);
    return true;
  }
  HR_ASSIGN_OR_RETURN(const Chain chain, ReadChain(options));
  HR_ASSIGN_OR_RETURN(std::vector<SyncRow> rows, RowsOf(options));
  HR_ASSIGN_OR_RETURN(const WorkFolder work, WorkFolder::Take(options.work));
  {
    std::unique_ptr<Seeders> seeders;
    const auto needs_seeders = [](Mode mode) { return mode != Mode::kImport; };
    if (std::any_of(options.modes.begin(), options.modes.end(), needs_seeders)) {
      HR_ASSIGN_OR_RETURN(seeders, Seeders::Start(options, chain));
    }
    MeasureAll(options, chain, seeders.get(), rows);
  }
  std::fputs(TableOf(chain, rows).c_str(), stdout);
  if (!options.json.empty()) HR_RETURN_IF_ERROR(WriteJsonFile(options.json, JsonOf(chain, rows)));
  if (HasErrors(rows)) return false;
  work.Remove();
  return true;
}

}  // namespace
}  // namespace headrace::bench

int main(int argc, char** argv) {
  std::error_code error;
  const std::string program = std::filesystem::read_symlink("/proc/self/exe", error).parent_path().string();
  try {
    const absl::StatusOr<bool> is_good = headrace::bench::Run({argv + 1, static_cast<size_t>(argc - 1)}, program);
    if (is_good.ok()) return *is_good ? 0 : 1;
    std::fprintf(stderr, "Error: %s\n", std::string(is_good.status().message()).c_str());
  } catch (const std::exception& failure) {
    // Of the file system or of starting a process: the work folder is full or may not be written, or there is no
    // memory.
    std::fprintf(stderr, "Error: %s\n", failure.what());
  }
  return 1;
}
