// Branches that peers show and deliver, or do not deliver.
#include <chrono>
#include <thread>

#include "engine/sync/block_serving.h"
#include "tests/engine/node/reorg_fixture.h"
#include "tests/support/node/scripted_peers.h"

namespace headrace {
namespace {

using testing::BusyBranch;
using testing::ReorgFixture;
using testing::ScriptedPeer;
using testing::ScriptedPeers;
using testing::TestBlock;
using testing::TestNode;
using testing::TestNodeOptions;

class ReorgPeersTest : public ReorgFixture {
 protected:
  ScriptedPeers peers_;
};

// A branch with more headers comes block by block from below; meanwhile the chain that is whole goes on. Its blocks
// must not be crowded out of the little memory there is by those of a branch that cannot be followed yet.
TEST_F(ReorgPeersTest, ABranchThatIsNotWholeYetDoesNotCrowdOutTheOneThatIs) {
  BusyBranch whole = Base(120, 1, 3);
  BusyBranch late = whole.Fork(90, 2);
  late.Grow(60, 3);
  for (const uint32_t ready_blocks_max : {1u, 2u, 8u}) {
    SCOPED_TRACE(ready_blocks_max);
    const testing::TemporaryDirectory directory;
    BusyBranch chain = whole;
    TestNodeOptions options = Options();
    options.directory = directory.path();
    options.peers = &peers_;
    options.node.pipeline.ready_blocks_max = ready_blocks_max;
    TestNode node(options);
    OfferFrom(node, chain, 1);
    node.RunUntilQuiet();
    const PeerId id = ready_blocks_max;
    ScriptedPeer& peer = peers_.Connect(id, &late.chain());
    bool delivers_all = false;
    peer.answer = [&](const TestBlock& block) { return delivers_all || block.height < 110 ? block.raw : SlabRef(); };
    const size_t wanted = 110 - 91;
    node.RunUntil([&] { return peer.blocks_asked.size() >= 16 && node.node().Status().blocks_downloaded >= wanted; });
    chain.Grow(3, 3);
    OfferFrom(node, chain, 121);
    // Not RunUntil: a node that reads and drops the same block for ever is never idle.
    for (int turn = 0; turn < 20'000 && node.node().AppliedTip().height < chain.height(); ++turn) {
      ASSERT_TRUE(node.Turn().ok());
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
    node.RunUntilNothingMoves();
    ExpectOn(node, chain);
    if (HasFailure()) return;
    // The rest comes after all, from somebody else.
    peers_.Leave(id);
    peers_.Connect(id + 100, &late.chain());
    node.RunUntil([&] { return node.node().AppliedTip().hash == late.tip(); });
    node.RunUntilQuiet();
    ExpectOn(node, late);
    peers_.Leave(id + 100);
  }
}

// A file has the end of a branch and nobody else; a peer has all that is below it. The file's blocks wait for a header that
// comes another way.
TEST_F(ReorgPeersTest, ABlockFromAFileMayStandOnOneFromAPeer) {
  BusyBranch below = Base(110, 1, 3);
  BusyBranch whole = below;
  whole.Grow(2, 3);
  TestNodeOptions options = Options();
  options.peers = &peers_;
  TestNode node(options);
  node.Offer(*whole.blocks()[111]);
  node.Offer(*whole.blocks()[110]);
  node.RunUntilQuiet();
  EXPECT_EQ(node.node().AppliedTip().height, 0u);
  peers_.Connect(1, &below.chain());
  node.RunUntil([&] { return node.node().AppliedTip().hash == whole.tip(); });
  node.RunUntilQuiet();
  ExpectOn(node, whole);
}

// Whoever was told of a block may be asking for it at the moment at which it loses to another branch.
TEST_F(ReorgPeersTest, ABlockThatLostIsServedForAMonthAndNoBlockThatNeverWasApplied) {
  const BusyBranch base = Base(110, 1, 3);
  BusyBranch lost = base.Fork(105, 2);
  lost.Grow(8, 3);
  BusyBranch winning = base.Fork(105, 3);
  winning.Grow(9, 3);
  TestNodeOptions options = Options();
  options.peers = &peers_;
  TestNode node(options);
  OfferFrom(node, lost, 1);
  node.RunUntilQuiet();
  ExpectOn(node, lost);
  OfferFrom(node, winning, 106);
  OfferFrom(node, base, 106);  // never was the best one
  node.RunUntilQuiet();
  ExpectOn(node, winning);

  ScriptedPeer& asker = peers_.Connect(1, nullptr);
  const auto at = [](const BusyBranch& branch, uint32_t height) { return branch.chain().blocks()[height - 1]->hash; };
  peers_.Say(GetDataReceived{1, {{kInvWitnessBlock, at(lost, 106)}, {kInvWitnessBlock, lost.tip()}, {kInvWitnessBlock, at(base, 106)}}});
  peers_.Say(GetHeadersReceived{1, {}, lost.tip()});
  peers_.Say(GetHeadersReceived{1, {}, base.tip()});
  node.RunUntilQuiet();
  EXPECT_EQ(asker.blocks_sent, (std::vector<Hash256>{at(lost, 106), lost.tip()}));
  ASSERT_EQ(asker.not_found_sent.size(), 1u);
  EXPECT_EQ(asker.not_found_sent[0].items.at(0).hash, at(base, 106));
  ASSERT_EQ(asker.headers_sent.size(), 1u);
  EXPECT_EQ(asker.headers_sent[0].headers.at(0).Hash(), lost.tip());

  // A header that is a month younger makes them old news.
  BlockHeader later = winning.blocks().back()->header;
  later.previous = winning.tip();
  later.time_s = lost.blocks().back()->header.time_s + uint32_t{BlockServing::kStaleBlockAgeMax_s};
  testing::MineHeader(later);
  peers_.Say(HeadersReceived{1, {later}});
  peers_.Say(GetDataReceived{1, {{kInvWitnessBlock, lost.tip()}, {kInvWitnessBlock, winning.tip()}}});
  node.RunUntilQuiet();
  EXPECT_EQ(asker.blocks_sent.back(), winning.tip());
  EXPECT_EQ(asker.not_found_sent.back().items.at(0).hash, lost.tip());
}

}  // namespace
}  // namespace headrace
