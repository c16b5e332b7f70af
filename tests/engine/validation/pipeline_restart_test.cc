// What a node comes back to: which of two equal branches, and which scripts it still has to look at.

#include "engine/consensus/chain_params.h"
#include "gtest/gtest.h"
#include "tests/engine/validation/pipeline_fixture.h"

namespace headrace {
namespace {

using testing::ChainBuilder;
using testing::TemporaryDirectory;
using testing::TestNode;
using testing::TestNodeOptions;

class PipelineRestartTest : public PipelineTest {};

TEST_F(PipelineRestartTest, ARestartStaysOnItsBranchWhereTwoAreEqual) {
  ChainBuilder chain;
  Grow(chain, 20);
  ChainBuilder other = chain;
  Grow(chain, 3);
  Grow(other, 3, 1);
  for (const bool other_first : {false, true}) {
    SCOPED_TRACE(other_first);
    TemporaryDirectory directory;
    TestNodeOptions options = Options();
    options.directory = directory.path();
    const ChainBuilder& first = other_first ? other : chain;
    const ChainBuilder& second = other_first ? chain : other;
    {
      TestNode node(options);
      // The loser's headers come first, its last block last.
      OfferFrom(node, chain, 1);
      node.Offer(*second.blocks()[20]);
      node.Offer(*second.blocks()[21]);
      OfferFrom(node, first, 21);
      node.RunUntilQuiet();
      node.Offer(*second.blocks()[22]);
      node.RunUntilQuiet();
      ASSERT_TRUE(node.Shutdown().ok());
    }
    TestNode once(options);
    const Hash256 tip = once.Status().applied_hash;
    once.RunUntilQuiet();
    EXPECT_EQ(once.Status().applied_hash, tip);
    EXPECT_EQ(once.Status().reorganisations, 0u);
  }
}

// The checkpoint may be further down than the branches part: the tip above it that was followed counts then.
TEST_F(PipelineRestartTest, ARecoveryStaysOnItsBranchWhereTwoAreEqual) {
  ChainBuilder chain;
  Grow(chain, 20);
  ChainBuilder other = chain;
  Grow(chain, 1);
  TestNodeOptions options = Options();
  {
    TestNode node(options);
    OfferFrom(node, chain, 1);
    node.RunUntilQuiet();
    ASSERT_TRUE(node.Shutdown().ok());
  }
  Grow(chain, 2);
  Grow(other, 3, 1);
  {
    options.node.pipeline.checkpoint_interval_ns = INT64_MAX;
    TestNode node(options);
    node.Offer(*other.blocks()[20]);
    for (uint32_t height = 22; height <= 23; ++height) {
      node.Offer(*chain.blocks()[height - 1]);
      node.RunUntilQuiet();
      node.Offer(*other.blocks()[height - 1]);
      node.RunUntilQuiet();
    }
    ASSERT_EQ(node.Status().applied_hash, chain.blocks().back()->hash);
    // No word of farewell: the unspent set on disk is at height 21.
  }
  TestNode again(options);
  again.RunUntilQuiet();
  EXPECT_EQ(again.Status().applied_hash, chain.blocks().back()->hash);
  EXPECT_EQ(again.Status().reorganisations, 0u);
  again.ExpectCoins(chain.coins());
}

// Scripts that were assumed good are not remembered as verified.
TEST_F(PipelineRestartTest, WhoNoLongerAssumesVerifiesWhatWasAssumed) {
  ChainParams params = ParamsFor(ChainId::kRegtest);
  params.target_spacing_s = 24 * 60 * 60;
  ChainBuilder chain;
  Grow(chain, 130);
  TestNodeOptions options = Options();
  options.params = &params;
  options.node.pipeline.assume_valid.block = chain.blocks().back()->hash;
  uint64_t assumed = 0;
  {
    TestNode node(options);
    OfferFrom(node, chain, 1);
    node.RunUntilQuiet();
    ASSERT_EQ(node.Status().applied_height, chain.height());
    assumed = node.Status().scripts_skipped;
    ASSERT_GT(assumed, 0u);
    ASSERT_TRUE(node.Shutdown().ok());
  }
  options.reindex_chainstate = true;
  options.node.pipeline.assume_valid.block = Hash256();
  TestNode node(options);
  node.RunUntilQuiet();
  EXPECT_EQ(node.Status().applied_height, chain.height());
  EXPECT_EQ(node.Status().scripts_verified, assumed);
}

}  // namespace
}  // namespace headrace
