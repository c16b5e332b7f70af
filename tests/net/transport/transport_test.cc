// Both transports over loopback, against the same expectations.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <random>
#include <thread>

#include "tests/net/transport/transport_fixture.h"

namespace headrace {
namespace {

using testing::End;
using testing::Story;

std::vector<uint8_t> RandomBytes(size_t size, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<uint8_t> bytes(size);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return bytes;
}

SharedBytes Shared(const std::vector<uint8_t>& bytes) { return SharedBytes::From(Slab::Copy(bytes)); }

class TransportTest : public ::testing::TestWithParam<TransportChoice> {
 protected:
  void SetUp() override {
    if (server.transport == nullptr) GTEST_SKIP() << server.why_not;
    const auto bound = server.transport->Listen(Address::Ipv4(127, 0, 0, 1, 0));
    ASSERT_TRUE(bound.ok()) << bound.status();
    address = *bound;
    ASSERT_NE(address.port, 0);
  }

  // A connection between the two ends; returns the client's id, and leaves the server's in server.last_accepted.
  ConnectionId Join() {
    const ConnectionId id = client.transport->Connect(address);
    server.last_accepted = 0;
    EXPECT_TRUE(client.StepUntil([&] { return client.stories[id].is_connected && server.last_accepted != 0; }, &server));
    return id;
  }

  End server{GetParam()};
  End client{GetParam()};
  Address address;
};

TEST_P(TransportTest, EchoesRandomSizesInOrder) {
  server.is_echo = true;
  const ConnectionId id = Join();
  std::mt19937_64 random(7);
  std::vector<uint8_t> expected;
  for (const size_t size : {size_t{1}, size_t{2}, size_t{4095}, size_t{16384}, size_t{16385}, size_t{1} << 20, size_t{8} << 20}) {
    const std::vector<uint8_t> bytes = RandomBytes(size, random());
    expected.insert(expected.end(), bytes.begin(), bytes.end());
    client.transport->Send(id, Shared(bytes));
    ASSERT_TRUE(client.StepUntil([&] { return client.stories[id].received.size() == expected.size(); }, &server));
    ASSERT_TRUE(client.stories[id].received == expected);
  }
  EXPECT_EQ(client.stories[id].sent, expected.size());
  EXPECT_EQ(client.transport->QueuedBytes(id), 0u);
}

TEST_P(TransportTest, ItIsToldWhereSomebodyCameIn) {
  const auto one = server.transport->Listen(Address::Ipv4(127, 0, 0, 1, 0));
  const auto another = server.transport->Listen(Address::Ipv4(127, 0, 0, 2, 0));
  ASSERT_TRUE(one.ok() && another.ok());
  for (const Address& listener : {*one, *another, *one}) {
    const size_t before = server.stories.size();
    client.transport->Connect(listener);
    ASSERT_TRUE(server.StepUntil([&] { return server.stories.size() > before; }, &client));
    EXPECT_EQ(server.last_listener, listener);
  }
}

TEST_P(TransportTest, ManySmallPiecesStayInOrder) {
  const ConnectionId id = Join();
  std::vector<uint8_t> expected;
  for (uint32_t i = 0; i < 5000; ++i) {
    const std::vector<uint8_t> bytes = RandomBytes(1 + i % 97, i);
    expected.insert(expected.end(), bytes.begin(), bytes.end());
    client.transport->Send(id, Shared(bytes));
  }
  Story& story = server.stories[server.last_accepted];
  ASSERT_TRUE(client.StepUntil([&] { return story.received.size() >= expected.size(); }, &server));
  EXPECT_TRUE(story.received == expected);
}

TEST_P(TransportTest, LargeBodiesLandInTheTarget) {
  const ConnectionId id = Join();
  Story& story = server.stories[server.last_accepted];
  const std::vector<uint8_t> head = RandomBytes(100, 1);
  const std::vector<uint8_t> body = RandomBytes(12'000'000, 2);
  const std::vector<uint8_t> tail = RandomBytes(50, 3);
  // As a framer does: after the head, the rest goes to the target; what came with the head is copied there.
  server.on_received = [&](ConnectionId, ByteSpan bytes) {
    if (story.target == nullptr && story.received.size() + bytes.size() >= head.size()) {
      story.target = std::make_shared<std::vector<uint8_t>>(body.size());
      const size_t in_head = head.size() - story.received.size();
      const ByteSpan rest = bytes.subspan(in_head, std::min(bytes.size() - in_head, body.size()));
      std::copy(rest.begin(), rest.end(), story.target->begin());
      story.target_filled = rest.size();
    } else if (story.target != nullptr && story.target_filled < story.target->size()) {
      const size_t size = std::min(bytes.size(), story.target->size() - story.target_filled);
      std::copy(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size),
                story.target->begin() + static_cast<ptrdiff_t>(story.target_filled));
      story.target_filled += size;
    }
    return bytes.size();
  };
  client.transport->Send(id, Shared(head));
  client.transport->Send(id, Shared(body));
  client.transport->Send(id, Shared(tail));
  const auto all = [&] { return story.received.size() + story.received_direct == head.size() + body.size() + tail.size(); };
  ASSERT_TRUE(client.StepUntil(all, &server));
  ASSERT_NE(story.target, nullptr);
  EXPECT_TRUE(*story.target == body);
  EXPECT_GT(story.received_direct, body.size() / 2) << "most of the body must not pass through the pool";
  EXPECT_TRUE(std::equal(tail.rbegin(), tail.rend(), story.received.rbegin()));
}

TEST_P(TransportTest, ManyConnections) {
  server.is_echo = true;
  constexpr size_t kConnections = 200;
  std::vector<ConnectionId> ids;
  for (size_t i = 0; i < kConnections; ++i) ids.push_back(client.transport->Connect(address));
  const auto all_connected = [&] {
    for (const ConnectionId id : ids) {
      if (!client.stories[id].is_connected) return false;
    }
    return true;
  };
  ASSERT_TRUE(client.StepUntil(all_connected, &server));
  for (const ConnectionId id : ids) client.transport->Send(id, Shared(RandomBytes(20'000, id)));
  const auto all_echoed = [&] {
    for (const ConnectionId id : ids) {
      if (client.stories[id].received.size() < 20'000) return false;
    }
    return true;
  };
  ASSERT_TRUE(client.StepUntil(all_echoed, &server));
  for (const ConnectionId id : ids) EXPECT_TRUE(client.stories[id].received == RandomBytes(20'000, id));
  for (const ConnectionId id : ids) client.transport->Close(id, CloseMode::kDrain);
  ASSERT_TRUE(client.StepUntil(
      [&] { return client.transport->connection_count() == 0 && server.transport->connection_count() == 0; }, &server));
}

TEST_P(TransportTest, HalfCloseStillDeliversWhatWasAsked) {
  server.closes_at_end = false;
  const ConnectionId id = Join();
  const ConnectionId remote = server.last_accepted;
  client.transport->Send(id, Shared(RandomBytes(1000, 1)));
  client.transport->Close(id, CloseMode::kDrain);
  ASSERT_TRUE(client.StepUntil([&] { return server.stories[remote].is_ended; }, &server));
  EXPECT_EQ(server.stories[remote].received.size(), 1000u);
  EXPECT_FALSE(client.stories[id].is_closed) << "the peer has not ended its side yet";
  // The server may still write after the client's end, and ends properly.
  server.transport->Send(remote, Shared(RandomBytes(2'000'000, 2)));
  server.transport->Close(remote, CloseMode::kDrain);
  ASSERT_TRUE(client.StepUntil([&] { return client.stories[id].is_closed && server.stories[remote].is_closed; }, &server));
  EXPECT_EQ(server.stories[remote].sent, 2'000'000u);
  EXPECT_EQ(server.stories[remote].reason, CloseReason::kLocal);
  EXPECT_EQ(client.stories[id].closed_count, 1);
}

TEST_P(TransportTest, DrainSendsEverythingBeforeTheEnd) {
  const ConnectionId id = Join();
  const ConnectionId remote = server.last_accepted;
  const std::vector<uint8_t> bytes = RandomBytes(8'000'000, 5);
  client.transport->Send(id, Shared(bytes));
  client.transport->Close(id, CloseMode::kDrain);
  ASSERT_TRUE(client.StepUntil([&] { return client.stories[id].is_closed; }, &server));
  EXPECT_TRUE(server.stories[remote].received == bytes);
  EXPECT_TRUE(server.stories[remote].is_ended);
}

TEST_P(TransportTest, RefusedConnectIsTold) {
  // A port that was free a moment ago.
  Address nobody;
  {
    End other(GetParam());
    nobody = *other.transport->Listen(Address::Ipv4(127, 0, 0, 1, 0));
  }
  const ConnectionId id = client.transport->Connect(nobody);
  ASSERT_TRUE(client.StepUntil([&] { return client.stories[id].is_closed; }));
  EXPECT_EQ(client.stories[id].reason, CloseReason::kConnectFailed);
  EXPECT_EQ(client.stories[id].error, ECONNREFUSED);
  EXPECT_EQ(client.stories[id].closed_count, 1);
  EXPECT_EQ(client.transport->connection_count(), 0u);
}

TEST_P(TransportTest, AbortIsSeenByThePeer) {
  const ConnectionId id = Join();
  const ConnectionId remote = server.last_accepted;
  client.transport->Close(id, CloseMode::kAbort);
  ASSERT_TRUE(client.StepUntil([&] { return client.stories[id].is_closed && server.stories[remote].is_closed; }, &server));
  EXPECT_EQ(client.stories[id].reason, CloseReason::kLocal);
  // Neither end may be spoken to any more.
  client.transport->Send(id, Shared({1, 2, 3}));
  client.transport->Close(id, CloseMode::kDrain);
  client.transport->Step(0);
  EXPECT_EQ(client.stories[id].closed_count, 1);
}

TEST_P(TransportTest, AbortWhileConnectingIsTold) {
  const ConnectionId id = client.transport->Connect(address);
  client.transport->Close(id, CloseMode::kAbort);
  ASSERT_TRUE(client.StepUntil([&] { return client.stories[id].is_closed; }, &server));
  EXPECT_EQ(client.stories[id].reason, CloseReason::kLocal);
  EXPECT_EQ(client.stories[id].closed_count, 1);
}

TEST_P(TransportTest, PausedConnectionsHoldTheSenderBack) {
  const ConnectionId id = Join();
  const ConnectionId remote = server.last_accepted;
  constexpr size_t kBytes = 32 << 20;
  const std::vector<uint8_t> bytes = RandomBytes(kBytes, 9);
  server.Pause(remote);
  client.transport->Send(id, Shared(bytes));
  for (int i = 0; i < 200; ++i) {
    client.transport->Step(1'000'000);
    server.transport->Step(0);
  }
  EXPECT_TRUE(server.stories[remote].received.empty());
  EXPECT_GT(client.transport->QueuedBytes(id), 0u) << "the kernel's buffers should not hold it all";
  EXPECT_EQ(client.transport->QueuedBytes(id) + client.stories[id].sent, kBytes);
  server.Resume(remote);
  ASSERT_TRUE(client.StepUntil([&] { return server.stories[remote].received.size() == kBytes; }, &server));
  EXPECT_TRUE(server.stories[remote].received == bytes);
}

TEST_P(TransportTest, WhatWasNotConsumedComesAgain) {
  const ConnectionId id = Join();
  const ConnectionId remote = server.last_accepted;
  const std::vector<uint8_t> bytes = RandomBytes(300'000, 11);
  // Takes a thousand bytes, then pauses.
  server.on_received = [&](ConnectionId connection, ByteSpan piece) {
    if (piece.size() <= 1000) return piece.size();
    server.Pause(connection);
    return size_t{1000};
  };
  client.transport->Send(id, Shared(bytes));
  client.transport->Close(id, CloseMode::kDrain);
  ASSERT_TRUE(client.StepUntil(
      [&] {
        if (server.paused[remote]) server.Resume(remote);
        return server.stories[remote].is_ended;
      },
      &server));
  EXPECT_TRUE(server.stories[remote].received == bytes) << "in order, each byte once, and the end after the last";
}

TEST_P(TransportTest, ResetIsTold) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_storage storage;
  const socklen_t size = address.ToSocket(storage);
  ASSERT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&storage), size), 0);
  ASSERT_TRUE(server.StepUntil([&] { return server.last_accepted != 0; }));
  const linger reset{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  close(fd);
  Story& story = server.stories[server.last_accepted];
  ASSERT_TRUE(server.StepUntil([&] { return story.is_closed; }));
  EXPECT_EQ(story.reason, CloseReason::kReset);
  EXPECT_EQ(story.error, ECONNRESET);
}

TEST_P(TransportTest, PortInUseIsASentence) {
  const auto again = client.transport->Listen(address);
  ASSERT_FALSE(again.ok());
  const std::string sentence(again.status().message());
  EXPECT_TRUE(sentence.starts_with("Cannot listen on " + address.ToString() + ": address already in use. ")) << sentence;
  EXPECT_NE(sentence.find("-port"), std::string::npos);
}

TEST_P(TransportTest, DoorbellEndsTheWait) {
  const auto start = std::chrono::steady_clock::now();
  std::thread ringer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    server.transport->doorbell().Ring();
  });
  server.transport->Step(20'000'000'000);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
  ringer.join();
  // Rung while awake: the next wait does not happen, the one after that does.
  server.transport->doorbell().Ring();
  server.transport->Step(20'000'000'000);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

TEST_P(TransportTest, StepWaitsAsLongAsAskedAndDoesNotSpin) {
  server.transport->Step(0);
  const auto start = std::chrono::steady_clock::now();
  // A signal or the kernel's own work may end a wait early, but not every one.
  int steps = 0;
  for (; std::chrono::steady_clock::now() - start < std::chrono::milliseconds(60); ++steps) {
    server.transport->Step(30'000'000);
  }
  EXPECT_LT(steps, 20);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

TEST_P(TransportTest, GoesDownWithConnectionsOpen) {
  const ConnectionId id = Join();
  client.transport->Send(id, Shared(RandomBytes(4 << 20, 1)));
  client.transport->Step(0);
  client.transport.reset();
  EXPECT_EQ(client.stories[id].closed_count, 0) << "nobody is told by a transport that goes down";
}

INSTANTIATE_TEST_SUITE_P(Kinds, TransportTest, ::testing::Values(TransportChoice::kUring, TransportChoice::kEpoll),
                         [](const auto& info) { return info.param == TransportChoice::kUring ? "Uring" : "Epoll"; });

TEST(OpenTransportTest, ProbingAlwaysFindsOne) {
  const auto transport = OpenTransport(TransportChoice::kProbe);
  ASSERT_TRUE(transport.ok()) << transport.status();
  std::printf("transport=%s\n", std::string((*transport)->name()).c_str());
}

}  // namespace
}  // namespace headrace
