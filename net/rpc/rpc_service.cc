#include "net/rpc/rpc_service.h"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/base/log.h"

namespace headrace {
namespace {

// A guesser must not fill the disk with lines about its guesses.
constexpr std::chrono::seconds kWrongPasswordLogInterval(1);

HttpRefusal Refusal(int status, std::string body = {}) {
  HttpRefusal refusal;
  refusal.reply.status = status;
  refusal.reply.body = std::move(body);
  return refusal;
}

HttpRefusal Unauthorized() {
  HttpRefusal refusal = Refusal(401);
  refusal.reply.fields.push_back({"WWW-Authenticate", "Basic realm=\"jsonrpc\""});
  return refusal;
}

}  // namespace

void RpcService::SetPhase(std::string words) {
  const std::lock_guard lock(phase_mutex_);
  phase_ = std::move(words);
}

void RpcService::SetReady(RpcContext& context) { context_.store(&context, std::memory_order_release); }

std::optional<HttpRefusal> RpcService::Refuse(const HttpRequest& head) {
  static constexpr std::array<std::string_view, 4> kMethods = {"GET", "POST", "HEAD", "PUT"};
  if (std::find(kMethods.begin(), kMethods.end(), head.method) == kMethods.end()) return Refusal(405);
  if (head.target != "/") return Refusal(404);
  if (head.method != "POST") return Refusal(405, "JSONRPC server handles only POST requests");
  const std::string* const authorization = head.Find("Authorization");
  if (authorization == nullptr) return Unauthorized();
  if (authentication_.Accepts(*authorization)) return std::nullopt;
  LogWrongPassword(head.peer);
  HttpRefusal refusal = Unauthorized();
  refusal.deters = true;
  return refusal;
}

void RpcService::LogWrongPassword(const Address& peer) {
  const auto now = std::chrono::steady_clock::now();
  if (now < quiet_until_) return;
  quiet_until_ = now + kWrongPasswordLogInterval;
  HR_LOG(kWarning, kRpc, "wrong user or password peer=", peer.ToString());
}

HttpReply RpcService::Answer(const HttpRequest& request) {
  JsonRpcReply answer = AnswerJsonRpc(request.body, *this);
  HttpReply reply;
  reply.status = answer.http_status;
  reply.body = std::move(answer.body);
  if (!reply.body.empty()) reply.fields.push_back({"Content-Type", "application/json"});
  return reply;
}

Json RpcService::Execute(const std::string& method, const Json& params) {
  RpcContext* const context = context_.load(std::memory_order_acquire);
  if (context == nullptr) {
    const std::lock_guard lock(phase_mutex_);
    throw RpcError{kRpcInWarmup, phase_};
  }
  const RpcMethod* const row = methods_.Find(method);
  if (row == nullptr) throw RpcError{kRpcMethodNotFound, "Method not found"};
  HR_LOG(kDebug, kRpc, "call method=", method);
  const ActiveCalls::Scope scope(context->active_calls, method);
  const Json positions = PositionalParams(*row, params);
  CheckParams(*row, positions);
  return row->function(RpcCall(*context, *row, positions));
}

}  // namespace headrace
