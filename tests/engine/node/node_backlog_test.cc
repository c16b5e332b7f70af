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
