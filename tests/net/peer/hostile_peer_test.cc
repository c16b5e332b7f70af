// A hub against a raw socket that does not keep the rules.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <set>
#include <thread>

#include "net/wire/chain_messages.h"
#include "net/wire/commands.h"
#include "net/wire/framer.h"
#include "net/wire/inventory_messages.h"
#include "net/wire/outgoing_message.h"
#include "net/wire/small_messages.h"
#include "net/wire/version_message.h"
#include "tests/net/peer/hub_fixture.h"

namespace headrace {
namespace {

using testing::kHubMagic;
using testing::Node;
using Body = std::vector<uint8_t>;

// One end of a connection to the hub, under the test's full control.
class RawPeer {
 public:
  explicit RawPeer(const Node& node) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_storage storage;
    const socklen_t size = node.hub->listening().at(0).ToSocket(storage);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&storage), size), 0);
  }
  ~RawPeer() { close(fd_); }

  void Send(ByteSpan bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes = bytes.subspan(static_cast<size_t>(sent));
    }
  }
  void Send(const Command& command, const Body& body = {}) { Send(EncodeMessage(kHubMagic, command, body).bytes); }
  void SendVersion(int32_t protocol_version = 70016) {
    VersionMessage version;
    version.protocol_version = protocol_version;
    version.nonce = 42;
    version.user_agent = "/raw:1/";
    Body body;
    EncodeVersion(version, body);
    Send(commands::kVersion, body);
  }
  void Introduce() {
    SendVersion();
    Send(commands::kVerack);
  }
  void SendPing(uint64_t nonce) {
    Body body;
    EncodeNonce(nonce, body);
    Send(commands::kPing, body);
  }

  // Reads until a message `command` comes; false when the hub closes first or ten seconds pass.
  bool ReadUntil(const Command& command, Body* body = nullptr) {
    while (true) {
      while (!pending_.empty()) {
        const size_t size = framer_.Consume(pending_);
        const bool is_whole = framer_.has_message();
        Message message;
        Body copy;
        if (is_whole) {
          message = framer_.TakeMessage();
          copy.assign(message.body.begin(), message.body.end());
          seen.insert(std::string(message.command.name()));
        }
        pending_.erase(pending_.begin(), pending_.begin() + static_cast<ptrdiff_t>(size));
        if (is_whole && message.command == command) {
          if (body != nullptr) *body = copy;
          return true;
        }
      }
      if (!ReadSome(10'000)) return false;
    }
  }
  // True when the hub ends the connection within `limit_ms`.
  bool IsClosedWithin(int limit_ms) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(limit_ms);
    while (std::chrono::steady_clock::now() < deadline) {
      if (!ReadSome(50) && is_closed_) return true;
    }
    return false;
  }

  std::set<std::string> seen;

 private:
  bool ReadSome(int limit_ms) {
    pollfd ready{fd_, POLLIN, 0};
    if (poll(&ready, 1, limit_ms) <= 0) return false;
    uint8_t buffer[65536];
    const ssize_t size = recv(fd_, buffer, sizeof(buffer), 0);
    is_closed_ = size <= 0;
    if (size > 0) pending_.insert(pending_.end(), buffer, buffer + size);
    return size > 0;
  }

  const int fd_;
  bool is_closed_ = false;
  Body pending_;
  Framer framer_{kHubMagic, [](const Command&, uint32_t) { return nullptr; }};
};

constexpr int kSoonMs = 5'000;

class HostilePeerTest : public ::testing::TestWithParam<TransportChoice> {
 protected:
  void SetUp() override {
    if (const auto transport = OpenTransport(GetParam()); !transport.ok()) GTEST_SKIP() << transport.status();
  }
  void Start(PeerHubOptions options = Node::Defaults()) { node = std::make_unique<Node>(std::move(options), GetParam()); }

  // The hub still serves a well-behaved peer.
  void ExpectAlive() {
    RawPeer good(*node);
    good.Introduce();
    EXPECT_TRUE(good.ReadUntil(commands::kVerack));
    good.SendPing(77);
    Engine([&] { return good.ReadUntil(commands::kPong); });
  }
  // Runs the test's engine while `body` runs on another thread.
  void Engine(const std::function<bool()>& body) {
    std::atomic<bool> is_done{false};
    bool result = false;
    std::thread other([&] {
      result = body();
      is_done = true;
    });
    EXPECT_TRUE(node->Run([&] { return is_done.load(); }, 20'000));
    other.join();
    EXPECT_TRUE(result);
  }

  std::unique_ptr<Node> node;
};

TEST_P(HostilePeerTest, HandshakeSaysWhatIsDoneAndNoMore) {
  Start();
  RawPeer peer(*node);
  peer.SendVersion();
  ASSERT_TRUE(peer.ReadUntil(commands::kVerack));
  EXPECT_EQ(peer.seen, (std::set<std::string>{"version", "wtxidrelay", "sendaddrv2", "verack"}));
  peer.Send(commands::kVerack);
  ASSERT_TRUE(peer.ReadUntil(commands::kPing));
  EXPECT_TRUE(peer.seen.contains("sendheaders"));
  EXPECT_TRUE(peer.seen.contains("sendcmpct"));
  const PeerInfo info = node->WaitFor<PeerConnected>().info;
  EXPECT_EQ(info.user_agent, "/raw:1/");
  EXPECT_TRUE(info.is_inbound);
}

TEST_P(HostilePeerTest, FaultsInTheFrameEndTheConnection) {
  Start();
  struct Fault {
    const char* what;
    size_t at;
  };
  for (const Fault& fault : {Fault{"magic", 0}, Fault{"command", 6}, Fault{"length", 19}, Fault{"checksum", 20}, Fault{"body", 30}}) {
    RawPeer peer(*node);
    Body body;
    EncodeNonce(1, body);
    const SharedBytes message = EncodeMessage(kHubMagic, commands::kPing, body);
    Body bytes(message.bytes.begin(), message.bytes.end());
    bytes[fault.at] ^= 0x80;
    peer.Introduce();
    ASSERT_TRUE(peer.ReadUntil(commands::kVerack));
    peer.Send(bytes);
    EXPECT_TRUE(peer.IsClosedWithin(kSoonMs)) << fault.what;
  }
  ExpectAlive();
}

TEST_P(HostilePeerTest, GarbageEndsTheConnection) {
  Start();
  RawPeer peer(*node);
  peer.Send(Body(100'000, 0x5a));
  EXPECT_TRUE(peer.IsClosedWithin(kSoonMs));
  ExpectAlive();
}

TEST_P(HostilePeerTest, MalformedBodiesEndTheConnection) {
  Start();
  for (const Command& command : {commands::kHeaders, commands::kInv, commands::kGetData, commands::kGetHeaders,
                                 commands::kGetBlocks, commands::kNotFound, commands::kPing, commands::kBlock,
                                 commands::kSendCompact, commands::kCompactBlock, commands::kGetBlockTransactions,
                                 commands::kBlockTransactions}) {
    RawPeer peer(*node);
    peer.Introduce();
    ASSERT_TRUE(peer.ReadUntil(commands::kVerack));
    peer.Send(command, Body{0xff});
    EXPECT_TRUE(peer.IsClosedWithin(kSoonMs)) << command.name();
  }
  ExpectAlive();
}

TEST_P(HostilePeerTest, UnknownAndUnofferedMessagesAreIgnored) {
  Start();
  RawPeer peer(*node);
  peer.Introduce();
  for (const char* name : {"nonsense", "addr", "addrv2", "getaddr", "feefilter", "mempool", "reject", "tx"}) {
    peer.Send(Command(name), Body(300, 0xee));
  }
  // BIP152: a version of compact blocks that is not known.
  Body offer;
  EncodeSendCompact({true, 1}, offer);
  peer.Send(commands::kSendCompact, offer);
  node->on_event = [](PeerEvent& event) { EXPECT_FALSE(std::holds_alternative<SendCompactReceived>(event)); };
  peer.SendPing(5);
  Engine([&] { return peer.ReadUntil(commands::kPong); });
}

TEST_P(HostilePeerTest, AnAnnouncedBodyThatNeverComesCostsNothing) {
  Start();
  std::vector<std::unique_ptr<RawPeer>> peers;
  for (int i = 0; i < 20; ++i) {
    peers.push_back(std::make_unique<RawPeer>(*node));
    peers.back()->Introduce();
    ASSERT_TRUE(peers.back()->ReadUntil(commands::kVerack));
    uint8_t header[MessageHeader::kSerializedBytes];
    MessageHeader{kHubMagic, commands::kBlock, 4'000'000, {}}.Store(header);
    peers.back()->Send(header);
  }
  ExpectAlive();
}

TEST_P(HostilePeerTest, UnaskedGrowingMessagesAreBounded) {
  PeerHubOptions options = Node::Defaults();
  options.growing_bytes_max = 3'000'000;
  Start(options);
  RawPeer peer(*node);
  peer.Introduce();
  ASSERT_TRUE(peer.ReadUntil(commands::kVerack));
  uint8_t header[MessageHeader::kSerializedBytes];
  MessageHeader{kHubMagic, commands::kBlock, 4'000'000, {}}.Store(header);
  peer.Send(header);
  peer.Send(Body(3'900'000, 1));
  EXPECT_TRUE(peer.IsClosedWithin(kSoonMs));
  ExpectAlive();
}

TEST_P(HostilePeerTest, DribbledBytesMakeAMessage) {
  Start();
  RawPeer peer(*node);
  peer.Introduce();
  ASSERT_TRUE(peer.ReadUntil(commands::kVerack));
  Body body;
  EncodeNonce(0x1234, body);
  const SharedBytes message = EncodeMessage(kHubMagic, commands::kPing, body);
  for (const uint8_t byte : message.bytes) {
    peer.Send(ByteSpan(&byte, 1));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  Engine([&] {
    Body pong;
    return peer.ReadUntil(commands::kPong, &pong) && pong == body;
  });
}

TEST_P(HostilePeerTest, ASecondVersionChangesNothing) {
  Start();
  RawPeer peer(*node);
  peer.SendVersion();
  peer.SendVersion(80000);
  peer.Send(commands::kVerack);
  peer.Send(commands::kVerack);
  peer.SendVersion(90000);
  EXPECT_EQ(node->WaitFor<PeerConnected>().info.protocol_version, 70016);
  peer.SendPing(5);
  Engine([&] { return peer.ReadUntil(commands::kPong); });
  EXPECT_FALSE(node->hub->TakeEvents(node->events, 10)) << "connected is told once";
}

TEST_P(HostilePeerTest, WhatComesBeforeTheHandshakeIsNotHandedOn) {
  Start();
  RawPeer peer(*node);
  Body inventory;
  EncodeInventory({{kInvBlock, Hash256()}}, inventory);
  peer.Send(commands::kInv, inventory);
  peer.Send(commands::kVerack);
  peer.SendVersion();
  peer.Send(commands::kInv, inventory);
  peer.Send(commands::kVerack);
  peer.Send(commands::kInv, inventory);
  peer.SendPing(5);
  std::vector<std::string> told;
  node->on_event = [&](PeerEvent& event) {
    told.push_back(std::holds_alternative<PeerConnected>(event)       ? "connected"
                   : std::holds_alternative<InventoryReceived>(event) ? "inventory"
                                                                      : "another");
  };
  Engine([&] { return peer.ReadUntil(commands::kPong); });
  EXPECT_EQ(told, (std::vector<std::string>{"connected", "inventory"}));
}

TEST_P(HostilePeerTest, LateNegotiationAndOldVersionsAreRefused) {
  Start();
  RawPeer late(*node);
  late.Introduce();
  ASSERT_TRUE(late.ReadUntil(commands::kVerack));
  late.Send(commands::kWtxidRelay);
  EXPECT_TRUE(late.IsClosedWithin(kSoonMs));
  RawPeer old(*node);
  old.SendVersion(31799);
  EXPECT_TRUE(old.IsClosedWithin(kSoonMs));
  RawPeer oldest_allowed(*node);
  oldest_allowed.SendVersion(31800);
  EXPECT_TRUE(oldest_allowed.ReadUntil(commands::kVerack));
  EXPECT_FALSE(oldest_allowed.seen.contains("wtxidrelay"));
}

TEST_P(HostilePeerTest, TimeOutsEndTheConnection) {
  PeerHubOptions options = Node::Defaults();
  options.handshake_timeout_ms = 100;
  options.ping_interval_ms = 10;
  options.pong_timeout_ms = 300;
  Start(options);
  RawPeer silent(*node);
  EXPECT_TRUE(silent.IsClosedWithin(kSoonMs)) << "no version";
  RawPeer half(*node);
  half.SendVersion();
  EXPECT_TRUE(half.IsClosedWithin(kSoonMs)) << "no verack";
  RawPeer mute(*node);
  mute.Introduce();
  EXPECT_TRUE(mute.IsClosedWithin(kSoonMs)) << "no pong";
}

TEST_P(HostilePeerTest, APongWaitsForTheEngine) {
  Start();
  RawPeer peer(*node);
  peer.Introduce();
  ASSERT_TRUE(peer.ReadUntil(commands::kVerack));
  node->WaitFor<PeerConnected>();
  // The engine comes back for more, so that the request is the one event that it has not handled.
  EXPECT_FALSE(node->hub->TakeEvents(node->events, 1));
  Body locator;
  EncodeLocator({70016, {Hash256()}, Hash256()}, locator);
  peer.Send(commands::kGetHeaders, locator);
  peer.SendPing(9);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  // The engine answers what it takes; until it comes back for more, the pong waits.
  node->on_event = [&](PeerEvent& event) {
    if (const auto* request = std::get_if<GetHeadersReceived>(&event)) node->Submit(SendHeaders{request->peer, {}});
  };
  Engine([&] {
    if (!peer.ReadUntil(commands::kPong)) return false;
    return peer.seen.contains("headers");
  });
}

TEST_P(HostilePeerTest, APeerWithManyUnansweredPingsIsNotRead) {
  Start();
  RawPeer peer(*node);
  peer.Introduce();
  ASSERT_TRUE(peer.ReadUntil(commands::kVerack));
  Body locator;
  EncodeLocator({70016, {Hash256()}, Hash256()}, locator);
  peer.Send(commands::kGetHeaders, locator);
  constexpr uint64_t kPings = 1'000;
  for (uint64_t i = 1; i <= kPings; ++i) peer.SendPing(i);
  const auto messages_received = [&] {
    const std::vector<PeerStatusNet> peers = node->hub->Status();
    return peers.empty() ? 0 : peers.front().messages_received;
  };
  // The engine takes nothing, so that every ping waits behind the request: version, verack, request and 64 pings.
  constexpr uint64_t kMessagesReadMax = 3 + 64;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kSoonMs);
  while (messages_received() < kMessagesReadMax && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(messages_received(), kMessagesReadMax);
  // Nothing is lost, and the connection goes on.
  Engine([&] {
    for (uint64_t i = 1; i <= kPings; ++i) {
      Body body;
      uint64_t nonce = 0;
      if (!peer.ReadUntil(commands::kPong, &body) || DecodeNonce(body, nonce) != DecodeError::kNone || nonce != i) return false;
    }
    return true;
  });
}

TEST_P(HostilePeerTest, APeerThatDoesNotReadIsDisconnected) {
  PeerHubOptions options = Node::Defaults();
  options.send_queue_bytes_max = 1'000'000;
  Start(options);
  RawPeer peer(*node);
  peer.Introduce();
  const PeerId id = node->WaitFor<PeerConnected>().info.id;
  std::vector<PeerCommand> commands;
  for (int i = 0; i < 20; ++i) commands.push_back(SendBlock{id, SharedBytes::From(std::make_shared<Slab>(2'000'000))});
  node->hub->Submit(commands);
  EXPECT_EQ(node->WaitFor<PeerDisconnected>().peer, id);
  EXPECT_EQ(node->hub->QueuedBytes(id), 0u);
}

TEST_P(HostilePeerTest, FloodsOfPingsAndInventoryKeepTheirOrder) {
  PeerHubOptions options = Node::Defaults();
  options.events_max = 8;
  Start(options);
  RawPeer peer(*node);
  peer.Introduce();
  size_t items_seen = 0;
  node->on_event = [&](PeerEvent& event) {
    if (const auto* inventory = std::get_if<InventoryReceived>(&event)) items_seen += inventory->items.size();
  };
  constexpr uint64_t kRounds = 500;
  Body inventory;
  EncodeInventory(std::vector<InventoryItem>(50, InventoryItem{kInvBlock, Hash256()}), inventory);
  std::thread sender([&] {
    for (uint64_t i = 1; i <= kRounds; ++i) {
      peer.Send(commands::kInv, inventory);
      peer.SendPing(i);
    }
  });
  Engine([&] {
    for (uint64_t i = 1; i <= kRounds; ++i) {
      Body body;
      uint64_t nonce = 0;
      if (!peer.ReadUntil(commands::kPong, &body) || DecodeNonce(body, nonce) != DecodeError::kNone || nonce != i) return false;
    }
    return true;
  });
  sender.join();
  EXPECT_EQ(items_seen, kRounds * 50);
}

INSTANTIATE_TEST_SUITE_P(Kinds, HostilePeerTest, ::testing::Values(TransportChoice::kUring, TransportChoice::kEpoll),
                         [](const auto& info) { return info.param == TransportChoice::kUring ? "Uring" : "Epoll"; });

}  // namespace
}  // namespace headrace
