// Settings of one network by kind: flags, numbers, words, hosts. Complaints name the option, the value and where it was
// written. Cold path; one thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "engine/primitives/hash256.h"
#include "net/transport/address.h"
#include "tools/config/settings.h"
#include "tools/config/text.h"

namespace headrace {

inline absl::Status Complaint(std::string_view name, const SettingValue& value, std::string_view what_is_right) {
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
    const OptionRow* const row = settings_.options().Find(name);
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
    Fail(Complaint(name, *value,
                   wants_all_digits ? "write the block's hash, 64 hex digits, or 0" : "write up to 64 hex digits"));
    return std::nullopt;
  }

 private:
  const Settings& settings_;
  std::string chain_;
  absl::Status status_;
};

// Splits HOST, HOST:PORT, [V6], [V6]:PORT and a bare V6 literal; nothing when it is none of these.
std::optional<HostPort> ParseHostPort(std::string_view text, uint16_t default_port);
// Every value of a list of hosts; negated ones and 0 are left out.
std::vector<HostPort> ReadHostPorts(SettingReader& reader, std::string_view name, uint16_t default_port);

}  // namespace headrace
