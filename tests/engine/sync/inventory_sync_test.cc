// When a batch by inventory is asked for. Whole chains that come so are in tests/engine/node.
#include "engine/sync/inventory_sync.h"

#include <algorithm>

#include "engine/base/limits.h"
#include "gtest/gtest.h"
#include "tests/support/chain_builder.h"

namespace headrace {
namespace {

using testing::ChainBuilder;
using testing::TestBlock;

class InventorySyncTest : public ::testing::Test {
 protected:
  static constexpr PeerId kPeer = 3;
  static constexpr int64_t kNow = 1'000'000'000;

  InventorySyncTest() : tree_(BlockHeader::Load(GenesisBlock(params_).data())) {
    SyncPeer& peer = peers_[kPeer];
    peer.info.id = kPeer;
    peer.info.services = kNodeNetwork | kNodeWitness;
    peer.by_inventory = true;
    while (chain_.height() < kMaxBlocksPerGetBlocks + 1) chain_.Add();
  }

  std::vector<PeerCommand> Announce(size_t first, size_t count) {
    InventoryReceived message{kPeer, {}};
    for (size_t i = 0; i < count; ++i) message.items.push_back({kInvBlock, chain_.blocks()[first + i]->hash});
    std::vector<PeerCommand> commands;
    sync_.OnInventory(message, kNow, commands);
    return commands;
  }

  // Everything that is asked for comes at once; how many blocks did.
  size_t DeliverAll() {
    size_t delivered = 0;
    for (;;) {
      std::vector<PeerCommand> commands;
      sync_.Assign(0, kNow, commands);
      if (commands.empty()) return delivered;
      for (const InventoryItem& item : std::get<SendGetData>(commands.at(0)).items) {
        const auto block = std::find_if(chain_.blocks().begin(), chain_.blocks().end(),
                                        [&](const auto& block) { return block->hash == item.hash; });
        const BlockReceived message{kPeer, (*block)->hash, (*block)->raw};
        std::vector<PeerCommand> answers;
        const auto id = sync_.OnBlock(message, kNow, (*block)->header.time_s, params_, answers, [](HeaderId) {});
        EXPECT_TRUE(id.has_value());
        EXPECT_TRUE(answers.empty());
        ++delivered;
      }
    }
  }

  const ChainParams& params_ = ParamsFor(ChainId::kRegtest);
  ChainBuilder chain_;
  HeaderTree tree_;
  SyncPeers peers_;
  InventorySync sync_{tree_, peers_, kMaxBlocksInTransitPerPeer, uint64_t{1} << 30};
};

TEST_F(InventorySyncTest, TheNextBatchIsAskedForWhenThePeerSaysThatThereIsMore) {
  std::vector<PeerCommand> commands;
  sync_.Tick(kNow, commands);
  ASSERT_EQ(commands.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<SendGetBlocks>(commands[0]));
  EXPECT_TRUE(Announce(0, kMaxBlocksPerGetBlocks).empty());
  ASSERT_EQ(DeliverAll(), kMaxBlocksPerGetBlocks);
  commands.clear();
  sync_.Tick(kNow, commands);
  EXPECT_TRUE(commands.empty()) << "not before it says so";

  const std::vector<PeerCommand> next = Announce(kMaxBlocksPerGetBlocks, 1);
  ASSERT_EQ(next.size(), 1u);
  ASSERT_TRUE(std::holds_alternative<SendGetBlocks>(next[0]));
  EXPECT_EQ(std::get<SendGetBlocks>(next[0]).locator.at(0), chain_.blocks()[kMaxBlocksPerGetBlocks - 1]->hash);
}

TEST_F(InventorySyncTest, WhatIsAnnouncedBehindAFullBatchWhileItComesIsNotAskedForTwice) {
  std::vector<PeerCommand> commands;
  sync_.Tick(kNow, commands);
  Announce(0, kMaxBlocksPerGetBlocks);
  EXPECT_TRUE(Announce(kMaxBlocksPerGetBlocks, 1).empty());
  EXPECT_EQ(DeliverAll(), kMaxBlocksPerGetBlocks) << "without what was announced: it belongs to the next batch";
}

}  // namespace
}  // namespace headrace
