#include "net/rpc/rpc_service.h"

#include <gtest/gtest.h>

#include <thread>

#include "engine/runtime/production_entropy.h"

namespace headrace {
namespace {

Json GiveBack(const RpcCall& call) { return call.params(); }
Json Break(const RpcCall&) { throw std::runtime_error("broken"); }

const MethodTable& Methods() {
  static const MethodTable kTable(
      {{.category = "test",
        .name = "back",
        .sentence = "Gives back.",
        .arguments = {{.names = "a", .type = ArgumentType::kNumber, .is_required = true, .sentence = "A."}},
        .result = "It.",
        .function = GiveBack},
       {.category = "test", .name = "break", .sentence = "Breaks.", .result = "None.", .function = Break}});
  return kTable;
}

class RpcServiceTest : public ::testing::Test {
 protected:
  RpcServiceTest() : service_(Methods(), Users()) {}

  static RpcAuthentication Users() {
    ProductionEntropy entropy;
    RpcAuthentication users;
    users.AddPassword("u", "p", entropy);
    return users;
  }

  // The status of a refusal, 0 when there is none.
  int Refused(const std::string& method, const std::string& target, const std::string& credentials) {
    HttpRequest head;
    head.method = method;
    head.target = target;
    if (!credentials.empty()) head.fields.push_back({"authorization", BasicAuthorization(credentials)});
    refusal_ = service_.Refuse(head);
    return refusal_ ? refusal_->reply.status : 0;
  }

  std::string Answer(const std::string& body) {
    HttpRequest request;
    request.body = body;
    const HttpReply reply = service_.Answer(request);
    return std::to_string(reply.status) + " " + reply.body;
  }

  RpcContext context_;
  RpcService service_;
  std::optional<HttpRefusal> refusal_;
};

TEST_F(RpcServiceTest, RefusesByTheHead) {
  EXPECT_EQ(Refused("POST", "/", "u:p"), 0);
  EXPECT_EQ(Refused("POST", "/", ""), 401);
  EXPECT_FALSE(refusal_->deters) << "nothing was guessed";
  ASSERT_EQ(refusal_->reply.fields.size(), 1u);
  EXPECT_EQ(refusal_->reply.fields[0].name, "WWW-Authenticate");
  EXPECT_EQ(refusal_->reply.fields[0].value, "Basic realm=\"jsonrpc\"");
  EXPECT_EQ(Refused("POST", "/", "u:wrong"), 401);
  EXPECT_TRUE(refusal_->deters);
  EXPECT_EQ(Refused("GET", "/", "u:p"), 405);
  EXPECT_EQ(refusal_->reply.body, "JSONRPC server handles only POST requests");
  for (const char* method : {"TRACE", "CONNECT", "DELETE", "PATCH", "OPTIONS", "post"})
    EXPECT_EQ(Refused(method, "/", "u:p"), 405) << method;
  for (const char* target : {"/x", "/../etc/passwd", "//", "*", "/wallet/w", "http://h/"})
    EXPECT_EQ(Refused("POST", target, "u:p"), 404) << target;
}

TEST_F(RpcServiceTest, SaysWhatTheNodeIsAtUntilItIsReady) {
  service_.SetPhase("Loading block index…");
  EXPECT_EQ(Answer(R"({"method":"back","params":[1],"id":1})"),
            "500 {\"result\":null,\"error\":{\"code\":-28,\"message\":\"Loading block index…\"},\"id\":1}\n");
  EXPECT_EQ(Answer(R"({"jsonrpc":"2.0","method":"nosuch","id":1})"),
            "200 {\"jsonrpc\":\"2.0\",\"error\":{\"code\":-28,\"message\":\"Loading block index…\"},\"id\":1}\n");
  service_.SetPhase("Verifying blocks…");
  EXPECT_NE(Answer(R"({"method":"back"})").find("Verifying blocks…"), std::string::npos);
  service_.SetReady(context_);
  EXPECT_EQ(Answer(R"({"method":"back","params":[1],"id":1})"), "200 {\"result\":[1],\"error\":null,\"id\":1}\n");
}

TEST_F(RpcServiceTest, ChecksAndCalls) {
  service_.SetReady(context_);
  EXPECT_EQ(Answer(R"({"method":"back","params":{"a":7},"id":1})"), "200 {\"result\":[7],\"error\":null,\"id\":1}\n");
  EXPECT_EQ(Answer(R"({"method":"nosuch","id":1})"),
            "404 {\"result\":null,\"error\":{\"code\":-32601,\"message\":\"Method not found\"},\"id\":1}\n");
  EXPECT_NE(Answer(R"({"method":"back","params":[],"id":1})").find("\"code\":-1,\"message\":\"back a\\n\\nGives back."),
            std::string::npos);
  EXPECT_NE(Answer(R"({"method":"back","params":["x"],"id":1})").find("\"code\":-3,"), std::string::npos);
  EXPECT_NE(Answer(R"({"method":"back","params":{"b":1},"id":1})").find("Unknown named parameter b"),
            std::string::npos);
  EXPECT_NE(Answer(R"({"method":"break","id":1})").find("\"code\":-1,\"message\":\"broken\""), std::string::npos);
  EXPECT_TRUE(context_.active_calls.Snapshot().empty()) << "failed ones are over too";
}

TEST_F(RpcServiceTest, ManyThreads) {
  service_.SetReady(context_);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 2000; ++i) {
        const std::string number = std::to_string(thread * 10000 + i);
        ASSERT_EQ(Answer(R"({"method":"back","params":[)" + number + "]}"),
                  "200 {\"result\":[" + number + "],\"error\":null}\n");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace headrace
