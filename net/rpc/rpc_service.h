// JSON-RPC over the HTTP server: who may call, what is called, what is answered; and what is said while the node
// starts.
//
// Threads: SetPhase and SetReady from the program's thread, at any time; the rest from the server's threads.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>

#include "net/rpc/http_server.h"
#include "net/rpc/json_rpc.h"
#include "net/rpc/method_table.h"
#include "net/rpc/rpc_authentication.h"
#include "net/rpc/rpc_context.h"

namespace headrace {

class RpcService final : public HttpService, private RpcExecutor {
 public:
  RpcService(const MethodTable& methods, RpcAuthentication authentication)
      : methods_(methods), authentication_(std::move(authentication)) {}

  // Until SetReady every call fails with the words of the phase the node is in ("Loading block index…").
  void SetPhase(std::string words);
  // From now on calls are carried out. The context outlives the server.
  void SetReady(RpcContext& context);

  std::optional<HttpRefusal> Refuse(const HttpRequest& head) override;
  HttpReply Answer(const HttpRequest& request) override;

 private:
  Json Execute(const std::string& method, const Json& params) override;
  void LogWrongPassword(const Address& peer);

  const MethodTable& methods_;
  const RpcAuthentication authentication_;
  // Release and acquire: whoever sees the context sees what it holds.
  std::atomic<RpcContext*> context_{nullptr};
  std::mutex phase_mutex_;
  std::string phase_ = "Starting…";
  // The server's thread alone.
  std::chrono::steady_clock::time_point quiet_until_;
};

}  // namespace headrace
