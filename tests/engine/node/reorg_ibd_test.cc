// Reorganisations while the store is far ahead of the verdicts: blocks by the dozen are resolved, their scripts wait on
// the workers, and a checkpoint is under way.
#include <algorithm>
#include <filesystem>
#include <functional>

#include "tests/engine/node/reorg_fixture.h"
#include "tests/support/holding_executor.h"

namespace headrace {
namespace {

using testing::BusyBranch;
using testing::HoldingExecutor;
using testing::ReorgFixture;
using testing::TestNode;
using testing::TestNodeOptions;

class ReorgAheadTest : public ReorgFixture {
 protected:
  static constexpr uint32_t kFork = 150;

  ReorgAheadTest() : base_(Base(kFork, 1, 8)), a_(base_.Fork(kFork, 2)), b_(base_.Fork(kFork, 3)) {}

  // Nothing that was not applied before is ever named by a manifest.
  static void TurnUntil(TestNode& node, const std::function<bool()>& done) {
    uint32_t highest_applied = 0;
    node.RunUntil([&] {
      highest_applied = std::max(highest_applied, node.node().AppliedTip().height);
      EXPECT_LE(node.coins().durable().height, highest_applied);
      return done();
    });
  }

  // Resolves all of `branch`, with scripts held from somewhere below the fork on.
  void ResolveAhead(TestNode& node, const BusyBranch& branch, uint32_t resolved_height) {
    OfferFrom(node, branch, 1);
    TurnUntil(node, [&] { return node.node().Status().resolved_height == resolved_height; });
    node.RunUntilNothingMoves();
    EXPECT_LT(node.node().AppliedTip().height, kFork);
  }

  BusyBranch base_;
  BusyBranch a_;
  BusyBranch b_;
};

TEST_F(ReorgAheadTest, ABetterBranchThatArrivesMeanwhileIsFollowed) {
  a_.Grow(60, 8);
  b_.Grow(61, 8);
  HoldingExecutor holding(*threads_, 12);
  TestNodeOptions options = Options();
  options.executor = &holding;
  CheckpointAlways(options);
  TestNode node(options);
  ResolveAhead(node, a_, a_.height());
  EXPECT_TRUE(node.coins().checkpoint_under_way());
  OfferFrom(node, b_, kFork + 1);
  node.RunUntilNothingMoves();
  EXPECT_LT(node.node().AppliedTip().height, kFork);
  holding.LetGo();
  TurnUntil(node, [&] { return node.node().AppliedTip().hash == b_.tip(); });
  node.RunUntilQuiet();
  ExpectOn(node, b_);
  EXPECT_EQ(node.Status().reorganisations, 1u);
  ExpectAsIfAlone(node, b_);
}

// A script that fails at one of many heights under sixty resolved blocks: below the fork, at it, above it, at the end.
// The checkpoint that had copied higher shards is abandoned, and what a kill leaves leads back to the same chain.
TEST_F(ReorgAheadTest, ABadScriptUnderManyResolvedBlocksAbandonsTheCheckpoint) {
  for (const uint32_t bad_height : {kFork - 5, kFork + 1, kFork + 30, kFork + 60}) {
    SCOPED_TRACE(bad_height);
    const testing::TemporaryDirectory directory;
    BusyBranch good = base_.Fork(std::min(bad_height - 1, kFork), 20);
    good.Grow(bad_height - 1 - good.height(), 8);
    BusyBranch bad = good;
    bad.GrowBad(BusyBranch::Offence::kBadScript, 8);
    bad.Grow(kFork + 60 - bad.height(), 8);
    HoldingExecutor holding(*threads_, 12);
    TestNodeOptions options = Options();
    options.directory = directory.path();
    options.executor = &holding;
    CheckpointAlways(options);
    {
      TestNode node(options);
      ResolveAhead(node, bad, bad.height());
      EXPECT_TRUE(node.coins().checkpoint_under_way());
      holding.LetGo();
      TurnUntil(node, [&] { return node.node().AppliedTip().hash == good.tip(); });
      node.RunUntilNothingMoves();
      ExpectOn(node, good);
    }
    options.executor = threads_.get();
    BusyBranch third = good.Fork(std::min(good.height(), kFork - 10), 30);
    third.Grow(good.height() + 2 - third.height(), 8);
    TestNode node(options);
    OfferFrom(node, third, 1);
    node.RunUntilQuiet();
    ExpectOn(node, third);
    if (HasFailure()) return;
  }
}

// The same while leaving a branch: a checkpoint whose shards were copied on it must not be published above the fork.
TEST_F(ReorgAheadTest, ADisconnectBelowTheCopiedShardsAbandonsTheCheckpoint) {
  a_.Grow(20, 8);
  BusyBranch longer = a_;
  longer.Grow(1, 8);
  b_.Grow(22, 8);
  {
    TestNode node(Options());
    OfferFrom(node, a_, 1);
    node.RunUntilQuiet();
    ASSERT_TRUE(node.Shutdown().ok());
  }
  uint32_t under_way = 0;
  for (uint32_t turns = 0; turns < 60; turns += 6) {
    SCOPED_TRACE(turns);
    const testing::TemporaryDirectory directory;
    std::filesystem::copy(directory_.path(), directory.path(), std::filesystem::copy_options::recursive);
    TestNodeOptions options = Options({"", true, 128});
    options.directory = directory.path();
    options.node.pipeline.checkpoint_interval_ns = 1;
    // Thirteen steps a checkpoint: some are under way when the branch is left, some are through.
    options.checkpoint_step_bytes = 20 * 8192;
    {
      TestNode node(options);
      node.Offer(*longer.blocks().back());
      for (uint32_t i = 0; i < turns; ++i) ASSERT_TRUE(node.Turn().ok());
      under_way += node.coins().checkpoint_under_way() ? 1 : 0;
      OfferFrom(node, b_, kFork + 1);
      node.RunUntil([&] { return node.node().AppliedTip() == BlockPoint{base_.tip(), kFork}; });
      // No manifest came on the way down: what was copied on the branch was given up with it.
      EXPECT_GE(node.coins().durable().height, kFork + 20);
      if (turns % 12 == 0) {
        // Killed at the fork, or else when the next manifest has come: all of it is of the new branch.
        const BlockPoint before = node.coins().durable();
        node.RunUntil([&] { return !(node.coins().durable() == before); });
        const BlockPoint after = node.coins().durable();
        ASSERT_LE(after.height, b_.height());
        EXPECT_EQ(after.hash, b_.blocks()[after.height - 1]->hash);
      }
    }
    TestNode node(options);
    node.RunUntilQuiet();
    ExpectOn(node, b_);
    if (HasFailure()) return;
  }
  EXPECT_GT(under_way, 0u);
}

}  // namespace
}  // namespace headrace
