#include "tools/config/settings.h"

#include <algorithm>
#include <array>
#include <optional>

#include "engine/base/status_macros.h"
#include "tools/config/text.h"

namespace headrace {
namespace {

constexpr std::array<std::string_view, 5> kSections = {"main", "test", "testnet4", "signet", "regtest"};
constexpr std::string_view kCommandLine = "the command line";

bool IsSection(std::string_view name) { return std::find(kSections.begin(), kSections.end(), name) != kSections.end(); }

std::optional<bool> FlagValue(std::string_view text) {
  if (text == "1" || text == "true") return true;
  if (text == "0" || text == "false") return false;
  return std::nullopt;
}

struct NamedValue {
  const OptionRow* row = nullptr;  // nullptr: no such option
  SettingValue value;
};

// Splits "name=value", "name" and "noname"; `text` has no leading dash.
absl::Status ReadNameAndValue(const OptionTable& options, std::string_view text, std::string_view origin,
                              NamedValue* result) {
  const size_t equals = text.find('=');
  std::string_view name = text.substr(0, equals);
  const bool has_value = equals != std::string_view::npos;
  result->value.text = has_value ? std::string(StripBlanks(text.substr(equals + 1))) : std::string(1, '1');
  result->value.origin = std::string(origin);
  name = StripBlanks(name);
  result->row = options.Find(name);
  if (result->row == nullptr && name.starts_with("no")) {
    result->row = options.Find(name.substr(2));
    if (result->row == nullptr) return absl::OkStatus();
    const std::optional<bool> is_negated = FlagValue(result->value.text);
    if (!is_negated || (!*is_negated && result->row->kind != OptionKind::kFlag)) {
      return absl::InvalidArgumentError(Concat("-", name, "=", result->value.text, " (", origin,
                                               ") is not understood: write -", name, " alone, or -", result->row->name,
                                               " with a value."));
    }
    result->value.is_negated = *is_negated;
    result->value.text = std::string(*is_negated ? 0 : 1, '1');
  } else if (result->row != nullptr && !has_value && result->row->kind != OptionKind::kFlag &&
             result->row->name != "debug") {
    return absl::InvalidArgumentError(
        Concat("-", name, " (", origin, ") needs a value: write -", name, "=", result->row->placeholder, "."));
  }
  return absl::OkStatus();
}

}  // namespace

namespace {

bool IsOption(std::string_view text) { return text.starts_with('-') && text != "-" && text != "--"; }

}  // namespace

absl::Status Settings::AddOption(std::string_view text) {
  text.remove_prefix(text.starts_with("--") ? 2 : 1);
  if (text == "h" || text == "?") text = "help";
  NamedValue named;
  HR_RETURN_IF_ERROR(ReadNameAndValue(options_, text, kCommandLine, &named));
  if (named.row == nullptr) {
    const std::string_view name = text.substr(0, text.find('='));
    return absl::InvalidArgumentError(Concat("there is no option -", name, "; the nearest is -", options_.Nearest(name),
                                             ". ", options_.program(), " -help lists them all."));
  }
  if (named.row->name == "includeconf" && !named.value.is_negated) {
    return absl::InvalidArgumentError("-includeconf works inside a configuration file only; use -conf here.");
  }
  command_line_[std::string(named.row->name)].push_back(std::move(named.value));
  return absl::OkStatus();
}

absl::StatusOr<size_t> Settings::AddLeadingOptions(std::span<const char* const> arguments) {
  size_t count = 0;
  while (count < arguments.size() && IsOption(arguments[count])) HR_RETURN_IF_ERROR(AddOption(arguments[count++]));
  return count;
}

absl::Status Settings::AddCommandLine(std::span<const char* const> arguments) {
  HR_ASSIGN_OR_RETURN(const size_t count, AddLeadingOptions(arguments));
  if (count == arguments.size()) return absl::OkStatus();
  return absl::InvalidArgumentError(Concat("\"", arguments[count], "\" is no option: options begin with a dash; ",
                                           options_.program(), " -help lists them."));
}

absl::Status Settings::AddConfigText(std::string_view text, const std::string& file_name) {
  std::string section;
  int line_number = 0;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  while (!text.empty()) {
    ++line_number;
    const size_t length = text.find('\n');
    std::string_view line = text.substr(0, length);
    text.remove_prefix(length == std::string_view::npos ? text.size() : length + 1);
    line = StripBlanks(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    HR_RETURN_IF_ERROR(AddConfigLine(line, Concat(file_name, " line ", line_number), &section));
  }
  return absl::OkStatus();
}

absl::Status Settings::AddConfigLine(std::string_view line, const std::string& origin, std::string* section) {
  if (line.starts_with('[')) {
    if (!line.ends_with(']')) {
      return absl::InvalidArgumentError(Concat(origin, ": the section \"", line, "\" lacks its closing bracket."));
    }
    *section = std::string(StripBlanks(line.substr(1, line.size() - 2)));
    if (!IsSection(*section)) {
      warnings_.push_back(
          Concat(origin, ": there is no network \"", *section,
                 "\"; this section is ignored. Sections are main, test, testnet4, signet and regtest."));
    }
    return absl::OkStatus();
  }
  if (line.starts_with('-')) {
    return absl::InvalidArgumentError(
        Concat(origin, ": options in a configuration file have no leading dash: \"", line, "\"."));
  }
  const size_t equals = line.find('=');
  if (equals == std::string_view::npos) {
    return absl::InvalidArgumentError(
        Concat(origin, ": \"", line, "\" lacks its value: write ", line, "=1 or ", line, "=VALUE."));
  }
  std::string in_section = *section;
  const size_t dot = line.substr(0, equals).find('.');  // "regtest.port=1" is "port=1" in [regtest]
  if (dot != std::string_view::npos && IsSection(line.substr(0, dot))) {
    in_section = std::string(line.substr(0, dot));
    line.remove_prefix(dot + 1);
  }
  NamedValue named;
  HR_RETURN_IF_ERROR(ReadNameAndValue(options_, line, origin, &named));
  if (named.row == nullptr) {
    const std::string_view name = StripBlanks(line.substr(0, line.find('=')));
    warnings_.push_back(
        Concat(origin, ": there is no option ", name, "; it is ignored. The nearest is ", options_.Nearest(name), "."));
    return absl::OkStatus();
  }
  config_[in_section][std::string(named.row->name)].push_back(std::move(named.value));
  return absl::OkStatus();
}

std::vector<SettingValue> Settings::Find(std::string_view name, std::string_view chain) const {
  const OptionRow* const row = options_.Find(name);
  const bool is_list = row != nullptr && row->kind == OptionKind::kList;
  std::vector<SettingValue> found;
  bool is_cut_off = false;  // a negation hides everything of lower precedence
  auto add = [&](const ValuesByName& from) {
    const auto it = from.find(name);
    if (it == from.end() || is_cut_off) return;
    const size_t first = found.size();
    for (const SettingValue& value : it->second) {
      if (is_list && value.is_negated) {
        found.resize(first);
        is_cut_off = true;
      }
      found.push_back(value);
    }
  };
  add(command_line_);
  if (!is_list && !found.empty()) return {found.back()};
  if (const auto it = config_.find(chain); !chain.empty() && it != config_.end()) add(it->second);
  const bool common_part_counts = row == nullptr || !row->is_per_network || chain == "main";
  if (const auto it = config_.find(""); common_part_counts && it != config_.end()) add(it->second);
  return found;
}

std::vector<std::string> Settings::Warnings(std::string_view chain) const {
  std::vector<std::string> warnings = warnings_;
  const auto common = config_.find("");
  if (common == config_.end() || chain == "main") return warnings;
  for (const auto& [name, values] : common->second) {
    if (!options_.Find(name)->is_per_network) continue;
    warnings.push_back(Concat(values.front().origin, ": ", name,
                              " holds for the main network alone; put it into the section [", chain,
                              "] for this one."));
  }
  return warnings;
}

}  // namespace headrace
