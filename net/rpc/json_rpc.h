// JSON-RPC 1.0, 1.1 and 2.0 over HTTP as the field speaks it: requests and batches in, replies out; methods are
// somebody else's.
//
// A request that says "jsonrpc": "2.0" gets HTTP 200 whatever becomes of it, one of result and error, and no reply at
// all (204) when it has no id. Every other request gets both result and error, and an HTTP status by the error's code.
// A batch is carried out in order and always gets 200.
//
// Any thread. Cost: the request is held as values, the reply as text; both are bounded.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "net/rpc/json_text.h"

namespace headrace {

// Carries out one call.
class RpcExecutor {
 public:
  virtual ~RpcExecutor() = default;
  // `params` is an array or an object. Throws RpcError. Any thread.
  virtual Json Execute(const std::string& method, const Json& params) = 0;
};

struct JsonRpcReply {
  int http_status = 200;
  std::string body;  // empty with 204
};

struct JsonRpcLimits {
  // Requests of one batch; more are refused together.
  size_t batch_requests_max = 100'000;
  // When the reply to a batch has grown to this, the rest of it is not carried out and says so.
  size_t batch_reply_bytes_max = 128 << 20;
};

JsonRpcReply AnswerJsonRpc(std::string_view body, RpcExecutor& executor, const JsonRpcLimits& limits = {});

}  // namespace headrace
