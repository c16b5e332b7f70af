#include "net/rpc/json_rpc.h"

#include <exception>
#include <optional>
#include <utility>

#include "net/rpc/rpc_error.h"

namespace headrace {
namespace {

struct Call {
  std::optional<Json> id;
  bool is_version2 = false;
  std::string method;
  Json params = Json::array();

  bool is_notification() const { return is_version2 && !id; }
};

const Json& FieldOf(const Json& object, const char* name) {
  static const Json null;
  const auto field = object.find(name);
  return field == object.end() ? null : *field;
}

// Fills `call` as far as the request goes, so that an error can be answered with the id and in the version that came
// before it.
void ReadCall(Json&& request, Call& call) {
  if (!request.is_object()) throw RpcError{kRpcInvalidRequest, "Invalid Request object"};
  call.id.reset();
  if (const auto id = request.find("id"); id != request.end()) call.id = *id;
  const Json& version = FieldOf(request, "jsonrpc");
  if (!version.is_null()) {
    if (!version.is_string()) throw RpcError{kRpcInvalidRequest, "jsonrpc field must be a string"};
    const std::string& text = version.get_ref<const std::string&>();
    if (text != "1.0" && text != "2.0") throw RpcError{kRpcInvalidRequest, "JSON-RPC version not supported"};
    call.is_version2 = text == "2.0";
  }
  const Json& method = FieldOf(request, "method");
  if (method.is_null()) throw RpcError{kRpcInvalidRequest, "Missing method"};
  if (!method.is_string()) throw RpcError{kRpcInvalidRequest, "Method must be a string"};
  call.method = method.get<std::string>();
  const auto params = request.find("params");
  if (params == request.end() || params->is_null()) return;
  if (!params->is_array() && !params->is_object()) {
    throw RpcError{kRpcInvalidRequest, "Params must be an array or object"};
  }
  call.params = std::move(*params);
}

std::string ReplyText(const Call& call, Json result, Json error) {
  const bool is_error = !error.is_null();
  Json reply = Json::object();
  if (call.is_version2) reply["jsonrpc"] = "2.0";
  if (!is_error || !call.is_version2) reply["result"] = std::move(result);
  if (is_error || !call.is_version2) reply["error"] = std::move(error);
  if (call.id) reply["id"] = *call.id;
  return WriteJson(reply);
}

Json ErrorValue(const RpcError& error) {
  Json value = Json::object();
  value["code"] = error.code;
  value["message"] = error.message;
  return value;
}

int StatusOf(int code) {
  switch (code) {
    case kRpcInvalidRequest:
      return 400;
    case kRpcMethodNotFound:
      return 404;
    default:
      return 500;
  }
}

// What a method throws beside RpcError is our bug, and still gets a reply.
Json Carry(const Call& call, RpcExecutor& executor) {
  try {
    return executor.Execute(call.method, call.params);
  } catch (const std::exception& failure) {
    throw RpcError{kRpcMisc, failure.what()};
  }
}

JsonRpcReply AnswerOne(Json&& request, RpcExecutor& executor) {
  Call call;
  call.id = Json();
  bool is_read = false;
  try {
    ReadCall(std::move(request), call);
    is_read = true;
    Json result = Carry(call, executor);
    if (call.is_notification()) return {204, ""};
    return {200, ReplyText(call, std::move(result), nullptr) + "\n"};
  } catch (const RpcError& error) {
    if (is_read && call.is_notification()) return {204, ""};
    const int status = is_read && call.is_version2 ? 200 : StatusOf(error.code);
    return {status, ReplyText(call, nullptr, ErrorValue(error)) + "\n"};
  }
}

// The text of the reply to one request of a batch; nothing for a notification.
std::optional<std::string> AnswerMember(Json&& request, RpcExecutor& executor, bool has_room) {
  Call call;
  call.id = Json();
  try {
    ReadCall(std::move(request), call);
    if (!has_room)
      throw RpcError{kRpcLimitExceeded,
                     "The reply to this batch has grown too large; this request was not carried out"};
    Json result = Carry(call, executor);
    if (call.is_notification()) return std::nullopt;
    return ReplyText(call, std::move(result), nullptr);
  } catch (const RpcError& error) {
    if (call.is_notification()) return std::nullopt;
    return ReplyText(call, nullptr, ErrorValue(error));
  }
}

JsonRpcReply AnswerBatch(Json&& batch, RpcExecutor& executor, const JsonRpcLimits& limits) {
  std::string body = "[";
  bool is_first = true;
  for (Json& request : batch) {
    const std::optional<std::string> reply =
        AnswerMember(std::move(request), executor, body.size() < limits.batch_reply_bytes_max);
    if (!reply) continue;
    if (!std::exchange(is_first, false)) body += ',';
    body += *reply;
  }
  // An empty batch gets an empty array, as it always has, although JSON-RPC 2.0 asks for an error.
  if (is_first && !batch.empty()) return {204, ""};
  return {200, body + "]\n"};
}

JsonRpcReply Fault(int code, const char* message) {
  Call call;
  call.id = Json();
  return {StatusOf(code), ReplyText(call, nullptr, ErrorValue({code, message})) + "\n"};
}

}  // namespace

JsonRpcReply AnswerJsonRpc(std::string_view body, RpcExecutor& executor, const JsonRpcLimits& limits) {
  std::optional<Json> request = ParseJson(body);
  if (!request) return Fault(kRpcParse, "Parse error");
  if (request->is_object()) return AnswerOne(*std::move(request), executor);
  if (!request->is_array()) return Fault(kRpcParse, "Top-level object parse error");
  if (request->size() > limits.batch_requests_max) return Fault(kRpcInvalidRequest, "Too many requests in one batch");
  return AnswerBatch(*std::move(request), executor, limits);
}

}  // namespace headrace
