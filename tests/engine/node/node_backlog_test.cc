// What waits between the network and the node: messages while memory is full, and the goodbye of a peer that was sent
// away.
#include <set>

#include "tests/engine/node/node_fixture.h"
#include "tests/support/holding_executor.h"
#include "tests/support/inline_executor.h"

namespace headrace {
namespace {

using testing::ChainBuilder;
using testing::HoldingExecutor;
using testing::InlineExecutor;
using testing::NodeFixture;
using testing::ScriptedPeer;
using testing::TemporaryDirectory;
using testing::TestNode;

class NodeBacklogTest : public NodeFixture {
 protected:
  // Workers that are done at once: what happens in which turn does not depend on threads.
  InlineExecutor inline_executor_;
};

// Memory is bounded because nothing is taken from peers, whose sockets then fill, while blocks cannot go on.
TEST_F(NodeBacklogTest, MessagesWaitWhileThePipelineHoldsMoreThanItsBudget) {
  PeerId id = 0;
  for (const uint64_t budget_bytes : {uint64_t{512} << 20, uint64_t{1}}) {
    SCOPED_TRACE(budget_bytes);
    const bool is_too_much = budget_bytes == 1;
    TemporaryDirectory directory;
    HoldingExecutor holding(inline_executor_, 0);
    options_.directory = directory.path();
    options_.executor = &holding;
    options_.node.download.budget_bytes = budget_bytes;
    ScriptedPeer& peer = peers_.Connect(++id, &chain_);
    TestNode node(options_);
    node.RunUntil([&] { return peer.blocks_asked.size() == chain_.height(); });
    node.RunUntilNothingMoves();
    ASSERT_EQ(node.node().AppliedTip().height, chain_.height() - 1)
        << "the last block, with its scripts, must be held back";

    peers_.Say(GetHeadersReceived{id, {chain_.blocks()[0]->hash}, Hash256()});
    node.RunUntilNothingMoves();
    EXPECT_EQ(peer.headers_sent.size(), is_too_much ? 0u : 1u);

    holding.LetGo();
    Sync(node);
    node.RunUntilQuiet();
    EXPECT_EQ(peer.headers_sent.size(), 1u);
    ExpectSynced(node);
    peers_.Leave(id);
  }
}

// Everything that belongs to a block counts, and not its bytes alone: of small blocks columns are most.
TEST_F(NodeBacklogTest, WhatWaitsForAMissingBlockStaysWithinTheBudget) {
  options_.executor = &inline_executor_;
  constexpr uint64_t kBudget = 256 << 10;
  options_.node.download.budget_bytes = kBudget;
  options_.node.pipeline.ready_bytes_max = kBudget / 8;
  options_.node.pipeline.ahead_bytes_max = kBudget / 8;
  options_.node.pipeline.moving_bytes_max = kBudget / 4;
  options_.node.pipeline.kept_below_bytes = kBudget / 16;
  options_.node.pipeline.window_bytes_max = 4 << 10;
  ChainBuilder chain;
  while (chain.height() < 500) chain.Add();
  // Behind enough others that the node knows how large blocks are.
  constexpr uint32_t kMissing = 61;
  const Hash256 missing = chain.blocks()[kMissing - 1]->hash;
  ScriptedPeer& peer = peers_.Connect(1, &chain);
  peer.answer = [&](const testing::TestBlock& block) { return block.hash == missing ? SlabRef() : block.raw; };
  TestNode node(options_);
  uint64_t most = 0;
  const auto look = [&] { most = std::max(most, node.node().Status().block_memory.total_bytes()); };
  // All but one are asked for and come: what waits in memory gives way to what comes.
  node.RunUntil([&] {
    look();
    return peer.blocks_asked.size() == chain.height();
  });
  for (int turn = 0; turn < 60; ++turn) {
    ASSERT_TRUE(node.Turn().ok());
    look();
  }
  EXPECT_EQ(node.node().AppliedTip().height, kMissing - 1);
  // When the disk has what it was given, what is left waits, and its columns are most of it.
  BlockMemory waiting;
  node.RunUntil([&] {
    waiting = node.node().Status().block_memory;
    return waiting.slab_bytes + waiting.working_bytes <= options_.node.pipeline.ready_bytes_max;
  });
  EXPECT_GE(waiting.slab_bytes + waiting.working_bytes, options_.node.pipeline.ready_bytes_max / 2);
  EXPECT_LE(most, kBudget + kBudget / 10);

  peers_.Connect(2, &chain);
  node.RunUntil([&] {
    look();
    return node.node().AppliedTip().height == chain.height();
  });
  EXPECT_LE(most, kBudget + kBudget / 10);
  node.RunUntilQuiet();
  const BlockMemory left = node.Status().block_memory;
  EXPECT_EQ(left.slab_bytes, 0u) << "the disk has them all";
  EXPECT_EQ(left.working_bytes, 0u);
  EXPECT_GT(left.pool_bytes, 0u);
  EXPECT_LE(left.pool_bytes, options_.node.pipeline.kept_below_bytes);
  node.ExpectCoins(chain.coins());
}

// Its goodbye stands behind all that came in before, and may be a long time coming.
TEST_F(NodeBacklogTest, WhatAPeerWasAskedForIsAskedOfOthersWhenItIsSentAway) {
  options_.executor = &inline_executor_;
  ChainBuilder chain;
  // As many as a peer is asked for before its first block.
  while (chain.height() < 8) chain.Add();
  const testing::TestBlock& first = *chain.blocks().front();
  ScriptedPeer& hostile = peers_.Connect(1, &chain);
  hostile.goodbye_is_late = true;
  hostile.answer = [](const testing::TestBlock&) { return SlabRef(); };
  TestNode node(options_);
  node.RunUntil([&] { return hostile.blocks_asked.size() == chain.height(); });
  ScriptedPeer& honest = peers_.Connect(2, &chain);
  peers_.Say(HeadersReceived{2, {chain.blocks().back()->header}});
  ASSERT_TRUE(node.Turn().ok());
  EXPECT_TRUE(honest.blocks_asked.empty()) << "everything was asked of the other one";

  peers_.Say(BlockReceived{1, first.hash, Slab::Copy(first.raw->bytes().first(100))});
  node.RunUntil([&] { return hostile.is_disconnected; });
  EXPECT_TRUE(hostile.is_discouraged);
  // At once, and not when it has stalled the download for seconds.
  ASSERT_TRUE(node.Turn().ok());
  EXPECT_EQ(std::set<Hash256>(honest.blocks_asked.begin(), honest.blocks_asked.end()).size(), chain.height());
  node.RunUntil([&] { return node.node().AppliedTip().height == chain.height(); });
  peers_.Leave(1);
  node.RunUntilQuiet();
  EXPECT_EQ(node.Status().applied_hash, chain.blocks().back()->hash);
  EXPECT_EQ(hostile.blocks_asked.size(), chain.height());
}

}  // namespace
}  // namespace headrace
