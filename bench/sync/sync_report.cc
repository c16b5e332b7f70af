#include "bench/sync/sync_report.h"

#include <sys/utsname.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace headrace::bench {
namespace {

constexpr double kMega = 1e6;
constexpr size_t kRolesShown = 8;

using Field = std::function<double(const SyncRun&)>;

double MedianOf(const SyncRow& row, const Field& field) {
  std::vector<double> values;
  for (const SyncRun& run : row.runs) {
    if (run.error.empty()) values.push_back(field(run));
  }
  return Median(std::move(values));
}

double ReachedOf(const SyncRow& row) {
  return MedianOf(row, [](const SyncRun& run) { return run.reached_s; });
}
double DurableOf(const SyncRow& row) {
  return MedianOf(row, [](const SyncRun& run) { return run.durable_s; });
}

double PerSecond(double amount, double seconds) { return seconds > 0 ? amount / seconds : 0; }

size_t Succeeded(const SyncRow& row) {
  return static_cast<size_t>(
      std::count_if(row.runs.begin(), row.runs.end(), [](const SyncRun& run) { return run.error.empty(); }));
}

std::string ProcessorName() {
  std::ifstream stream("/proc/cpuinfo");
  std::string line;
  while (std::getline(stream, line)) {
    if (line.starts_with("model name")) return line.substr(std::min(line.find(": ") + 2, line.size()));
  }
  return "unknown processor";
}

nlohmann::ordered_json Machine() {
  utsname kernel{};
  uname(&kernel);
  nlohmann::ordered_json json;
  json["processor"] = ProcessorName();
  json["cores"] = std::thread::hardware_concurrency();
  json["kernel"] = kernel.release;
  json["harness_compiler"] = __VERSION__;
  return json;
}

std::string SettingText(const SyncSetting& setting) {
  std::string text = absl::StrCat(std::string(NameOf(setting.mode)), " assumevalid=", setting.assumevalid);
  if (setting.peers != 0) absl::StrAppend(&text, " peers=", setting.peers);
  return absl::StrCat(text, " par=", setting.par, " dbcache=", setting.dbcache);
}

bool IsSameSetting(const SyncSetting& a, const SyncSetting& b) {
  return a.mode == b.mode && a.assumevalid == b.assumevalid && a.peers == b.peers && a.par == b.par &&
         a.dbcache == b.dbcache;
}

// A number that only some nodes tell.
std::string OptionalMedian(const SyncRow& row, const std::function<std::optional<uint64_t>(const SyncRun&)>& field) {
  std::vector<double> values;
  for (const SyncRun& run : row.runs) {
    if (run.error.empty() && field(run)) values.push_back(static_cast<double>(*field(run)));
  }
  return values.empty() ? "-" : absl::StrFormat("%.0f", Median(std::move(values)));
}

std::string RowText(const Chain& chain, const SyncRow& row) {
  const double reached_s = ReachedOf(row);
  return absl::StrFormat(
      "  %-12s %2d/%-2d %9.2f %9.2f %7.1f %8.0f %9.0f %7.1f %7.1f %8.0f %8.0f %8.0f %5s %9s %4.0f %4.0f %4.0f %6.1f\n",
      row.node.name, Succeeded(row), row.runs.size(), reached_s, DurableOf(row),
      PerSecond(static_cast<double>(chain.bytes) / kMega, reached_s),
      PerSecond(static_cast<double>(chain.transactions), reached_s),
      PerSecond(static_cast<double>(chain.inputs), reached_s),
      MedianOf(row, [](const SyncRun& run) { return run.cpu_s; }),
      MedianOf(row, [](const SyncRun& run) { return run.seeders_cpu_s; }),
      MedianOf(row, [](const SyncRun& run) { return static_cast<double>(run.facts.rss_anon_bytes_max) / kMega; }),
      MedianOf(row, [](const SyncRun& run) { return static_cast<double>(run.facts.rss_bytes_max) / kMega; }),
      MedianOf(row, [](const SyncRun& run) { return static_cast<double>(run.bytes_written) / kMega; }),
      OptionalMedian(row, [](const SyncRun& run) { return run.checkpoints; }),
      OptionalMedian(row, [](const SyncRun& run) { return run.scripts_verified; }),
      MedianOf(row, [](const SyncRun& run) { return 100 * run.facts.share_running; }),
      MedianOf(row, [](const SyncRun& run) { return 100 * run.facts.share_disk; }),
      MedianOf(row, [](const SyncRun& run) { return 100 * run.facts.share_asleep; }),
      MedianOf(row, [](const SyncRun& run) { return run.facts.cpu_wait_seconds; }));
}

std::map<std::string, double> MedianRoles(const SyncRow& row) {
  std::map<std::string, double> roles;
  for (const SyncRun& run : row.runs) {
    for (const auto& [role, seconds] : run.facts.cpu_seconds_by_role) roles[role] = 0;
  }
  for (auto& [role, seconds] : roles) {
    seconds = MedianOf(row, [&role = role](const SyncRun& run) {
      const auto found = run.facts.cpu_seconds_by_role.find(role);
      return found == run.facts.cpu_seconds_by_role.end() ? 0 : found->second;
    });
  }
  return roles;
}

std::string RolesText(const SyncRow& row) {
  const std::map<std::string, double> roles = MedianRoles(row);
  std::vector<std::pair<std::string, double>> sorted(roles.begin(), roles.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string text;
  for (size_t i = 0; i < std::min(sorted.size(), kRolesShown); ++i) {
    text += absl::StrFormat(" %s=%.2f", sorted[i].first, sorted[i].second);
  }
  return absl::StrCat("  ", row.node.name, " processor seconds by thread:", text, "\n");
}

std::string ErrorsText(const SyncRow& row) {
  std::string text;
  for (size_t i = 0; i < row.runs.size(); ++i) {
    if (!row.runs[i].error.empty()) absl::StrAppend(&text, "  ERROR in run ", i + 1, ": ", row.runs[i].error, "\n");
  }
  return text;
}

// headraced does not verify scripts again that it verified before the rebuild, another node does.
std::string NoteText(const Chain& chain, const SyncRow& row) {
  if (row.setting.assumevalid != "0" || Succeeded(row) == 0) return "";
  const double verified =
      MedianOf(row, [](const SyncRun& run) { return static_cast<double>(run.scripts_verified.value_or(UINT64_MAX)); });
  if (verified >= static_cast<double>(chain.inputs)) return "";
  return absl::StrFormat("  NOTE: %s verified the scripts of %.0f of %d inputs, the rest had been verified before\n",
                         row.node.name, verified, chain.inputs);
}

// The rows of one setting stand together, the measured node first.
std::string RatioText(const SyncRow& first, const SyncRow& other) {
  if (Succeeded(first) == 0 || Succeeded(other) == 0) return "";
  return absl::StrFormat("  %s is %.2f times as fast as %s to the last block, %.2f times until it is durable\n",
                         first.node.name, PerSecond(ReachedOf(other), ReachedOf(first)), other.node.name,
                         PerSecond(DurableOf(other), DurableOf(first)));
}

nlohmann::ordered_json JsonOfRun(const SyncRun& run) {
  nlohmann::ordered_json json;
  if (!run.error.empty()) json["error"] = run.error;
  json["reached_seconds"] = run.reached_s;
  json["durable_seconds"] = run.durable_s;
  json["cpu_seconds"] = run.cpu_s;
  json["seeders_cpu_seconds"] = run.seeders_cpu_s;
  json["rss_anon_bytes_max"] = run.facts.rss_anon_bytes_max;
  json["rss_bytes_max"] = run.facts.rss_bytes_max;
  json["bytes_written"] = run.bytes_written;
  if (run.checkpoints) json["checkpoints"] = *run.checkpoints;
  if (run.scripts_verified) json["scripts_verified"] = *run.scripts_verified;
  if (run.scripts_skipped) json["scripts_skipped"] = *run.scripts_skipped;
  json["share_running"] = run.facts.share_running;
  json["share_disk"] = run.facts.share_disk;
  json["share_asleep"] = run.facts.share_asleep;
  json["cpu_wait_seconds"] = run.facts.cpu_wait_seconds;
  json["cpu_seconds_by_thread"] = run.facts.cpu_seconds_by_role;
  return json;
}

nlohmann::ordered_json JsonOfRow(const Chain& chain, const SyncRow& row) {
  nlohmann::ordered_json json;
  json["mode"] = std::string(NameOf(row.setting.mode));
  json["assumevalid"] = row.setting.assumevalid;
  json["peers"] = row.setting.peers;
  json["par"] = row.setting.par;
  json["dbcache"] = row.setting.dbcache;
  json["node"] = row.node.name;
  json["version"] = row.version;
  json["is_complete"] = Succeeded(row) == row.runs.size();
  const double reached_s = ReachedOf(row);
  json["median"] = {{"reached_seconds", reached_s},
                    {"durable_seconds", DurableOf(row)},
                    {"megabytes_per_second", PerSecond(static_cast<double>(chain.bytes) / kMega, reached_s)},
                    {"transactions_per_second", PerSecond(static_cast<double>(chain.transactions), reached_s)},
                    {"inputs_per_second", PerSecond(static_cast<double>(chain.inputs), reached_s)},
                    {"cpu_seconds", MedianOf(row, [](const SyncRun& run) { return run.cpu_s; })}};
  json["runs"] = nlohmann::ordered_json::array();
  for (const SyncRun& run : row.runs) json["runs"].push_back(JsonOfRun(run));
  return json;
}

}  // namespace

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::string TableOf(const Chain& chain, const std::vector<SyncRow>& rows) {
  const nlohmann::ordered_json machine = Machine();
  std::string text = absl::StrFormat("%s, %d cores, Linux %s\nchain: height %d, %.1f MB, %d transactions, %d inputs\n",
                                     machine["processor"].get<std::string>(), machine["cores"].get<unsigned>(),
                                     machine["kernel"].get<std::string>(), chain.height,
                                     static_cast<double>(chain.bytes) / kMega, chain.transactions, chain.inputs);
  const SyncRow* first = nullptr;
  for (const SyncRow& row : rows) {
    if (first == nullptr || !IsSameSetting(first->setting, row.setting)) {
      first = &row;
      absl::StrAppend(
          &text, "\n", SettingText(row.setting), "\n",
          "  node           ok/n reached s durable s    MB/s     tx/s  inputs/s   cpu s seed cpu  anon MB   "
          "rss MB  writ MB  ckpt  verified run% dsk% slp% nocpu s\n");
    }
    text += RowText(chain, row) + RolesText(row) + NoteText(chain, row) + ErrorsText(row);
    if (first != &row) text += RatioText(*first, row);
  }
  return text;
}

nlohmann::ordered_json JsonOf(const Chain& chain, const std::vector<SyncRow>& rows) {
  nlohmann::ordered_json json;
  json["machine"] = Machine();
  json["chain"] = {{"height", chain.height}, {"bestblock", chain.best_block},
                   {"bytes", chain.bytes},   {"transactions", chain.transactions},
                   {"inputs", chain.inputs}, {"hash_serialized_3", chain.hash_serialized_3}};
  json["rows"] = nlohmann::ordered_json::array();
  for (const SyncRow& row : rows) json["rows"].push_back(JsonOfRow(chain, row));
  return json;
}

absl::Status WriteJsonFile(const std::string& path, const nlohmann::ordered_json& json) {
  std::ofstream stream(path, std::ios::binary);
  stream << json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
  stream.flush();
  if (stream) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("cannot write ", path, " (", std::strerror(errno), "): choose another path or free some space."));
}

bool HasErrors(const std::vector<SyncRow>& rows) {
  return std::any_of(rows.begin(), rows.end(), [](const SyncRow& row) { return Succeeded(row) != row.runs.size(); });
}

}  // namespace headrace::bench
