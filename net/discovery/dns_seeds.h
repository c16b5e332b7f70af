// The names of DNS seeds: servers that crawlers of the network fill with addresses of nodes which were there lately.
//
// Data. The names are those that the field's common node asks (Bitcoin Core, src/kernel/chainparams.cpp), as of the end of
// 2025.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace headrace {

// `chain` is main, test, testnet4, signet or regtest. Regtest has one that nobody serves, for tests with a server of their own.
std::vector<std::string> DnsSeedsOf(std::string_view chain);

}  // namespace headrace
