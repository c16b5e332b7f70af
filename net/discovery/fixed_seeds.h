// Addresses of nodes that were there once, for a start at which nobody else tells any.
//
// Data. 384 IPv4 and 128 IPv6 addresses of mainnet: those that the package bcoin 1.0.2 of the npm registry carries
// (lib/net/seeds/main.js, 1525 entries, of the year 2017 by the package's notice), as read in November 2026. Left out were
// tunnels (Teredo, 6to4) and Tor v2, which are gone; of each network group the first was taken, and of those as many as fit,
// evenly over the list. How many of them are still there is not known: it may be few. There is no such list for the test
// networks.
#pragma once

#include <string_view>
#include <vector>

#include "net/discovery/node_address.h"

namespace headrace {

// `chain` is main, test, testnet4, signet or regtest.
std::vector<NodeAddress> FixedSeedsOf(std::string_view chain);

}  // namespace headrace
