#include "tools/config/setting_reader.h"

namespace headrace {

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

}  // namespace headrace
