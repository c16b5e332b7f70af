#include "net/transport/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"

namespace headrace {
namespace {

constexpr std::array<uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::optional<uint16_t> ParsePort(std::string_view text) {
  if (text.empty() || text.size() > 5) return std::nullopt;
  uint32_t port = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    port = port * 10 + static_cast<uint32_t>(c - '0');
  }
  if (port > 65535) return std::nullopt;
  return static_cast<uint16_t>(port);
}

absl::Status BadAddress(std::string_view text, std::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("Cannot read the address \"", std::string(text), "\": ", std::string(why),
                   ". Write HOST, HOST:PORT or [IPV6]:PORT."));
}

}  // namespace

Address Address::Ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port) {
  Address address;
  std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), address.ip.begin());
  address.ip[12] = a;
  address.ip[13] = b;
  address.ip[14] = c;
  address.ip[15] = d;
  address.port = port;
  return address;
}

Address Address::FromSocket(const sockaddr_storage& from) {
  Address address;
  if (from.ss_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &from, sizeof(v4));
    std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), address.ip.begin());
    std::memcpy(&address.ip[12], &v4.sin_addr, 4);
    address.port = ntohs(v4.sin_port);
  } else if (from.ss_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, &from, sizeof(v6));
    std::memcpy(address.ip.data(), &v6.sin6_addr, 16);
    address.port = ntohs(v6.sin6_port);
  }
  return address;
}

socklen_t Address::ToSocket(sockaddr_storage& to) const {
  std::memset(&to, 0, sizeof(to));
  if (is_ipv4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, &ip[12], 4);
    std::memcpy(&to, &v4, sizeof(v4));
    return sizeof(v4);
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  std::memcpy(&v6.sin6_addr, ip.data(), 16);
  std::memcpy(&to, &v6, sizeof(v6));
  return sizeof(v6);
}

bool Address::is_ipv4() const { return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), ip.begin()); }

bool Address::is_loopback() const {
  if (is_ipv4()) return ip[12] == 127;
  return std::all_of(ip.begin(), ip.end() - 1, [](uint8_t byte) { return byte == 0; }) && ip[15] == 1;
}

std::string Address::HostText() const {
  char text[INET6_ADDRSTRLEN] = {};
  if (is_ipv4()) {
    inet_ntop(AF_INET, &ip[12], text, sizeof(text));
  } else {
    inet_ntop(AF_INET6, ip.data(), text, sizeof(text));
  }
  return text;
}

std::string Address::ToString() const {
  return is_ipv4() ? absl::StrCat(HostText(), ":", port) : absl::StrCat("[", HostText(), "]:", port);
}

absl::StatusOr<HostPort> SplitHostPort(std::string_view text, uint16_t default_port) {
  std::string_view host = text;
  std::string_view port_text;
  bool has_port = false;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return BadAddress(text, "the closing bracket is missing");
    host = text.substr(1, end - 1);
    // By its form: ::ffff:1.2.3.4 stands for an IPv4 address and is written like an IPv6 one.
    if (host.find(':') == std::string_view::npos || !ParseNumericHost(host, 0)) {
      return BadAddress(text, "brackets hold an IPv6 address");
    }
    const std::string_view rest = text.substr(end + 1);
    if (!rest.empty()) {
      if (rest[0] != ':') return BadAddress(text, "only a port may follow the bracket");
      has_port = true;
      port_text = rest.substr(1);
    }
  } else if (const size_t colon = text.find(':'); colon != std::string_view::npos) {
    // Two colons can only be a bare IPv6 address, which has no port.
    if (text.find(':', colon + 1) == std::string_view::npos) {
      host = text.substr(0, colon);
      has_port = true;
      port_text = text.substr(colon + 1);
    } else if (!ParseNumericHost(text, 0)) {
      return BadAddress(text, "it is no IPv6 address");
    }
  }
  if (host.empty()) return BadAddress(text, "the host is missing");
  uint16_t port = default_port;
  if (has_port) {
    const std::optional<uint16_t> parsed = ParsePort(port_text);
    if (!parsed) return BadAddress(text, "the port is not a number from 0 to 65535");
    port = *parsed;
  }
  return HostPort{std::string(host), port};
}

std::optional<Address> ParseNumericHost(std::string_view host, uint16_t port) {
  if (host.size() >= INET6_ADDRSTRLEN || host.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string text(host);
  in_addr v4;
  if (inet_pton(AF_INET, text.c_str(), &v4) == 1) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(&v4);
    return Address::Ipv4(bytes[0], bytes[1], bytes[2], bytes[3], port);
  }
  Address address;
  if (inet_pton(AF_INET6, text.c_str(), address.ip.data()) != 1) return std::nullopt;
  address.port = port;
  return address;
}

absl::StatusOr<Address> ParseAddress(std::string_view text, uint16_t default_port) {
  HR_ASSIGN_OR_RETURN(const HostPort parts, SplitHostPort(text, default_port));
  const std::optional<Address> address = ParseNumericHost(parts.host, parts.port);
  if (!address) return BadAddress(text, "it is not numeric");
  return *address;
}

}  // namespace headrace
