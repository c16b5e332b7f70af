// JSON-RPC as the daemon runs it: cookie, users, HTTP server, and what methods may look at. It listens from the first moment
// of a start and says what the node is at until it is ready.
//
// The daemon's thread alone.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "engine/node/node_facade.h"
#include "engine/ports/entropy.h"
#include "net/peer/peer_hub.h"
#include "net/peer/peer_hub_options.h"
#include "net/rpc/http_server.h"
#include "net/rpc/rpc_context.h"
#include "net/rpc/rpc_cookie.h"
#include "net/rpc/rpc_service.h"
#include "tools/headraced/options.h"

namespace headrace {

class RpcEndpoint {
 public:
  static absl::StatusOr<std::unique_ptr<RpcEndpoint>> Start(const DaemonOptions& options, Entropy& entropy);

  // What calls are told until SetReady: "Loading block index…".
  void SetPhase(std::string words) { service_.SetPhase(std::move(words)); }
  // Everything referred to outlives this.
  void SetReady(NodeFacade& node, PeerHub& peers, const PeerHubOptions& identity);

  // Takes no more calls, and waits a while for the answers of those under way. The destructor waits for their ends: whoever
  // holds calls back must let them go before.
  void Stop();

 private:
  RpcEndpoint(RpcAuthentication authentication, std::unique_ptr<RpcCookie> cookie,
              const std::string& network_directory);

  std::unique_ptr<RpcCookie> cookie_;  // nullptr: none was made
  RpcContext context_;
  RpcService service_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace headrace
