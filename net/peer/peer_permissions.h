// Who is allowed more than others, as the operator writes it: `noban,download@10.0.0.0/8` (-whitelist: whoever comes
// from there) and `addr@127.0.0.1:8335` (-whitebind: whoever comes in over that listening address). Without a list the
// permissions are those of a friend: noban, relay and mempool.
//
// Values; any thread. Cold path.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/ports/peer_permissions.h"
#include "net/transport/address.h"
#include "net/transport/subnet.h"

namespace headrace {

struct PermittedRange {
  Subnet range;
  uint32_t permissions = 0;
  bool is_inbound = true;    // `in`: holds for those that come
  bool is_outbound = false;  // `out`: for those that the operator named and this node connects to
};

struct PermittedListener {
  Address address;
  uint32_t permissions = 0;
};

// Statuses are sentences that end with what is right; the option's name comes before them.
absl::StatusOr<PermittedRange> ParsePermittedRange(std::string_view text);
absl::StatusOr<PermittedListener> ParsePermittedListener(std::string_view text, uint16_t default_port);

// As getpeerinfo lists them.
std::vector<std::string_view> PermissionNames(uint32_t permissions);
// The same as one word of a log line: `noban,download`.
std::string PermissionsText(uint32_t permissions);

}  // namespace headrace
