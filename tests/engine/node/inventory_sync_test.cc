// A chain by inventory: batches of 500 hashes, from peers that are honest, forgetful, silent and hostile.
#include <set>

#include "engine/base/limits.h"
#include "tests/engine/node/node_fixture.h"

namespace headrace {
namespace {

using testing::ChainBuilder;
using testing::NodeFixture;
using testing::ScriptedPeer;
using testing::TestNode;

constexpr uint32_t kBlocks = 1'200;

class InventorySyncTest : public NodeFixture {
 protected:
  InventorySyncTest() {
    while (chain_.height() < kBlocks) chain_.Add();
    options_.node.syncs_by_inventory = true;
  }

  // As Sync, with time passing.
  void SyncInTime(TestNode& node, int64_t seconds_a_look) {
    for (int look = 0; look < 40 && node.node().AppliedTip().height != chain_.height(); ++look) {
      node.RunUntilNothingMoves();
      node.PassTime(seconds_a_look);
    }
  }
};

TEST_F(InventorySyncTest, TwelveHundredBlocksComeAsFiveHundredFiveHundredAndTwoHundred) {
  ScriptedPeer& peer = peers_.Connect(1, &chain_);
  TestNode node(options_);
  Sync(node);
  ExpectSynced(node);
  EXPECT_EQ(peer.batch_sizes, (std::vector<size_t>{500, 500, 200}));
  EXPECT_EQ(peer.batches_asked, 3u);
  EXPECT_EQ(peer.headers_asked, 0u);
  EXPECT_EQ(peer.blocks_asked.size(), kBlocks) << "each once";
  EXPECT_LE(node.Status().blocks_in_flight_max_per_peer, kMaxBlocksInTransitPerPeer);
  EXPECT_GT(node.Status().blocks_in_flight_max_per_peer, 1u);
  // What it announces later is asked for as well.
  chain_.Add();
  peers_.Say(InventoryReceived{1, {{kInvBlock, chain_.blocks().back()->hash}}});
  Sync(node);
  ExpectSynced(node);
  // And what an announcement is too far ahead of.
  for (int i = 0; i < 3; ++i) chain_.Add();
  peers_.Say(InventoryReceived{1, {{kInvBlock, chain_.blocks().back()->hash}}});
  Sync(node);
  ExpectSynced(node);
  EXPECT_EQ(peer.headers_asked, 0u);
}

TEST_F(InventorySyncTest, APeerThatForgetsToSayThatThereIsMoreIsAskedAllTheSame) {
  ScriptedPeer& peer = peers_.Connect(1, &chain_);
  peer.forgets_to_continue = true;
  TestNode node(options_);
  SyncInTime(node, 2);
  ExpectSynced(node);
  EXPECT_EQ(peer.batch_sizes, (std::vector<size_t>{500, 500, 200}));
}

TEST_F(InventorySyncTest, HeadersAheadOfWhatIsHereAreAnnouncements) {
  ScriptedPeer& peer = peers_.Connect(1, &chain_);
  TestNode node(options_);
  for (uint32_t height = 700; height < 730; ++height) {
    peers_.Say(HeadersReceived{1, {chain_.blocks()[height - 1]->header}});
  }
  SyncInTime(node, 2);
  ExpectSynced(node);
  EXPECT_FALSE(peer.is_disconnected) << peer.disconnect_reason;
  EXPECT_EQ(peer.headers_asked, 0u);
}

TEST_F(InventorySyncTest, ANamedPeerThatDoesNotAnswerGetheadersIsAskedByInventory) {
  options_.node.syncs_by_inventory = false;
  ScriptedPeer& named = peers_.Connect(1, &chain_, 0, PeerKind::kManual);
  named.ignores_getheaders = true;
  ScriptedPeer& other = peers_.Connect(2, &chain_, 0, PeerKind::kFullRelay);
  other.ignores_getheaders = true;
  TestNode node(options_);
  SyncInTime(node, 10);
  ExpectSynced(node);
  EXPECT_FALSE(named.is_disconnected);
  EXPECT_EQ(named.headers_asked, 1u);
  EXPECT_EQ(named.batch_sizes, (std::vector<size_t>{500, 500, 200}));
  EXPECT_TRUE(other.is_disconnected) << "of those that the node chose itself, another is found";
  EXPECT_EQ(other.batches_asked, 0u);
}

TEST_F(InventorySyncTest, OneThatSendsNoBlocksIsLeftForTheNext) {
  ScriptedPeer& silent = peers_.Connect(1, &chain_);
  silent.answer = [](const testing::TestBlock& block) { return block.height <= 700 ? block.raw : nullptr; };
  ScriptedPeer& honest = peers_.Connect(2, &chain_);
  TestNode node(options_);
  SyncInTime(node, 10);
  ExpectSynced(node);
  EXPECT_TRUE(silent.is_disconnected);
  EXPECT_FALSE(honest.is_disconnected);
  EXPECT_EQ(honest.batch_sizes, (std::vector<size_t>{500, 1})) << "from where the other left off, its last block first";
}

TEST_F(InventorySyncTest, OneThatLacksWhatItAnnouncedIsLeftForTheNext) {
  ScriptedPeer& lacking = peers_.Connect(1, &chain_);
  lacking.has_lost_its_blocks = true;
  peers_.Connect(2, &chain_);
  TestNode node(options_);
  SyncInTime(node, 10);
  ExpectSynced(node);
}

// The header that a bad copy brought is good, and whoever has the block too must still be found.
TEST_F(InventorySyncTest, ABadCopyOfTheTipIsReplacedByOneFromTheNextPeer) {
  chain_.TruncateTo(200);
  const uint32_t last = chain_.height();
  ScriptedPeer& hostile = peers_.Connect(1, &chain_);
  hostile.answer = [last](const testing::TestBlock& block) {
    return block.height == last ? Slab::Copy(block.raw->bytes().first(100)) : block.raw;
  };
  peers_.Connect(2, &chain_);
  TestNode node(options_);
  SyncInTime(node, 10);
  ExpectSynced(node);
  EXPECT_TRUE(hostile.is_disconnected);
}

TEST_F(InventorySyncTest, HashesWithoutEndCostBoundedMemoryAndBlocksThatWereNotAskedForNothing) {
  TestNode node(options_);
  peers_.Connect(1, nullptr);
  uint8_t salt = 0;
  for (int message = 0; message < 20; ++message) {
    InventoryReceived flood{1, {}};
    for (uint32_t i = 0; i < 5'000; ++i) {
      Hash256 hash = chain_.blocks().back()->hash;
      hash.bytes[0] = ++salt;
      hash.bytes[1] = static_cast<uint8_t>(i);
      hash.bytes[2] = static_cast<uint8_t>(i >> 8);
      flood.items.push_back({kInvBlock, hash});
    }
    peers_.Say(std::move(flood));
    peers_.Say(BlockReceived{1, chain_.blocks()[0]->hash, chain_.blocks()[0]->raw});
    node.RunUntilNothingMoves();
  }
  EXPECT_EQ(peers_.peer(1).blocks_asked.size(), kMaxBlocksInTransitPerPeer);
  EXPECT_EQ(node.node().AppliedTip().height, 0u);
  // It delivers none of them, and the next peer is asked.
  peers_.Connect(2, &chain_);
  SyncInTime(node, 10);
  ExpectSynced(node);
  EXPECT_TRUE(peers_.peer(1).is_disconnected);
}

}  // namespace
}  // namespace headrace
