// A range of addresses: those that share the first so many bits. What -rpcallowip and its like name.
//
// IPv4 addresses are ranges within ::ffff:0:0/96, as Address keeps them. A value type; any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"
#include "net/transport/address.h"

namespace headrace {

class Subnet {
 public:
  // `1.2.3.4`, `1.2.3.0/24`, `1.2.3.0/255.255.255.0`, `2001:db8::/32`, `::1`; bits of the address below the mask are
  // ignored. A mask is a run of ones followed by a run of zeros.
  static absl::StatusOr<Subnet> Parse(std::string_view text);

  bool Contains(const Address& address) const;

 private:
  Address base_;
  int prefix_bits_ = 128;
};

}  // namespace headrace
