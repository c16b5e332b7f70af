#include "tools/headraced/options.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "engine/base/hex.h"
#include "engine/base/status_macros.h"
#include "tools/headraced/settings.h"
#include "tools/headraced/text.h"

namespace headrace {
namespace {

constexpr uint64_t kMiB = 1024 * 1024;

struct NetworkRow {
  std::string_view chain;
  std::string_view folder;
  uint16_t port;
};
constexpr NetworkRow kNetworks[] = {{"main", "", 8333},
                                    {"test", "testnet3", 18333},
                                    {"testnet4", "testnet4", 48333},
                                    {"signet", "signet", 38333},
                                    {"regtest", "regtest", 18444}};

const NetworkRow* FindNetwork(std::string_view chain) {
  const auto row = std::find_if(std::begin(kNetworks), std::end(kNetworks),
                                [&](const NetworkRow& candidate) { return candidate.chain == chain; });
  return row == std::end(kNetworks) ? nullptr : row;
}

absl::Status Complaint(std::string_view name, const SettingValue& value, std::string_view what_is_right) {
  return absl::InvalidArgumentError(
      Concat("-", name, "=", value.text, " (", value.origin, ") is not understood: ", what_is_right, "."));
}

// Reads options of one network out of the settings, by kind. The first failure sticks; later calls return defaults.
class SettingReader {
 public:
  SettingReader(const Settings& settings, std::string_view chain) : settings_(settings), chain_(chain) {}

  const absl::Status& status() const { return status_; }
  void Fail(absl::Status status) { status_.Update(std::move(status)); }

  std::vector<SettingValue> All(std::string_view name) const { return settings_.Find(name, chain_); }

  std::optional<SettingValue> One(std::string_view name) const {
    std::vector<SettingValue> values = All(name);
    if (values.empty()) return std::nullopt;
    return std::move(values.front());
  }

  std::optional<bool> Flag(std::string_view name) {
    const std::optional<SettingValue> value = One(name);
    if (!value) return std::nullopt;
    if (value->is_negated || value->text == "0" || value->text == "false") return false;
    if (value->text == "1" || value->text == "true") return true;
    Fail(Complaint(name, *value, "it is a flag, write 1 or 0"));
    return std::nullopt;
  }

  // A negated number is 0, where 0 is allowed.
  std::optional<int64_t> Number(std::string_view name) {
    std::optional<SettingValue> value = One(name);
    if (!value) return std::nullopt;
    const std::string_view text = value->is_negated ? "0" : std::string_view(value->text);
    const OptionRow* const row = FindOption(name);
    const std::optional<int64_t> number = ToNumber<int64_t>(text);
    if (!number || *number < row->minimum || *number > row->maximum) {
      Fail(Complaint(name, *value, Concat("write a whole number from ", row->minimum, " to ", row->maximum)));
      return std::nullopt;
    }
    return number;
  }

  // Empty when absent or negated.
  std::string Text(std::string_view name) const {
    const std::optional<SettingValue> value = One(name);
    return value ? value->text : std::string();
  }

  // The position of the value among `words`; 0, the default, when absent.
  template <typename Enum>
  Enum Word(std::string_view name, std::span<const std::string_view> words) {
    const std::optional<SettingValue> value = One(name);
    if (!value) return Enum{};
    const auto word = std::find(words.begin(), words.end(), value->text);
    if (word == words.end()) {
      std::string list(words.front());
      for (size_t i = 1; i < words.size(); ++i) Append(list, i + 1 == words.size() ? " or " : ", ", words[i]);
      Fail(Complaint(name, *value, Concat("write ", list)));
      return Enum{};
    }
    return static_cast<Enum>(word - words.begin());
  }

  // A 256-bit number as up to 64 hex digits, with or without 0x; a negated one is zero.
  std::optional<Hash256> Number256(std::string_view name, bool wants_all_digits) {
    const std::optional<SettingValue> value = One(name);
    if (!value) return std::nullopt;
    std::string digits = value->is_negated ? "0" : value->text;
    if (digits.starts_with("0x") || digits.starts_with("0X")) digits.erase(0, 2);
    const bool is_short_by_mistake = wants_all_digits && digits.size() != 64 && digits != "0";
    if (!digits.empty() && digits.size() <= 64 && !is_short_by_mistake) {
      const std::optional<Hash256> number = Hash256::FromHex(std::string(64 - digits.size(), '0') + digits);
      if (number) return number;
    }
    Fail(Complaint(name, *value, wants_all_digits ? "write the block's hash, 64 hex digits, or 0" : "write up to 64 hex digits"));
    return std::nullopt;
  }

 private:
  const Settings& settings_;
  std::string chain_;
  absl::Status status_;
};

absl::StatusOr<std::string> ReadConfigFile(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return absl::InvalidArgumentError(Concat("the configuration file ", path, " is a directory; name a file."));
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    return absl::NotFoundError(Concat("the configuration file ", path,
                                            " cannot be opened; check the name and the permissions."));
  }
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

std::string Under(const std::string& directory, const std::string& path) {
  return (std::filesystem::path(directory) / path).string();
}

// The chain that -chain, -regtest and their like name; more than one of them is a mistake.
absl::StatusOr<std::string> ChooseChain(const Settings& settings) {
  SettingReader reader(settings, "");
  std::vector<std::string> chosen;
  for (const auto& [name, chain] : {std::pair<const char*, const char*>{"regtest", "regtest"},
                                    {"testnet", "test"}, {"testnet4", "testnet4"}, {"signet", "signet"}}) {
    if (reader.Flag(name).value_or(false)) chosen.push_back(chain);
  }
  HR_RETURN_IF_ERROR(reader.status());
  if (const std::optional<SettingValue> chain = reader.One("chain"); chain && !chain->is_negated) {
    if (FindNetwork(chain->text) == nullptr) {
      return Complaint("chain", *chain, "write main, test, testnet4, signet or regtest");
    }
    chosen.push_back(chain->text);
  }
  if (chosen.size() > 1) {
    return absl::InvalidArgumentError("-chain, -regtest, -testnet, -testnet4 and -signet exclude one another: give one.");
  }
  return chosen.empty() ? "main" : chosen.front();
}

// Adds the configuration file and what it includes.
absl::Status AddConfigFiles(const std::string& data_directory, Settings* settings) {
  SettingReader command_line(*settings, "");
  const std::optional<SettingValue> conf = command_line.One("conf");
  if (conf && conf->is_negated) return absl::OkStatus();
  const std::string path = Under(data_directory, conf ? conf->text : "bitcoin.conf");
  if (!conf && !std::filesystem::exists(path)) return absl::OkStatus();
  HR_ASSIGN_OR_RETURN(const std::string text, ReadConfigFile(path));
  HR_RETURN_IF_ERROR(settings->AddConfigText(text, path));

  HR_ASSIGN_OR_RETURN(const std::string chain, ChooseChain(*settings));
  // The list is taken before the included files are read: what they include in turn is not followed.
  for (const SettingValue& include : settings->Find("includeconf", chain)) {
    if (include.is_negated) continue;
    const std::string included = Under(data_directory, include.text);
    absl::StatusOr<std::string> included_text = ReadConfigFile(included);
    if (!included_text.ok()) {
      return absl::InvalidArgumentError(Concat(include.origin, ": ", std::string(included_text.status().message())));
    }
    HR_RETURN_IF_ERROR(settings->AddConfigText(*included_text, included));
  }
  return absl::OkStatus();
}

std::vector<HostPort> ReadHostPorts(SettingReader& reader, std::string_view name, uint16_t default_port) {
  std::vector<HostPort> list;
  for (const SettingValue& value : reader.All(name)) {
    if (value.is_negated || value.text == "0") continue;
    const std::optional<HostPort> parsed = ParseHostPort(value.text, default_port);
    if (!parsed) reader.Fail(Complaint(name, value, "write HOST or HOST:PORT, an IPv6 address in [brackets]"));
    if (parsed) list.push_back(*parsed);
  }
  return list;
}

void ReadNetworkOptions(SettingReader& reader, const NetworkRow& network, DaemonOptions& options) {
  options.port = static_cast<uint16_t>(reader.Number("port").value_or(network.port));
  options.connects_only = !reader.All("connect").empty();
  options.connect = ReadHostPorts(reader, "connect", network.port);
  options.bind = ReadHostPorts(reader, "bind", options.port);
  // Who names peers to connect to rarely wants others to come in; who names an address to listen on does.
  options.listen = reader.Flag("listen").value_or(!options.connects_only || !options.bind.empty());
  options.connections_max = static_cast<uint32_t>(reader.Number("maxconnections").value_or(options.connections_max));
  options.blocks_in_transit_per_peer_max = static_cast<uint32_t>(
      reader.Number("maxblocksintransit").value_or(options.blocks_in_transit_per_peer_max));
  static constexpr std::string_view kKinds[] = {"auto", "io_uring", "epoll"};
  options.transport = reader.Word<TransportKind>("nettransport", kKinds);
}

void ReadChainOptions(SettingReader& reader, DaemonOptions& options) {
  for (const SettingValue& value : reader.All("loadblock")) {
    if (!value.is_negated) options.load_block.push_back(value.text);
  }
  options.assume_valid = reader.Number256("assumevalid", true);
  options.minimum_chain_work = reader.Number256("minimumchainwork", false);
  options.reindex = reader.Flag("reindex").value_or(false);
  options.reindex_chainstate = reader.Flag("reindex-chainstate").value_or(false);
  options.stop_at_height = static_cast<uint32_t>(reader.Number("stopatheight").value_or(0));
  const std::optional<SettingValue> challenge = reader.One("signetchallenge");
  if (!challenge || challenge->is_negated) return;
  std::optional<std::vector<uint8_t>> script = HexDecode(challenge->text);
  if (!script || script->empty()) {
    reader.Fail(Complaint("signetchallenge", *challenge, "write the script as hex digits, two for each byte"));
  } else if (options.chain != "signet") {
    reader.Fail(absl::InvalidArgumentError("-signetchallenge needs -signet."));
  }
  options.signet_challenge = std::move(script);
}

void ReadMachineOptions(SettingReader& reader, const MachineFacts& machine, DaemonOptions& options) {
  const int64_t cores = std::max<uint32_t>(machine.cores, 1);
  const int64_t par = reader.Number("par").value_or(0);
  options.workers = static_cast<uint32_t>(par > 0 ? par : std::max<int64_t>(1, cores + par));
  const uint64_t half_of_memory_mib = machine.available_memory_bytes / 2 / kMiB;
  const int64_t cache_default_mib = static_cast<int64_t>(std::clamp<uint64_t>(half_of_memory_mib, 256, 16384));
  options.cache_bytes = static_cast<uint64_t>(reader.Number("dbcache").value_or(cache_default_mib)) * kMiB;
  options.checkpoint_interval_s =
      static_cast<uint32_t>(reader.Number("checkpointinterval").value_or(options.checkpoint_interval_s));
  static constexpr std::string_view kBackends[] = {"auto", "io_uring", "pread"};
  options.file_backend = reader.Word<FileBackend>("filebackend", kBackends);
}

void ReadLogOptions(SettingReader& reader, DaemonOptions& options) {
  auto category_at = [](size_t index) { return static_cast<LogCategory>(index); };
  constexpr size_t kCategories = static_cast<size_t>(LogCategory::kCount);
  std::array<bool, kCategories> is_on{};
  bool is_off = false;
  for (const SettingValue& value : reader.All("debug")) {
    if (value.is_negated || value.text == "0" || value.text == "none") {
      is_off = is_off || !value.is_negated;
      continue;
    }
    const bool is_all = value.text.empty() || value.text == "1" || value.text == "all";
    bool is_known = is_all;
    for (size_t i = 0; i < kCategories; ++i) {
      if (!is_all && LogCategoryName(category_at(i)) != value.text) continue;
      is_on[i] = is_known = true;
    }
    if (!is_known) reader.Fail(Complaint("debug", value, "categories are node, net, sync, validation, coins, blocks, disk and all"));
  }
  for (size_t i = 0; i < kCategories && !is_off; ++i) {
    if (is_on[i]) options.debug.push_back(category_at(i));
  }
  static constexpr std::string_view kFormats[] = {"text", "json"};
  options.log_format = reader.Word<LogFormat>("logformat", kFormats);
  options.print_to_console = reader.Flag("printtoconsole");
  options.summary_file = reader.Text("summaryfile");
}

// The data directory of the command line, or else of the file, or else the default.
absl::StatusOr<std::string> ChooseDataDirectory(const Settings& settings, const MachineFacts& machine) {
  std::string directory = SettingReader(settings, "").Text("datadir");
  if (!directory.empty()) return directory;
  if (machine.home_directory.empty()) {
    return absl::InvalidArgumentError("there is no home directory to keep the data in; name one with -datadir=DIR.");
  }
  return Under(machine.home_directory, ".headrace");
}

}  // namespace

std::optional<HostPort> ParseHostPort(std::string_view text, uint16_t default_port) {
  HostPort result{.host = "", .port = default_port};
  std::string_view port;
  bool has_port = false;
  if (text.starts_with('[')) {
    const size_t closing = text.find(']');
    if (closing == std::string_view::npos) return std::nullopt;
    result.host = std::string(text.substr(1, closing - 1));
    text.remove_prefix(closing + 1);
    if (!text.empty() && text.front() != ':') return std::nullopt;
    has_port = !text.empty();
    if (has_port) port = text.substr(1);
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    result.host = std::string(text.substr(0, text.find(':')));
    port = text.substr(text.find(':') + 1);
    has_port = true;
  } else {
    result.host = std::string(text);  // a name, a V4 literal, or a V6 literal with its many colons
  }
  if (result.host.empty() || result.host.find_first_of(" \t[]/=") != std::string::npos) return std::nullopt;
  if (has_port) {
    const std::optional<uint16_t> number = ToNumber<uint16_t>(port);
    if (!number || *number == 0) return std::nullopt;
    result.port = *number;
  }
  return result;
}

absl::StatusOr<DaemonOptions> ParseDaemonOptions(std::span<const char* const> arguments, const MachineFacts& machine) {
  DaemonOptions options;
  Settings settings;
  HR_RETURN_IF_ERROR(settings.AddCommandLine(arguments));
  SettingReader command_line(settings, "");
  if (command_line.Flag("help").value_or(false)) options.action = DaemonAction::kPrintHelp;
  if (command_line.Flag("version").value_or(false)) options.action = DaemonAction::kPrintVersion;
  HR_RETURN_IF_ERROR(command_line.status());
  if (options.action != DaemonAction::kRun) return options;

  HR_ASSIGN_OR_RETURN(const std::string directory_of_file, ChooseDataDirectory(settings, machine));
  HR_RETURN_IF_ERROR(AddConfigFiles(directory_of_file, &settings));
  HR_ASSIGN_OR_RETURN(options.data_directory, ChooseDataDirectory(settings, machine));
  HR_ASSIGN_OR_RETURN(options.chain, ChooseChain(settings));
  const NetworkRow& network = *FindNetwork(options.chain);
  options.network_directory =
      network.folder.empty() ? options.data_directory : Under(options.data_directory, std::string(network.folder));
  options.warnings = settings.Warnings(options.chain);

  SettingReader reader(settings, options.chain);
  ReadNetworkOptions(reader, network, options);
  ReadChainOptions(reader, options);
  ReadMachineOptions(reader, machine, options);
  ReadLogOptions(reader, options);
  HR_RETURN_IF_ERROR(reader.status());
  return options;
}

}  // namespace headrace
