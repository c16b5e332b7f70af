// What methods may look at and order. Filled in once, before the first call; everything in it may be used by any
// thread.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/node/node_facade.h"
#include "net/discovery/outbound_plan.h"
#include "net/peer/peer_hub.h"
#include "net/rpc/active_calls.h"
#include "net/rpc/rpc_error.h"

namespace headrace {

struct RpcContext {
  NodeFacade* node = nullptr;
  PeerHub* peers = nullptr;
  // Asks the program to end; returns at once.
  std::function<void()> request_stop;
  std::string log_path;
  // Where paths begin that are not absolute: the data directory of the network.
  std::string network_directory;
  int version = 0;  // 100 is 0.1.0
  // How this node introduces itself to peers.
  uint64_t services = 0;
  std::string user_agent;
  uint32_t networks = OutboundLimits{}.networks;  // in which peers are chosen
  std::string proxy;                              // through which they are reached, if any
  std::vector<NodeAddress> own_addresses;         // that the operator named
  std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();
  ActiveCalls active_calls;
};

// Statuses of the facade as errors of the interface; the codes are what the field's programs expect of a missing block,
// a node that stops, a disk that fails.
[[noreturn]] void ThrowRpcError(const absl::Status& status);

inline void RequireOk(const absl::Status& status) {
  if (!status.ok()) ThrowRpcError(status);
}

template <typename Value>
Value Require(absl::StatusOr<Value> value) {
  RequireOk(value.status());
  return *std::move(value);
}

}  // namespace headrace
