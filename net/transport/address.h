// An internet address with its port, and its text.
//
// IPv4 addresses are kept in their mapped form (::ffff:a.b.c.d), which is also how the wire carries them. A value type;
// any thread. Parsing never asks a name server: see resolve.h.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace headrace {

struct Address {
  std::array<uint8_t, 16> ip{};
  uint16_t port = 0;

  auto operator<=>(const Address&) const = default;

  static Address Ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port);
  static Address FromSocket(const sockaddr_storage& from);
  // Fills `to` and returns its size.
  socklen_t ToSocket(sockaddr_storage& to) const;

  bool is_ipv4() const;
  bool is_loopback() const;
  // `127.0.0.1` or `::1`.
  std::string HostText() const;
  // `127.0.0.1:8333` or `[::1]:8333`.
  std::string ToString() const;
};

struct HostPort {
  std::string host;
  uint16_t port = 0;
  bool operator==(const HostPort&) const = default;
};

// Splits `host`, `host:port`, `[ipv6]`, `[ipv6]:port` or a bare IPv6 address. A missing port is `default_port`; a port
// is decimal digits, at most 65535, and the text must not hold anything else.
absl::StatusOr<HostPort> SplitHostPort(std::string_view text, uint16_t default_port);

// A numeric address only, without leading zeros or other abbreviations of IPv4.
std::optional<Address> ParseNumericHost(std::string_view host, uint16_t port);
absl::StatusOr<Address> ParseAddress(std::string_view text, uint16_t default_port);

}  // namespace headrace
