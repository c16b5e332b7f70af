// The networks as options name them: folder and ports of each. Pure data; any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace headrace {

struct NetworkRow {
  std::string_view chain;   // main, test, testnet4, signet, regtest
  std::string_view folder;  // below the data directory; empty for main
  uint16_t port;
  uint16_t rpc_port;
};

// nullptr when there is no such network.
const NetworkRow* FindNetwork(std::string_view chain);

}  // namespace headrace
