// The servers' threads: connections, questions and answers while the server stops, and two hubs whose reactors, engines
// and readers of statistics all run at once until one of them goes away.

#include <atomic>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "net/rpc/http_server.h"
#include "tests/net/peer/hub_fixture.h"
#include "tests/net/rpc/http_client.h"
#include "tests/stress/stress_size.h"

namespace headrace::testing {
namespace {

// Answers a body with the same, after as many turns as its first byte says.
class MirrorService final : public HttpService {
 public:
  std::optional<HttpRefusal> Refuse(const HttpRequest& head) override {
    if (head.Find("Wrong") == nullptr) return std::nullopt;
    HttpRefusal refusal;
    refusal.reply.status = 401;
    refusal.deters = true;
    return refusal;
  }
  HttpReply Answer(const HttpRequest& request) override {
    for (int turn = 0; !request.body.empty() && turn < request.body[0] % 16; ++turn) std::this_thread::yield();
    answered_.fetch_add(1, std::memory_order_relaxed);
    HttpReply reply;
    reply.body = request.body;
    return reply;
  }
  uint64_t answered() const { return answered_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> answered_{0};
};

class HttpStress : public ::testing::TestWithParam<uint32_t> {
 protected:
  // Comes and goes until the server has stopped: an answer is whole and to the question, or there is none.
  void Call(const Address& server, uint32_t seed) {
    std::mt19937 random(seed);
    while (!is_stopped_.load(std::memory_order_acquire)) {
      HttpClient client(server, HttpClient::Refusal::kMayCome);
      if (!client.is_connected()) return;
      for (uint32_t question = random() % 20; question > 0; --question) {
        std::string body = std::to_string(random());
        if (random() % 10 == 0) body.resize(100'000, 'b');
        if (random() % 16 == 0) {
          // Gone in the middle of a question.
          client.Send("POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf");
          break;
        }
        const bool is_wrong = random() % 40 == 0;
        if (!client.Post(body, is_wrong ? "Wrong: 1\r\n" : "")) break;
        if (random() % 12 == 0) break;  // without waiting for the answer
        const std::string reply = HttpClient::Short(client.ReadReply());
        if (reply.empty()) break;
        if (is_wrong) {
          ASSERT_EQ(reply, "401 ");
        } else if (!reply.starts_with("503 ")) {
          ASSERT_TRUE(reply == "200 " + body);
          right_.fetch_add(1, std::memory_order_relaxed);
        }
      }
    }
  }

  std::atomic<bool> is_stopped_{false};
  std::atomic<uint64_t> right_{0};
};

TEST_P(HttpStress, StopsAmongManyConnections) {
  for (int round = 0; round < StressRounds(3); ++round) {
    MirrorService service;
    HttpServerOptions options;
    options.bind = {{*ParseNumericHost("127.0.0.1", 0)}};
    options.worker_count = 3;
    options.waiting_max = 4;
    options.connections_max = 12;  // fewer than the callers hold at times, so that idle ones make room
    options.deterrence_ms = 2;
    auto started = HttpServer::Start(options, service);
    ASSERT_TRUE(started.ok()) << started.status();
    const std::unique_ptr<HttpServer> server = *std::move(started);
    const Address address = server->listening().front();
    is_stopped_ = false;
    std::vector<std::thread> callers;
    for (uint32_t caller = 0; caller < 8; ++caller) {
      callers.emplace_back(
          [&, caller] { Call(address, GetParam() * 1000 + static_cast<uint32_t>(round) * 100 + caller); });
    }
    const StressDeadline deadline;
    const uint64_t wanted = right_.load() + 150 + GetParam() * 7;
    EXPECT_TRUE(deadline.Await([&] { return right_.load(std::memory_order_relaxed) >= wanted || HasFailure(); }));
    EXPECT_LE(server->connection_count(), options.connections_max);
    server->Stop(std::chrono::milliseconds(round % 2 == 0 ? 0 : 1000));
    is_stopped_.store(true, std::memory_order_release);
    for (std::thread& caller : callers) caller.join();
    EXPECT_EQ(server->connection_count(), 0u);
    EXPECT_GE(service.answered(), 150u);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, HttpStress, ::testing::Values(1, 2));

InventoryItem Numbered(uint32_t number) {
  InventoryItem item{kInvBlock, Hash256()};
  std::memcpy(item.hash.bytes.data(), &number, sizeof(number));
  return item;
}

uint32_t NumberOf(const InventoryItem& item) {
  uint32_t number = 0;
  std::memcpy(&number, item.hash.bytes.data(), sizeof(number));
  return number;
}

class HubStress : public ::testing::TestWithParam<TransportChoice> {
 protected:
  void SetUp() override {
    if (const auto transport = OpenTransport(GetParam()); !transport.ok()) GTEST_SKIP() << transport.status();
  }

  // An engine: sends numbered inventories and checks that what comes is numbered without a gap, until it has `wanted`,
  // or until the peer has gone.
  void RunEngine(Node& node, PeerId peer, uint32_t wanted, std::atomic<uint32_t>& received,
                 const StressDeadline& deadline) {
    uint32_t sent = 0;
    bool is_gone = false;
    std::vector<PeerEvent> events;
    std::vector<PeerCommand> commands;
    while (!is_gone && received.load(std::memory_order_relaxed) < wanted) {
      ASSERT_FALSE(deadline.is_over()) << "the peer sent no more than " << received.load();
      for (int i = 0; i < 8 && sent < 2 * wanted && node.hub->QueuedBytes(peer) < 100'000; ++i) {
        commands.push_back(SendInventory{peer, {Numbered(sent), Numbered(sent + 1)}});
        sent += 2;
      }
      node.hub->Submit(commands);
      node.hub->SetBestHeight(static_cast<int32_t>(sent));
      events.clear();
      if (!node.hub->TakeEvents(events, 16)) node.doorbell.Wait(20);
      for (const PeerEvent& event : events) {
        if (std::holds_alternative<PeerDisconnected>(event)) is_gone = true;
        const auto* inventory = std::get_if<InventoryReceived>(&event);
        if (inventory == nullptr) continue;
        ASSERT_FALSE(is_gone) << "told after the end";
        for (const InventoryItem& item : inventory->items) {
          ASSERT_EQ(NumberOf(item), received.load(std::memory_order_relaxed));
          received.fetch_add(1, std::memory_order_relaxed);
        }
      }
    }
  }
};

TEST_P(HubStress, EverythingArrivesInOrderUntilOneOfThemStops) {
  const uint32_t wanted = static_cast<uint32_t>(StressRounds(6000));
  PeerHubOptions options = Node::Defaults();
  options.events_max = 8;
  options.commands_max = 8;
  options.ping_interval_ms = 5;
  Node server(options, GetParam());
  PeerHubOptions client_options = options;
  client_options.listen.clear();
  client_options.connect = {server.listens_at()};
  Node client(client_options, GetParam());
  const PeerId at_client = client.WaitFor<PeerConnected>().info.id;
  const PeerId at_server = server.WaitFor<PeerConnected>().info.id;
  ASSERT_FALSE(HasFailure());

  const StressDeadline deadline;
  std::atomic<bool> stop{false};
  std::atomic<uint32_t> at_server_count{0};
  std::atomic<uint32_t> at_client_count{0};
  std::thread observer([&] {
    uint64_t last = 0;
    while (!stop.load(std::memory_order_relaxed)) {
      for (const PeerStatusNet& peer : server.hub->Status()) EXPECT_LE(peer.ping_min_ns, peer.ping_ns);
      const uint64_t received = server.hub->totals().bytes_received;
      EXPECT_GE(received, last);
      last = received;
      client.hub->Status();
    }
  });
  std::thread server_engine([&] { RunEngine(server, at_server, UINT32_MAX / 2, at_server_count, deadline); });
  std::thread client_engine([&] { RunEngine(client, at_client, wanted, at_client_count, deadline); });
  client_engine.join();
  // In the middle of what the server sends.
  client.reactor->Stop();
  server_engine.join();
  stop = true;
  observer.join();
  EXPECT_GE(at_client_count.load(), wanted);
  EXPECT_GT(at_server_count.load(), 0u);
  EXPECT_TRUE(client.hub->Status().empty());
}

INSTANTIATE_TEST_SUITE_P(Kinds, HubStress, ::testing::Values(TransportChoice::kUring, TransportChoice::kEpoll),
                         [](const auto& info) { return info.param == TransportChoice::kUring ? "Uring" : "Epoll"; });

}  // namespace
}  // namespace headrace::testing
