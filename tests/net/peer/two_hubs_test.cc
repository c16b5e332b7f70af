// Two hubs over loopback: handshake, headers, blocks, limits.
#include <map>
#include <random>
#include <thread>

#include "tests/net/peer/hub_fixture.h"
#include "tests/support/process.h"

namespace headrace {
namespace {

using testing::FreePort;
using testing::Node;

// Bytes with a header in front: what the network layer needs of a block.
SlabRef MakeBlock(uint32_t number, size_t size) {
  auto slab = std::make_shared<Slab>(size);
  std::mt19937_64 random(number);
  for (uint8_t& byte : slab->writable()) byte = static_cast<uint8_t>(random());
  BlockHeader header;
  header.version = 4;
  header.nonce = number;
  header.Store(slab->writable().data());
  return slab;
}

Hash256 HashOf(const SlabRef& block) { return BlockHeader::Load(block->bytes().data()).Hash(); }

class TwoHubsTest : public ::testing::TestWithParam<TransportChoice> {
 protected:
  void SetUp() override {
    if (const auto transport = OpenTransport(GetParam()); !transport.ok()) GTEST_SKIP() << transport.status();
  }

  void Join(PeerHubOptions server_options = Node::Defaults(), PeerHubOptions client_options = Node::Defaults()) {
    server = std::make_unique<Node>(server_options, GetParam());
    server->hub->SetBestHeight(200);
    client_options.listen.clear();
    client_options.connect = {server->listens_at()};
    client = std::make_unique<Node>(client_options, GetParam());
    at_client = client->WaitFor<PeerConnected>().info;
    at_server = server->WaitFor<PeerConnected>().info;
  }

  // The server sends blocks to a client whose engine takes no events for a while.
  void ExpectBlocksWaitAndComeInOrder() {
    constexpr uint32_t kBlocks = 100;
    std::vector<PeerCommand> commands;
    for (uint32_t i = 0; i < kBlocks; ++i) {
      commands.push_back(SendBlock{at_server.id, SharedBytes::From(MakeBlock(i, 500'000))});
    }
    server->hub->Submit(commands);
    // Until the server has sent nothing for a while: what is then left is what the client does not read.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    uint64_t queued = 0;
    for (int unchanged = 0; unchanged < 10 && std::chrono::steady_clock::now() < deadline;) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      const uint64_t now_queued = server->hub->QueuedBytes(at_server.id);
      unchanged = now_queued == queued ? unchanged + 1 : 0;
      queued = now_queued;
    }
    EXPECT_GT(queued, 10u * 500'000) << "the client must have stopped reading";
    // Nothing is lost or out of order once the engine takes them.
    for (uint32_t i = 0; i < kBlocks; ++i) {
      const auto received = client->WaitFor<BlockReceived>();
      ASSERT_EQ(received.hash, HashOf(MakeBlock(i, 500'000)));
    }
  }

  std::unique_ptr<Node> server;
  std::unique_ptr<Node> client;
  PeerInfo at_client;  // the server, as the client sees it
  PeerInfo at_server;
};

TEST_P(TwoHubsTest, HandshakeTellsWhoIsThere) {
  PeerHubOptions options = Node::Defaults();
  options.services = kNodeNetwork | kNodeWitness | kNodeNetworkLimited;
  options.user_agent = "/server:1/";
  Join(options);
  EXPECT_EQ(at_client.services, options.services);
  EXPECT_EQ(at_client.user_agent, "/server:1/");
  EXPECT_EQ(at_client.protocol_version, 70016);
  EXPECT_EQ(at_client.start_height, 200);
  EXPECT_FALSE(at_client.is_inbound);
  EXPECT_EQ(at_client.address, server->hub->listening()[0].ToString());
  EXPECT_TRUE(at_server.is_inbound);
  EXPECT_EQ(at_server.user_agent, "/headrace:0.1.0/");
  EXPECT_EQ(at_server.start_height, 0);
  // The first ping is answered once each engine has handled what came before it.
  const auto measured = [&] {
    const auto peers = client->hub->Status();
    return peers.size() == 1 && peers[0].ping_ns >= 0;
  };
  EXPECT_TRUE(client->Run([&] {
    server->hub->TakeEvents(server->events, 64);
    return measured();
  }));
  const std::vector<PeerStatusNet> peers = client->hub->Status();
  ASSERT_EQ(peers.size(), 1u);
  EXPECT_TRUE(peers[0].is_handshake_complete);
  EXPECT_GT(peers[0].bytes_received, 24u * 3);
  EXPECT_GT(peers[0].messages_sent, 3u);
  EXPECT_EQ(peers[0].ping_min_ns, peers[0].ping_ns);
  EXPECT_GT(client->hub->totals().bytes_sent, 0u);
}

TEST_P(TwoHubsTest, HeadersAndBlocksFlow) {
  Join();
  constexpr uint32_t kBlocks = 200;
  std::map<Hash256, SlabRef> blocks;
  std::vector<BlockHeader> headers;
  std::vector<InventoryItem> wanted;
  std::mt19937_64 random(3);
  uint64_t block_bytes = 0;
  for (uint32_t i = 0; i < kBlocks; ++i) {
    // Every fifth is large, up to the limit of 4 MB; the smallest has one byte beyond the header.
    const size_t size = i == 0 ? 81 : i == 5 ? 4'000'000 : i % 5 == 0 ? 1'000'000 + random() % 500'000 : 81 + random() % 30'000;
    const SlabRef block = MakeBlock(i, size);
    blocks[HashOf(block)] = block;
    headers.push_back(BlockHeader::Load(block->bytes().data()));
    wanted.push_back({kInvWitnessBlock, HashOf(block)});
    block_bytes += size;
  }

  client->Submit(SendGetHeaders{at_client.id, {headers[0].Hash()}, Hash256()});
  const auto question = server->WaitFor<GetHeadersReceived>();
  EXPECT_EQ(question.peer, at_server.id);
  EXPECT_EQ(question.locator, std::vector<Hash256>{headers[0].Hash()});
  server->Submit(SendHeaders{question.peer, headers});
  EXPECT_EQ(client->WaitFor<HeadersReceived>().headers, headers);

  client->Submit(SendGetData{at_client.id, wanted});
  const auto request = server->WaitFor<GetDataReceived>();
  EXPECT_EQ(request.items, wanted);
  std::vector<PeerCommand> answers;
  for (const InventoryItem& item : request.items) {
    answers.push_back(SendBlock{request.peer, SharedBytes::From(blocks.at(item.hash))});
  }
  server->hub->Submit(answers);
  EXPECT_GT(server->hub->QueuedBytes(request.peer), 0u);
  for (const InventoryItem& item : wanted) {
    const auto received = client->WaitFor<BlockReceived>();
    ASSERT_NE(received.block, nullptr);
    ASSERT_EQ(received.hash, item.hash);
    ASSERT_TRUE(std::ranges::equal(received.block->bytes(), blocks.at(item.hash)->bytes()));
  }
  EXPECT_TRUE(server->Run([&] { return server->hub->QueuedBytes(at_server.id) == 0; }));
  EXPECT_GE(client->hub->totals().bytes_received, block_bytes);
  EXPECT_GE(client->hub->ReceivedBytes(at_client.id), block_bytes);
  EXPECT_EQ(client->hub->ReceivedBytes(at_client.id + 1'000), 0u);
}

TEST_P(TwoHubsTest, InventoryFlowsBothWays) {
  Join();
  const std::vector<InventoryItem> items = {{kInvBlock, HashOf(MakeBlock(1, 100))},
                                            {kInvWtx, HashOf(MakeBlock(2, 100))}};
  client->Submit(SendInventory{at_client.id, items});
  EXPECT_EQ(server->WaitFor<InventoryReceived>().items, items);
  server->Submit(SendNotFound{at_server.id, items});
  EXPECT_EQ(client->WaitFor<NotFoundReceived>().items, items);
}

TEST_P(TwoHubsTest, CompactBlocksAndWhatBelongsToThemFlowBothWays) {
  Join();
  // The handshake says that they are spoken, and that headers are wanted; wishes come later.
  EXPECT_FALSE(server->WaitFor<SendCompactReceived>().wants_announcements);
  for (const bool wants : {true, false}) {
    client->Submit(SendCompactWish{at_client.id, wants});
    EXPECT_EQ(server->WaitFor<SendCompactReceived>().wants_announcements, wants);
  }
  CompactBlock block;
  block.header.nonce = 9;
  block.nonce = 77;
  block.short_ids = {1, 0xffffffffffff};
  const std::vector<uint8_t> transaction = {1, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  block.prefilled = {{1, transaction}};
  server->Submit(SendCompactBlock{at_server.id, std::make_shared<const CompactBlock>(block)});
  const auto received = client->WaitFor<CompactBlockReceived>();
  ASSERT_NE(received.block, nullptr);
  EXPECT_EQ(*received.block, block);
  const BlockTransactionsRequest question{block.header.Hash(), {0, 2}};
  client->Submit(SendGetBlockTransactions{at_client.id, question});
  EXPECT_EQ(server->WaitFor<GetBlockTransactionsReceived>().request, question);
  server->Submit(SendBlockTransactions{at_server.id, {question.block, {transaction, transaction}}});
  EXPECT_GT(server->hub->QueuedBytes(at_server.id) + client->hub->totals().bytes_received, 2 * transaction.size());
  const auto answer = client->WaitFor<BlockTransactionsReceived>();
  ASSERT_NE(answer.answer, nullptr);
  EXPECT_EQ(*answer.answer, (BlockTransactions{question.block, {transaction, transaction}}));
  // What was counted before it was sent is not counted twice.
  EXPECT_TRUE(server->Run([&] { return server->hub->QueuedBytes(at_server.id) == 0; }));
}

TEST_P(TwoHubsTest, WhatIsWantedIsToldToTheEngine) {
  Join();
  bool wants_headers = false;
  server->on_event = [&](PeerEvent& event) { wants_headers |= std::holds_alternative<SendHeadersReceived>(event); };
  EXPECT_TRUE(server->Run([&] { return wants_headers; }));
}

TEST_P(TwoHubsTest, AnEngineThatDoesNotTakeEventsHoldsThePeerBack) {
  PeerHubOptions options = Node::Defaults();
  options.events_max = 4;
  Join(Node::Defaults(), options);
  ExpectBlocksWaitAndComeInOrder();
}

TEST_P(TwoHubsTest, EventsThatWaitAreBoundedInBytes) {
  PeerHubOptions options = Node::Defaults();
  options.event_bytes_max = 2'000'000;
  Join(Node::Defaults(), options);
  ExpectBlocksWaitAndComeInOrder();
}

TEST_P(TwoHubsTest, DisconnectIsToldOnceAndTheManualPeerComesBack) {
  Join();
  server->Submit(Disconnect{at_server.id, "the test wants it"});
  EXPECT_EQ(server->WaitFor<PeerDisconnected>().peer, at_server.id);
  EXPECT_EQ(client->WaitFor<PeerDisconnected>().peer, at_client.id);
  const PeerInfo again = client->WaitFor<PeerConnected>().info;
  EXPECT_NE(again.id, at_client.id);
  // Commands to the one that is gone do nothing.
  client->Submit(SendInventory{at_client.id, {{kInvBlock, Hash256()}}});
  EXPECT_EQ(client->hub->QueuedBytes(at_client.id), 0u);
}

TEST_P(TwoHubsTest, ConnectsToAPeerThatComesLater) {
  // A port that was free a moment ago.
  HostPort later;
  {
    Node probe(Node::Defaults(), GetParam());
    later = probe.listens_at();
  }
  PeerHubOptions options = Node::Defaults();
  options.listen.clear();
  options.connect = {later};
  Node early(options, GetParam());
  EXPECT_FALSE(early.Run([&] { return false; }, 100));
  PeerHubOptions late_options = Node::Defaults();
  late_options.listen[0].port = later.port;
  Node late(late_options, GetParam());
  EXPECT_FALSE(early.WaitFor<PeerConnected>().info.is_inbound);
}

TEST_P(TwoHubsTest, InboundLimitHolds) {
  PeerHubOptions options = Node::Defaults();
  options.inbound_max = 1;
  Join(options);
  PeerHubOptions other_options = Node::Defaults();
  other_options.listen.clear();
  other_options.connect = {server->listens_at()};
  Node other(other_options, GetParam());
  bool has_connected = false;
  other.on_event = [&](PeerEvent& event) { has_connected |= std::holds_alternative<PeerConnected>(event); };
  EXPECT_FALSE(other.Run([&] { return has_connected; }, 300));
  // The slot becomes free when the first one goes.
  client.reset();
  EXPECT_TRUE(other.Run([&] { return has_connected; }));
}

TEST_P(TwoHubsTest, ANodeRefusesItself) {
  PeerHubOptions options = Node::Defaults();
  // The port must be known before the hub starts.
  options.listen[0].port = FreePort();
  options.connect = {{"127.0.0.1", options.listen[0].port}};
  Node node(options, GetParam());
  bool has_connected = false;
  node.on_event = [&](PeerEvent& event) { has_connected |= std::holds_alternative<PeerConnected>(event); };
  EXPECT_FALSE(node.Run([&] { return has_connected; }, 500));
  EXPECT_GT(node.hub->totals().bytes_sent, 0u) << "it did try";
}

TEST_P(TwoHubsTest, StopDeliversWhatIsQueued) {
  Join();
  std::vector<PeerCommand> commands;
  for (uint32_t i = 0; i < 20; ++i) commands.push_back(SendBlock{at_server.id, SharedBytes::From(MakeBlock(i, 400'000))});
  server->hub->Submit(commands);
  // Commands are executed before the end is begun.
  std::thread stopper([&] { server->reactor->Stop(); });
  for (uint32_t i = 0; i < 20; ++i) ASSERT_EQ(client->WaitFor<BlockReceived>().hash, HashOf(MakeBlock(i, 400'000)));
  client->WaitFor<PeerDisconnected>();
  stopper.join();
}

INSTANTIATE_TEST_SUITE_P(Kinds, TwoHubsTest, ::testing::Values(TransportChoice::kUring, TransportChoice::kEpoll),
                         [](const auto& info) { return info.param == TransportChoice::kUring ? "Uring" : "Epoll"; });

}  // namespace
}  // namespace headrace
