#include "net/rpc/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <condition_variable>
#include <random>

#include "tests/net/rpc/http_client.h"

namespace headrace::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Gives bodies back. "hold" keeps its worker until it is let go; a number is a reply of so many bytes.
class EchoService final : public HttpService {
 public:
  std::optional<HttpRefusal> Refuse(const HttpRequest& head) override {
    HttpRefusal refusal;
    refusal.reply.status = 401;
    if (head.Find("Wrong") != nullptr) {
      refusal.deters = true;
      return refusal;
    }
    if (head.Find("Nobody") != nullptr) return refusal;
    return std::nullopt;
  }

  HttpReply Answer(const HttpRequest& request) override {
    HttpReply reply;
    reply.body = request.body;
    std::unique_lock lock(mutex_);
    ++begun_;
    changed_.notify_all();
    if (request.body == "hold") changed_.wait(lock, [this] { return is_let_go_; });
    if (request.body == "none") reply.status = 204, reply.body.clear();
    if (const long size = std::atol(request.body.c_str()); size > 0) reply.body.assign(static_cast<size_t>(size), 'x');
    return reply;
  }

  // Waits until so many requests have reached workers.
  bool WaitForBegun(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(60), [&] { return begun_ >= count; });
  }
  void LetGo() {
    const std::lock_guard lock(mutex_);
    is_let_go_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int begun_ = 0;
  bool is_let_go_ = false;
};

class HttpServerTest : public ::testing::Test {
 protected:
  HttpServerTest() { options_.bind = {{*ParseNumericHost("127.0.0.1", 0)}}; }
  ~HttpServerTest() override { service_.LetGo(); }

  void Start() {
    absl::StatusOr<std::unique_ptr<HttpServer>> server = HttpServer::Start(options_, service_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  HttpClient Connect() { return HttpClient(server_->listening().front()); }
  // The server has looked at everything that was sent before: whatever was ready then is at the latest in the batch of
  // events of the first answer, and thus before the second one.
  void LetServerCatchUp() {
    HttpClient probe = Connect();
    for (int i = 0; i < 2; ++i) EXPECT_EQ(probe.Ask("", "Nobody: 1\r\n"), "401 ");
  }
  // Waits until the server has so many connections.
  bool WaitForConnections(size_t count) {
    const auto deadline = steady_clock::now() + std::chrono::seconds(60);
    while (server_->connection_count() != count) {
      if (steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(milliseconds(1));
    }
    return true;
  }

  HttpServerOptions options_;
  EchoService service_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, KeepsConnectionsAlive) {
  Start();
  HttpClient client = Connect();
  for (int i = 0; i < 100; ++i) ASSERT_EQ(client.Ask("body " + std::to_string(i)), "200 body " + std::to_string(i));
  EXPECT_EQ(client.Ask("none"), "204 ");
  client.Post("last", "Connection: close\r\n");
  EXPECT_THAT(client.ReadReply(), HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_TRUE(client.IsEnded());
  EXPECT_TRUE(WaitForConnections(0));
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInOrder) {
  Start();
  HttpClient client = Connect();
  std::string stream;
  for (int i = 0; i < 500; ++i) {
    const std::string body = "r" + std::to_string(i);
    stream += "POST / HTTP/1.1\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  ASSERT_TRUE(client.Send(stream));
  for (int i = 0; i < 500; ++i) ASSERT_EQ(HttpClient::Short(client.ReadReply()), "200 r" + std::to_string(i));
}

TEST_F(HttpServerTest, LargeBodiesBothWays) {
  Start();
  HttpClient client = Connect();
  const std::string body(options_.body_bytes_max, 'b');
  EXPECT_TRUE(client.Ask(body) == "200 " + body) << "as large as may be";
  EXPECT_THAT(client.Ask(std::string(3, 'c')), "200 ccc");
  client.Send("POST / HTTP/1.1\r\nContent-Length: " + std::to_string(options_.body_bytes_max + 1) + "\r\n\r\n");
  EXPECT_THAT(client.ReadReply(), StartsWith("HTTP/1.1 413 "));
  EXPECT_TRUE(client.IsEnded());
}

TEST_F(HttpServerTest, AClientMayEndItsSideAfterTheRequest) {
  Start();
  HttpClient client = Connect();
  client.Post("half");
  client.EndSending();
  EXPECT_EQ(HttpClient::Short(client.ReadReply()), "200 half");
  EXPECT_TRUE(client.IsEnded());
}

TEST_F(HttpServerTest, GivesLeaveToSendABody) {
  Start();
  HttpClient client = Connect();
  client.Send("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(client.ReadReply(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("abc");
  EXPECT_EQ(HttpClient::Short(client.ReadReply()), "200 abc");
  client.Send("POST / HTTP/1.1\r\nNobody: 1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_THAT(client.ReadReply(), StartsWith("HTTP/1.1 401 ")) << "without waiting for the body";
}

TEST_F(HttpServerTest, RefusesByTheHeadAndReadsPastTheBody) {
  Start();
  HttpClient client = Connect();
  EXPECT_EQ(client.Ask(std::string(1 << 20, 'x'), "Nobody: 1\r\n"), "401 ");
  EXPECT_EQ(client.Ask("next"), "200 next") << "on the same connection";
  EXPECT_TRUE(service_.WaitForBegun(1));
  EXPECT_FALSE(HasFailure());
}

TEST_F(HttpServerTest, WrongPasswordsHoldNoWorker) {
  options_.worker_count = 1;
  options_.deterrence_ms = 60'000;
  Start();
  std::vector<HttpClient> guessers;
  for (int i = 0; i < 50; ++i) guessers.push_back(Connect());
  for (HttpClient& guesser : guessers) guesser.Post("guess", "Wrong: 1\r\n");
  HttpClient client = Connect();
  EXPECT_EQ(client.Ask("hello"), "200 hello") << "while fifty guesses wait for their answer";
}

TEST_F(HttpServerTest, WrongPasswordsAreAnsweredLate) {
  options_.deterrence_ms = 200;
  Start();
  HttpClient client = Connect();
  const auto began = steady_clock::now();
  EXPECT_EQ(client.Ask("guess", "Wrong: 1\r\n"), "401 ");
  EXPECT_GE(steady_clock::now() - began, milliseconds(190)) << "never early";
  EXPECT_EQ(client.Ask("hello"), "200 hello");
}

TEST_F(HttpServerTest, TooManyWaitingRequests) {
  options_.worker_count = 2;
  options_.waiting_max = 3;
  Start();
  std::vector<HttpClient> clients;
  for (int i = 0; i < 2; ++i) {
    clients.push_back(Connect());
    clients.back().Post("hold");
  }
  ASSERT_TRUE(service_.WaitForBegun(2));
  // Three wait; of eight that come, five are turned away, whichever they are.
  for (int i = 0; i < 8; ++i) {
    clients.push_back(Connect());
    clients.back().Post("later");
  }
  service_.LetGo();
  int answered = 0;
  int refused = 0;
  HttpClient probe = Connect();
  for (HttpClient& client : clients) {
    const std::string reply = HttpClient::Short(client.ReadReply());
    if (reply == "503 Work queue depth exceeded") {
      ++refused;
    } else {
      EXPECT_TRUE(reply == "200 hold" || reply == "200 later") << reply;
      ++answered;
    }
  }
  EXPECT_EQ(answered + refused, 10);
  EXPECT_GE(answered, 5) << "two under way and three waiting";
  EXPECT_EQ(probe.Ask("again"), "200 again");
  EXPECT_EQ(clients.back().Ask("again"), "200 again") << "a refusal ends no connection";
}

TEST_F(HttpServerTest, ARequestBeyondTheQueueIsTurnedAway) {
  options_.worker_count = 1;
  options_.waiting_max = 1;
  Start();
  HttpClient first = Connect();
  first.Post("hold");
  ASSERT_TRUE(service_.WaitForBegun(1));
  HttpClient second = Connect();
  HttpClient third = Connect();
  second.Post("waits");
  third.Post("waits");
  std::vector<HttpClient*> both = {&second, &third};
  LetServerCatchUp();  // one of the two waits, the other was told, while the worker is held
  HttpClient fourth = Connect();
  EXPECT_EQ(fourth.Ask("beyond"), "503 Work queue depth exceeded");
  service_.LetGo();
  EXPECT_EQ(HttpClient::Short(first.ReadReply()), "200 hold");
  int waited = 0;
  for (HttpClient* client : both) waited += HttpClient::Short(client->ReadReply()) == "200 waits" ? 1 : 0;
  EXPECT_EQ(waited, 1);
}

TEST_F(HttpServerTest, SilentAndSlowClientsAreEnded) {
  options_.timeout_ms = 100;
  Start();
  HttpClient silent = Connect();
  HttpClient half = Connect();
  half.Send("GET / HTTP/1.1\r\nHost: some");
  HttpClient body = Connect();
  body.Send("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf");
  EXPECT_TRUE(silent.IsEnded());
  EXPECT_TRUE(half.IsEnded());
  EXPECT_TRUE(body.IsEnded());
  // A head that trickles in gets no more time for it.
  HttpClient trickle = Connect();
  const auto deadline = steady_clock::now() + std::chrono::seconds(60);
  bool is_taken = trickle.Send("GET / HTTP/1.1\r\nX: ");
  while (is_taken && steady_clock::now() < deadline) {
    is_taken = trickle.Send("x");
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_FALSE(is_taken) << "it went on for a minute";
  EXPECT_TRUE(WaitForConnections(0));
}

TEST_F(HttpServerTest, AnAnswerMayTakeLongerThanTheTimeout) {
  options_.timeout_ms = 100;
  Start();
  HttpClient client = Connect();
  client.Post("hold");
  ASSERT_TRUE(service_.WaitForBegun(1));
  std::this_thread::sleep_for(milliseconds(300));
  service_.LetGo();
  EXPECT_EQ(HttpClient::Short(client.ReadReply()), "200 hold");
}

TEST_F(HttpServerTest, AClientThatReadsNothingIsEnded) {
  options_.timeout_ms = 200;
  Start();
  HttpClient client = Connect();
  client.Post("60000000");
  EXPECT_TRUE(WaitForConnections(1));
  EXPECT_TRUE(WaitForConnections(0));
}

TEST_F(HttpServerTest, ManyIdleConnectionsAndStillRoom) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < 2200) GTEST_SKIP() << "needs 2200 open files, both ends being here";
  options_.connections_max = 1000;
  Start();
  std::vector<HttpClient> idle;
  for (int i = 0; i < 1000; ++i) {
    idle.push_back(Connect());
    if (i % 100 == 99) {
      ASSERT_TRUE(WaitForConnections(static_cast<size_t>(i) + 1));
    }
  }
  for (size_t i : {0, 500, 999}) EXPECT_EQ(idle[i].Ask("mine"), "200 mine");
  HttpClient more = Connect();
  EXPECT_EQ(more.Ask("new"), "200 new") << "the one that idled longest made room";
  EXPECT_LE(server_->connection_count(), 1000u);
  EXPECT_TRUE(idle[1].IsEnded());
  EXPECT_EQ(idle[2].Ask("still here"), "200 still here");
}

TEST_F(HttpServerTest, BytesUnderWayAreBounded) {
  options_.bytes_under_way_max = 1 << 20;
  Start();
  HttpClient first = Connect();
  const std::string head = "POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n";
  first.Send(head + "x");
  LetServerCatchUp();
  HttpClient second = Connect();
  second.Post(std::string(1'000'000, 'y'));
  EXPECT_THAT(HttpClient::Short(second.ReadReply()), StartsWith("503 Too many bytes"));
  HttpClient chunked = Connect();
  chunked.Send("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nf4240\r\n");
  chunked.Send("z");
  EXPECT_THAT(HttpClient::Short(chunked.ReadReply()), StartsWith("503 Too many bytes"));
  first.Send(std::string(999'999, 'x'));
  EXPECT_TRUE(HttpClient::Short(first.ReadReply()) == "200 " + std::string(1'000'000, 'x'));
  LetServerCatchUp();
  EXPECT_EQ(second.Ask(std::string(1'000'000, 'y')).size(), 1'000'004u) << "there is as much room again";
}

TEST(IsAllowedClientTest, LoopbackAndTheRanges) {
  auto address = [](const char* host) { return *ParseNumericHost(host, 1); };
  const std::vector<Subnet> allow = {*Subnet::Parse("10.1.0.0/16"), *Subnet::Parse("2001:db8::/32")};
  for (const char* host : {"127.0.0.1", "127.200.3.4", "::1", "10.1.255.1", "2001:db8:ffff::1"})
    EXPECT_TRUE(IsAllowedClient(allow, address(host))) << host;
  for (const char* host : {"10.2.0.1", "8.8.8.8", "2001:db9::1", "::2", "0.0.0.0", "::"})
    EXPECT_FALSE(IsAllowedClient(allow, address(host))) << host;
  EXPECT_FALSE(IsAllowedClient({}, address("10.1.0.1")));
}

TEST_F(HttpServerTest, StopFinishesAnswersUnderWay) {
  Start();
  HttpClient idle = Connect();
  HttpClient busy = Connect();
  busy.Post("hold");
  ASSERT_TRUE(service_.WaitForBegun(1));
  std::thread stopper([this] { server_->Stop(std::chrono::seconds(30)); });
  EXPECT_TRUE(idle.IsEnded());
  service_.LetGo();
  const std::string reply = busy.ReadReply();
  EXPECT_THAT(reply, HasSubstr("Connection: close"));
  EXPECT_EQ(HttpClient::Short(reply), "200 hold");
  EXPECT_TRUE(busy.IsEnded());
  stopper.join();
}

TEST_F(HttpServerTest, StopDoesNotWaitForEver) {
  Start();
  HttpClient busy = Connect();
  busy.Post("hold");
  ASSERT_TRUE(service_.WaitForBegun(1));
  server_->Stop(milliseconds(50));
  EXPECT_TRUE(busy.IsEnded());
  service_.LetGo();
}

TEST_F(HttpServerTest, AfterStopConnectionsAreRefusedInsteadOfLeftWaiting) {
  Start();
  const Address address = server_->listening().front();
  HttpClient early = Connect();
  EXPECT_EQ(early.Ask("hello"), "200 hello");
  server_->Stop(milliseconds(0));
  EXPECT_TRUE(early.IsEnded());
  const HttpClient late(address, HttpClient::Refusal::kMayCome);
  EXPECT_FALSE(late.is_connected());
}

TEST_F(HttpServerTest, PortsInUse) {
  Start();
  HttpServerOptions same = options_;
  same.bind = {{server_->listening().front()}};
  const auto second = HttpServer::Start(same, service_);
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(same.bind[0].address.ToString()));
  EXPECT_THAT(std::string(second.status().message()), HasSubstr("-rpcport"));
  same.bind = {{*ParseNumericHost("192.0.2.1", 0), true}};
  EXPECT_FALSE(HttpServer::Start(same, service_).ok()) << "no address at all is left";
}

// Random bytes, damaged requests, connections cut anywhere: the server goes on, and holds nothing afterwards.
TEST_F(HttpServerTest, Nonsense) {
  Start();
  std::mt19937 random(11);
  const std::string seed =
      "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhelloPOST / HTTP/1.1\r\nTransfer-Encoding: "
      "chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n";
  for (int round = 0; round < 1500; ++round) {
    HttpClient client = Connect();
    std::string bytes = seed;
    if (round % 3 == 0) {
      bytes.resize(random() % 300);
      for (char& byte : bytes) byte = static_cast<char>(random());
    } else {
      for (uint32_t edits = 1 + random() % 3; edits > 0; --edits)
        bytes[random() % bytes.size()] = static_cast<char>(random());
      bytes.resize(random() % (bytes.size() + 1));
    }
    client.Send(bytes);
    if (round % 2 == 0) client.EndSending();
  }
  HttpClient client = Connect();
  EXPECT_EQ(client.Ask("well"), "200 well");
  EXPECT_TRUE(WaitForConnections(1));
}

}  // namespace
}  // namespace headrace::testing
