#include "tools/config/operator_files.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <vector>

#include "engine/base/status_macros.h"
#include "tools/config/setting_reader.h"

namespace headrace {
namespace {

absl::StatusOr<std::string> ReadConfigFile(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return absl::InvalidArgumentError(Concat("the configuration file ", path, " is a directory; name a file."));
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    return absl::NotFoundError(
        Concat("the configuration file ", path, " cannot be opened; check the name and the permissions."));
  }
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

// The chain that -chain, -regtest and their like name; more than one of them is a mistake.
absl::StatusOr<std::string> ChooseChain(const Settings& settings) {
  SettingReader reader(settings, "");
  std::vector<std::string> chosen;
  for (const auto& [name, chain] : {std::pair<const char*, const char*>{"regtest", "regtest"},
                                    {"testnet", "test"},
                                    {"testnet4", "testnet4"},
                                    {"signet", "signet"}}) {
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
    return absl::InvalidArgumentError(
        "-chain, -regtest, -testnet, -testnet4 and -signet exclude one another: give one.");
  }
  return chosen.empty() ? "main" : chosen.front();
}

// Adds the configuration file and what it includes.
absl::Status AddConfigFiles(const std::string& data_directory, Settings* settings, std::string* file) {
  SettingReader command_line(*settings, "");
  const std::optional<SettingValue> conf = command_line.One("conf");
  if (conf && conf->is_negated) return absl::OkStatus();
  const std::string path = PathUnder(data_directory, conf ? conf->text : "bitcoin.conf");
  *file = path;
  if (!conf && !std::filesystem::exists(path)) return absl::OkStatus();
  HR_ASSIGN_OR_RETURN(const std::string text, ReadConfigFile(path));
  HR_RETURN_IF_ERROR(settings->AddConfigText(text, path));

  HR_ASSIGN_OR_RETURN(const std::string chain, ChooseChain(*settings));
  // The list is taken before the included files are read: what they include in turn is not followed.
  for (const SettingValue& include : settings->Find("includeconf", chain)) {
    if (include.is_negated) continue;
    const std::string included = PathUnder(data_directory, include.text);
    absl::StatusOr<std::string> included_text = ReadConfigFile(included);
    if (!included_text.ok()) {
      return absl::InvalidArgumentError(Concat(include.origin, ": ", std::string(included_text.status().message())));
    }
    HR_RETURN_IF_ERROR(settings->AddConfigText(*included_text, included));
  }
  return absl::OkStatus();
}

// The data directory of the command line, or else of the file, or else the default.
absl::StatusOr<std::string> ChooseDataDirectory(const Settings& settings, const MachineFacts& machine) {
  std::string directory = SettingReader(settings, "").Text("datadir");
  if (!directory.empty()) return directory;
  if (machine.home_directory.empty()) {
    return absl::InvalidArgumentError("there is no home directory to keep the data in; name one with -datadir=DIR.");
  }
  return PathUnder(machine.home_directory, ".headrace");
}

}  // namespace

std::string PathUnder(const std::string& directory, const std::string& path) {
  return (std::filesystem::path(directory) / path).string();
}

absl::StatusOr<OperatorPlace> ReadOperatorFiles(Settings& settings, const MachineFacts& machine) {
  OperatorPlace place;
  HR_ASSIGN_OR_RETURN(const std::string directory_of_file, ChooseDataDirectory(settings, machine));
  HR_RETURN_IF_ERROR(AddConfigFiles(directory_of_file, &settings, &place.config_file));
  HR_ASSIGN_OR_RETURN(place.data_directory, ChooseDataDirectory(settings, machine));
  HR_ASSIGN_OR_RETURN(const std::string chain, ChooseChain(settings));
  place.network = FindNetwork(chain);
  const std::string folder(place.network->folder);
  place.network_directory = folder.empty() ? place.data_directory : PathUnder(place.data_directory, folder);
  return place;
}

}  // namespace headrace
