// Names to addresses through the system's resolver.
//
// Blocks while the resolver asks: for start-up and other cold paths only, never on the reactor thread once it serves
// peers. Numeric hosts are answered without asking anybody.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "net/transport/address.h"

namespace headrace {

// At least one address, or a sentence that says which name failed and why.
absl::StatusOr<std::vector<Address>> ResolveHost(const HostPort& target);

}  // namespace headrace
