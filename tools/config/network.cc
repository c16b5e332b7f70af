#include "tools/config/network.h"

#include <algorithm>
#include <iterator>

namespace headrace {
namespace {

constexpr NetworkRow kNetworks[] = {{"main", "", 8333, 8332},
                                    {"test", "testnet3", 18333, 18332},
                                    {"testnet4", "testnet4", 48333, 48332},
                                    {"signet", "signet", 38333, 38332},
                                    {"regtest", "regtest", 18444, 18443}};

}  // namespace

const NetworkRow* FindNetwork(std::string_view chain) {
  const auto row = std::find_if(std::begin(kNetworks), std::end(kNetworks),
                                [&](const NetworkRow& candidate) { return candidate.chain == chain; });
  return row == std::end(kNetworks) ? nullptr : row;
}

}  // namespace headrace
