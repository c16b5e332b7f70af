// JSON-RPC requests and batches: whatever comes in, the reply is a valid document of the right shape, one reply for
// each request that wants one, and the methods are called as often as there are requests that are any.
#include "net/rpc/json_rpc.h"

#include "net/rpc/rpc_error.h"
#include "tests/fuzz/fuzz_target.h"

namespace headrace::fuzz {
namespace {

// Gives the parameters back, or fails in the ways that methods do.
class Echo final : public RpcExecutor {
 public:
  Json Execute(const std::string& method, const Json& params) override {
    HR_CHECK(params.is_array() || params.is_object());
    ++calls;
    if (method.size() % 5 == 4) throw RpcError{kRpcMethodNotFound, "Method not found: " + method};
    if (method.size() % 7 == 6) throw std::runtime_error("our bug");
    return params;
  }
  size_t calls = 0;
};

// 2.0 has one of result and error, the older versions both of them.
void CheckReply(const Json& reply) {
  HR_CHECK(reply.is_object());
  const bool has_result = reply.contains("result");
  const bool has_error = reply.contains("error");
  if (reply.contains("jsonrpc")) {
    HR_CHECK(reply["jsonrpc"] == "2.0" && has_result != has_error);
  } else {
    HR_CHECK(has_result && has_error && (reply["result"].is_null() || reply["error"].is_null()));
  }
  if (!has_error || reply["error"].is_null()) return;
  HR_CHECK(reply["error"]["code"].is_number() && reply["error"]["message"].is_string());
}

void Run(ByteSpan input) {
  const std::string_view body = AsText(input);
  Echo echo;
  JsonRpcLimits limits;
  limits.batch_requests_max = 20;
  limits.batch_reply_bytes_max = 2000;
  const JsonRpcReply reply = AnswerJsonRpc(body, echo, limits);
  HR_CHECK(reply.http_status == 200 || reply.http_status == 204 || reply.http_status == 400 ||
           reply.http_status == 404 || reply.http_status == 500);
  HR_CHECK((reply.http_status == 204) == reply.body.empty());
  const std::optional<Json> request = ParseJson(body);
  const size_t requests = !request ? 0 : request->is_array() ? request->size() : 1;
  HR_CHECK(echo.calls <= std::min<size_t>(requests, limits.batch_requests_max));
  if (reply.body.empty()) return;
  HR_CHECK(reply.body.ends_with('\n'));
  // Parameters are given back at the depth at which they came in, or one less, under "result".
  const std::optional<Json> parsed = ParseJson(reply.body);
  HR_CHECK(parsed.has_value());
  if (!parsed->is_array()) return CheckReply(*parsed);
  HR_CHECK(request && request->is_array() && parsed->size() <= request->size());
  for (const Json& member : *parsed) CheckReply(member);
}

std::vector<Bytes> Corpus() {
  std::vector<Bytes> corpus;
  const std::string one = R"({"jsonrpc":"2.0","method":"abc","params":[1,{"x":0.5}],"id":7})";
  const std::string old = R"({"method":"abcd","params":{"a":"\u00e9"},"id":null})";
  const std::string note = R"({"jsonrpc":"2.0","method":"abc"})";
  std::string many = "[" + one;
  for (int i = 0; i < 20; ++i) many += "," + old;
  for (const std::string& text :
       {one, old, note, "[" + one + "," + old + "," + note + ",5,{}]", std::string("[]"), "[" + note + "]", many + "]",
        std::string(R"({"method":5,"id":{"a":[]}})"), std::string(R"({"jsonrpc":"3.0","method":"a","id":1})"),
        std::string(R"({"jsonrpc":"1.0","method":"abcdef","params":null,"id":"x","id":"y"})"), std::string("{"),
        std::string(R"({"method":"abc","params":"no","id":1})")}) {
    corpus.emplace_back(text.begin(), text.end());
  }
  return corpus;
}

FUZZ_TARGET(json_rpc, 15'000, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
