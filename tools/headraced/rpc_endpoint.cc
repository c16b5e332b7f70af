#include "tools/headraced/rpc_endpoint.h"

#include <filesystem>
#include <utility>

#include "engine/base/log.h"
#include "engine/base/status_macros.h"
#include "net/rpc/method_table.h"
#include "tools/config/text.h"
#include "tools/headraced/stop_signals.h"

namespace headrace {
namespace {

constexpr std::chrono::seconds kStopPatience(10);

// "1.2.3" as 10203.
int VersionNumber(std::string_view version) {
  int number = 0;
  for (int i = 0; i < 3; ++i) {
    const size_t dot = version.find('.');
    number = number * 100 + ToNumber<int>(version.substr(0, dot)).value_or(0);
    version.remove_prefix(dot == std::string_view::npos ? version.size() : dot + 1);
  }
  return number;
}

}  // namespace

RpcEndpoint::RpcEndpoint(RpcAuthentication authentication, std::unique_ptr<RpcCookie> cookie,
                         const std::string& network_directory)
    : cookie_(std::move(cookie)), service_(RpcMethods(), std::move(authentication)) {
  context_.log_path = network_directory + "/debug.log";
  context_.network_directory = network_directory;
  context_.version = VersionNumber(HEADRACE_VERSION);
  context_.request_stop = RequestStop;
}

absl::StatusOr<std::unique_ptr<RpcEndpoint>> RpcEndpoint::Start(const DaemonOptions& options, Entropy& entropy) {
  const RpcOptions& rpc = options.rpc;
  RpcAuthentication authentication;
  for (const std::string& user : rpc.auth) HR_RETURN_IF_ERROR(authentication.AddHashed(user));
  if (!rpc.password.empty()) authentication.AddPassword(rpc.user, rpc.password, entropy);
  std::unique_ptr<RpcCookie> cookie;
  if (!rpc.cookie_file.empty()) {
    HR_ASSIGN_OR_RETURN(RpcCookie made, RpcCookie::Create(rpc.cookie_file, rpc.cookie_readers, entropy));
    cookie = std::make_unique<RpcCookie>(std::move(made));
    const std::string& pair = cookie->credentials();
    const size_t colon = pair.find(':');
    authentication.AddPassword(pair.substr(0, colon), pair.substr(colon + 1), entropy);
  } else if (rpc.password.empty() && rpc.auth.empty()) {
    HR_LOG(kWarning, kRpc, "nobody can call: there is no cookie, no -rpcpassword and no -rpcauth");
  }
  std::unique_ptr<RpcEndpoint> endpoint(new RpcEndpoint(std::move(authentication), std::move(cookie),
                                                        std::filesystem::absolute(options.network_directory).string()));
  endpoint->context_.networks = options.networks;
  if (options.proxy) endpoint->context_.proxy = options.proxy->ToString();
  endpoint->context_.own_addresses = options.external_addresses;
  HttpServerOptions http;
  http.bind = rpc.bind;
  http.allow = rpc.allow;
  http.worker_count = rpc.threads;
  http.waiting_max = rpc.work_queue;
  http.timeout_ms = int64_t{rpc.server_timeout_s} * 1000;
  HR_ASSIGN_OR_RETURN(endpoint->server_, HttpServer::Start(http, endpoint->service_));
  for (const Address& address : endpoint->server_->listening()) {
    HR_LOG(kInfo, kRpc, "listening address=", address.ToString(), " cookie=", rpc.cookie_file);
  }
  return endpoint;
}

void RpcEndpoint::SetReady(NodeFacade& node, PeerHub& peers, const PeerHubOptions& identity) {
  context_.node = &node;
  context_.peers = &peers;
  context_.services = identity.services;
  context_.user_agent = identity.user_agent;
  service_.SetReady(context_);
}

void RpcEndpoint::Stop() { server_->Stop(kStopPatience); }

}  // namespace headrace
