// A thousand connections to one node over loopback: all are served, the next displaces one of them or is refused, and
// what they cost in memory is bounded, idle or hostile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <thread>

#include "engine/primitives/block_header.h"
#include "net/wire/chain_messages.h"
#include "net/wire/commands.h"
#include "net/wire/inventory_messages.h"
#include "net/wire/small_messages.h"
#include "tests/interop/loopback_peer.h"
#include "tests/interop/rpc_node.h"

namespace headrace::testing {
namespace {

constexpr size_t kPeers = 1'000;  // what -maxconnections allows at the most
constexpr uint32_t kBlocks = 120;
// As many again is what the node may cost by the aim of 16 KiB, for the pages that an allocator keeps.
constexpr uint64_t kIdleBytesMax = 32 * 1024;
constexpr uint64_t kHostileBytesMax = 64 << 20;

// Sanitizers keep what was freed, and more around what was not: what they make a node cost says nothing.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsSanitized = true;
#elif defined(__has_feature)
constexpr bool kIsSanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool kIsSanitized = false;
#endif

class ThousandPeersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    constexpr uint64_t kFilesOfTheTest = 100;
    if (!AllowOpenFiles(kPeers + kFilesOfTheTest))
      GTEST_SKIP() << "needs a limit of open files above " << kPeers + kFilesOfTheTest;
    const std::string chain = directory_.File("chain.dat");
    ASSERT_EQ(
        RunProgram(
            {Program("headrace-chaingen"), "--output=" + chain, "--blocks=" + std::to_string(kBlocks), "--seed=3"}, 60)
            .status,
        0);
    node_.Start({"-maxconnections=" + std::to_string(kPeers), "-loadblock=" + chain});
    ASSERT_TRUE(node_.WaitForHeight(kBlocks, 60));
  }

  std::unique_ptr<LoopbackPeer> Connect(int number) {
    auto peer = std::make_unique<LoopbackPeer>(number, node_.node().port());
    EXPECT_TRUE(peer->is_connected()) << number;
    peer->Introduce();
    return peer;
  }
  // Once all have the handshake behind them.
  void ConnectAll() {
    for (size_t i = 0; i < kPeers; ++i) {
      peers_.push_back(Connect(static_cast<int>(i)));
      // So many at a time as the kernel holds for a listener.
      if (i % 100 == 99) ASSERT_TRUE(peers_.back()->ReadUntil(commands::kVerack).has_value()) << i;
    }
    for (const auto& peer : peers_) ASSERT_TRUE(peer->ReadUntil(commands::kSendHeaders).has_value());
  }
  // The engine has handled whatever they said before.
  void WaitForAllPongs() {
    std::vector<uint8_t> ping;
    EncodeNonce(99, ping);
    for (const auto& peer : peers_) peer->Send(commands::kPing, ping);
    for (const auto& peer : peers_) ASSERT_TRUE(peer->ReadUntil(commands::kPong).has_value());
  }
  void ExpectConnections(size_t count) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (node_.Text({"getconnectioncount"}) != std::to_string(count) && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    EXPECT_EQ(node_.Text({"getconnectioncount"}), std::to_string(count));
  }
  uint64_t ResidentBytes() {
    std::ifstream status("/proc/" + std::to_string(node_.node().process().pid()) + "/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmRSS:")) return std::stoull(line.substr(6)) * 1024;
    }
    ADD_FAILURE() << "the node is gone";
    return 0;
  }
  uint64_t GrowthSince(uint64_t before) { return std::max(ResidentBytes(), before) - before; }

  TemporaryDirectory directory_;
  RpcNode node_;
  std::vector<std::unique_ptr<LoopbackPeer>> peers_;
};

TEST_F(ThousandPeersTest, AreServedHeadersAndBlocksAndTheNextDisplacesOneOrIsRefused) {
  ConnectAll();
  ExpectConnections(kPeers);
  std::vector<uint8_t> locator;
  EncodeLocator({70'016, {Hash256()}, Hash256()}, locator);
  for (const auto& peer : peers_) ASSERT_TRUE(peer->Send(commands::kGetHeaders, locator));
  for (size_t i = 0; i < peers_.size(); ++i) {
    const auto body = peers_[i]->ReadUntil(commands::kHeaders);
    ASSERT_TRUE(body.has_value()) << i;
    std::vector<BlockHeader> headers;
    ASSERT_EQ(DecodeHeaders(*body, headers), DecodeError::kNone);
    ASSERT_EQ(headers.size(), kBlocks);
    std::vector<uint8_t> wanted;
    EncodeInventory(
        {{kInvWitnessBlock, headers[i % kBlocks].Hash()}, {kInvWitnessBlock, headers[(i + 7) % kBlocks].Hash()}},
        wanted);
    ASSERT_TRUE(peers_[i]->Send(commands::kGetData, wanted));
    for (const size_t at : {i % kBlocks, (i + 7) % kBlocks}) {
      const auto block = peers_[i]->ReadUntil(commands::kBlock);
      ASSERT_TRUE(block.has_value() && block->size() > BlockHeader::kSerializedBytes) << i;
      ASSERT_EQ(BlockHeader::Load(block->data()), headers[at]) << i;
    }
  }
  // One more after another: the limit holds, whoever goes for it.
  for (int number = 0; number < 20; ++number) {
    const auto more = Connect(static_cast<int>(kPeers) + number);
    const bool is_let_in = more->ReadUntil(commands::kVerack, 10).has_value();
    EXPECT_TRUE(is_let_in || more->IsClosed()) << "neither let in nor refused";
    EXPECT_LE(std::stoul(node_.Text({"getconnectioncount"})), kPeers + 8) << "those who are going among them";
  }
  const auto closed = std::count_if(peers_.begin(), peers_.end(), [](const auto& peer) { return peer->IsClosed(); });
  EXPECT_LE(closed, 20);
  EXPECT_EQ(node_.node().Stop(), 0) << node_.node().process().Everything();
}

TEST_F(ThousandPeersTest, CostLittleWhenTheyAreIdleAndNotMuchWhenTheyAreHostile) {
  if (kIsSanitized) GTEST_SKIP() << "memory is measured without sanitizers";
  // What the first of them all costs is not theirs.
  ASSERT_TRUE(Connect(30'000)->ReadUntil(commands::kSendHeaders).has_value());
  ExpectConnections(0);
  const uint64_t before = ResidentBytes();
  ConnectAll();
  WaitForAllPongs();
  const uint64_t idle = GrowthSince(before);
  std::cout << "resident bytes of an idle peer: " << idle / kPeers << "\n";
  EXPECT_LE(idle, kPeers * kIdleBytesMax);

  // Each announces 4 MB, and then dribbles.
  const uint64_t before_hostility = ResidentBytes();
  uint8_t header[MessageHeader::kSerializedBytes];
  MessageHeader{{0xfa, 0xbf, 0xb5, 0xda}, commands::kBlock, 4'000'000, {}}.Store(header);
  for (const auto& peer : peers_) ASSERT_TRUE(peer->SendBytes(header));
  for (int round = 0; round < 10; ++round) {
    for (const auto& peer : peers_) ASSERT_TRUE(peer->SendBytes(ByteSpan(header, 1)));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  // Somebody else is served meanwhile, and has the slot of one of them.
  const auto honest = Connect(5'000);
  EXPECT_TRUE(honest->ReadUntil(commands::kVerack).has_value());
  const uint64_t hostile = GrowthSince(before_hostility);
  std::cout << "resident bytes of all that announce 4 MB and send a byte at a time: " << hostile << "\n";
  EXPECT_LE(hostile, kHostileBytesMax);
  EXPECT_EQ(node_.node().Stop(), 0) << node_.node().process().Everything();
}

}  // namespace
}  // namespace headrace::testing
