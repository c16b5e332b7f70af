#include "net/rpc/json_rpc.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "net/rpc/rpc_error.h"

namespace headrace {
namespace {

class FakeExecutor final : public RpcExecutor {
 public:
  Json Execute(const std::string& method, const Json& params) override {
    ++calls;
    if (method == "count") return calls;
    if (method == "params") return params;
    if (method == "big") return std::string(400, 'x');
    if (method == "fail") throw RpcError{kRpcInvalidParameter, "wrong"};
    if (method == "break") throw std::runtime_error("our bug");
    throw RpcError{kRpcMethodNotFound, "Method not found"};
  }
  int calls = 0;
};

class JsonRpcTest : public ::testing::Test {
 protected:
  // "STATUS BODY" without the newline at the end.
  std::string Ask(std::string_view body) {
    const JsonRpcReply reply = AnswerJsonRpc(body, executor_);
    if (reply.http_status == 204) {
      EXPECT_EQ(reply.body, "");
      return "204";
    }
    EXPECT_TRUE(reply.body.ends_with('\n'));
    return std::to_string(reply.http_status) + " " + reply.body.substr(0, reply.body.size() - 1);
  }

  FakeExecutor executor_;
};

TEST_F(JsonRpcTest, Version1) {
  EXPECT_EQ(Ask(R"({"method":"count","id":7})"), R"(200 {"result":1,"error":null,"id":7})");
  EXPECT_EQ(Ask(R"({"version":"1.1","method":"count","params":[],"id":"a"})"),
            R"(200 {"result":2,"error":null,"id":"a"})");
  EXPECT_EQ(Ask(R"({"jsonrpc":"1.0","method":"count","params":null})"), R"(200 {"result":3,"error":null})");
  EXPECT_EQ(Ask(R"({"method":"nothing","id":1})"),
            R"(404 {"result":null,"error":{"code":-32601,"message":"Method not found"},"id":1})");
  EXPECT_EQ(Ask(R"({"method":"fail","id":1})"), R"(500 {"result":null,"error":{"code":-8,"message":"wrong"},"id":1})");
  EXPECT_EQ(Ask(R"({"method":"break","id":1})"),
            R"(500 {"result":null,"error":{"code":-1,"message":"our bug"},"id":1})");
}

TEST_F(JsonRpcTest, Version2) {
  EXPECT_EQ(Ask(R"({"jsonrpc":"2.0","method":"count","id":7})"), R"(200 {"jsonrpc":"2.0","result":1,"id":7})");
  EXPECT_EQ(Ask(R"({"jsonrpc":"2.0","method":"count","id":null})"), R"(200 {"jsonrpc":"2.0","result":2,"id":null})");
  EXPECT_EQ(Ask(R"({"jsonrpc":"2.0","method":"nothing","id":1})"),
            R"(200 {"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":1})");
  EXPECT_EQ(Ask(R"({"jsonrpc":"2.0","method":"fail","id":1})"),
            R"(200 {"jsonrpc":"2.0","error":{"code":-8,"message":"wrong"},"id":1})");
}

TEST_F(JsonRpcTest, NotificationsAreCarriedOutAndNotAnswered) {
  for (const char* method : {"count", "fail", "nothing"}) {
    EXPECT_EQ(Ask(std::string(R"({"jsonrpc":"2.0","method":")") + method + "\"}"), "204");
  }
  EXPECT_EQ(executor_.calls, 3);
}

TEST_F(JsonRpcTest, InvalidRequests) {
  EXPECT_EQ(Ask(R"({"id":1})"), R"(400 {"result":null,"error":{"code":-32600,"message":"Missing method"},"id":1})");
  EXPECT_EQ(Ask(R"({"method":5})"),
            R"(400 {"result":null,"error":{"code":-32600,"message":"Method must be a string"}})");
  EXPECT_EQ(Ask(R"({"method":"count","params":5,"id":1})"),
            R"(400 {"result":null,"error":{"code":-32600,"message":"Params must be an array or object"},"id":1})");
  EXPECT_EQ(Ask(R"({"jsonrpc":2,"method":"count"})"),
            R"(400 {"result":null,"error":{"code":-32600,"message":"jsonrpc field must be a string"}})");
  EXPECT_EQ(Ask(R"({"jsonrpc":"2.1","method":"count"})"),
            R"(400 {"result":null,"error":{"code":-32600,"message":"JSON-RPC version not supported"}})");
  EXPECT_EQ(executor_.calls, 0);
}

TEST_F(JsonRpcTest, NoJson) {
  const std::string parse_error = R"(500 {"result":null,"error":{"code":-32700,"message":"Parse error"},"id":null})";
  for (const char* body : {"", "this is bad", "{", "{\"method\":\"count\"}x"})
    EXPECT_EQ(Ask(body), parse_error) << body;
  const std::string no_request =
      R"(500 {"result":null,"error":{"code":-32700,"message":"Top-level object parse error"},"id":null})";
  for (const char* body : {"1", "null", "\"count\"", "true", "1.5"}) EXPECT_EQ(Ask(body), no_request) << body;
}

TEST_F(JsonRpcTest, ParamsArriveAsTheyWere) {
  EXPECT_EQ(Ask(R"({"method":"params","params":[1,1.50,"a",null,{"b":[]}],"id":0})"),
            R"(200 {"result":[1,1.50,"a",null,{"b":[]}],"error":null,"id":0})");
  EXPECT_EQ(Ask(R"({"method":"params","params":{"b":1,"a":2},"id":{"any":["id"]}})"),
            R"(200 {"result":{"b":1,"a":2},"error":null,"id":{"any":["id"]}})");
}

TEST_F(JsonRpcTest, Batches) {
  EXPECT_EQ(Ask("[]"), "200 []");
  EXPECT_EQ(
      Ask(R"([{"method":"count","id":1},{"method":"nothing","id":2},{"jsonrpc":"2.0","method":"count","id":3},{"pizza":1,"id":4},5])"),
      R"(200 [{"result":1,"error":null,"id":1},)"
      R"({"result":null,"error":{"code":-32601,"message":"Method not found"},"id":2},)"
      R"({"jsonrpc":"2.0","result":3,"id":3},)"
      R"({"result":null,"error":{"code":-32600,"message":"Missing method"},"id":4},)"
      R"({"result":null,"error":{"code":-32600,"message":"Invalid Request object"},"id":null}])");
  EXPECT_EQ(Ask(R"([{"jsonrpc":"2.0","method":"count"},{"jsonrpc":"2.0","method":"count","id":1}])"),
            R"(200 [{"jsonrpc":"2.0","result":5,"id":1}])");
  EXPECT_EQ(Ask(R"([{"jsonrpc":"2.0","method":"count"},{"jsonrpc":"2.0","pizza":"sausage"}])"), "204");
  EXPECT_EQ(executor_.calls, 6);
}

TEST_F(JsonRpcTest, BatchesAreBounded) {
  const JsonRpcLimits limits{.batch_requests_max = 8, .batch_reply_bytes_max = 1500};
  EXPECT_EQ(AnswerJsonRpc("[0,0,0,0,0,0,0,0]", executor_, limits).http_status, 200);
  EXPECT_EQ(AnswerJsonRpc("[0,0,0,0,0,0,0,0,0]", executor_, limits).http_status, 400);
  // Four replies of more than 400 bytes pass the limit; what comes after is not carried out.
  std::string batch = "[";
  for (int i = 0; i < 7; ++i) batch += R"({"method":"big","id":0},)";
  const std::string reply = AnswerJsonRpc(batch + R"({"method":"count","id":"last"}])", executor_, limits).body;
  EXPECT_EQ(executor_.calls, 4);
  EXPECT_LT(reply.size(), 2500u);
  EXPECT_NE(reply.find("\"code\":-37", reply.size() - 150), std::string::npos) << reply;
}

}  // namespace
}  // namespace headrace
