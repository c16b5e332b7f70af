#include "tests/engine/node/reorg_fixture.h"

#include "tests/reference/quiescent_coin_set.h"

namespace headrace::testing {

std::ostream& operator<<(std::ostream& out, const NodeShape& shape) { return out << shape.name; }

std::vector<NodeShape> AllShapes() {
  return {{"InlineWindow1", true, 1},       {"InlineWindow3", true, 3},       {"InlineWindow128", true, 128},
          {"InlineTiny", true, 2, true},    {"ThreadsWindow1", false, 1},     {"ThreadsWindow3", false, 3},
          {"ThreadsWindow128", false, 128}, {"ThreadsTiny", false, 128, true}};
}

TestNodeOptions ReorgFixture::Options(const NodeShape& shape) {
  TestNodeOptions options;
  options.directory = directory_.path();
  options.executor = shape.is_inline ? static_cast<Executor*>(&inline_) : threads_.get();
  PipelineOptions& pipeline = options.node.pipeline;
  pipeline.window_blocks_max = shape.window_blocks_max;
  // A checkpoint only where a test asks for it.
  pipeline.checkpoint_interval_ns = INT64_MAX;
  if (shape.has_tiny_limits) {
    pipeline.read_ahead_blocks = 2;
    pipeline.graph_blocks_max = 2;
    pipeline.ready_blocks_max = 2;
    pipeline.ahead_blocks_max = 3;
  }
  return options;
}

void ReorgFixture::CheckpointAlways(TestNodeOptions& options) {
  options.node.pipeline.checkpoint_interval_ns = 1;
  options.checkpoint_step_bytes = 1;
}

BusyBranch ReorgFixture::Base(uint32_t height, uint32_t seed, uint32_t transactions) {
  BusyBranch base(seed);
  base.Grow(height < 20 ? height : height - 20, 0);
  base.Grow(height - base.height(), transactions);
  return base;
}

void ReorgFixture::OfferFrom(TestNode& node, const BusyBranch& branch, uint32_t first_height) {
  for (uint32_t h = first_height; h <= branch.height(); ++h) node.Offer(*branch.blocks()[h - 1]);
}

void ReorgFixture::ExpectOn(TestNode& node, const BusyBranch& branch) {
  EXPECT_EQ(node.node().AppliedTip().hash, branch.tip());
  EXPECT_EQ(node.node().AppliedTip().height, branch.height());
  node.ExpectCoins(branch.chain().coins());
}

void ReorgFixture::ExpectAsIfAlone(TestNode& node, const ChainBuilder& chain) {
  const TemporaryDirectory directory;
  TestNodeOptions options = Options();
  options.directory = directory.path();
  TestNode alone(options);
  for (const auto& block : chain.blocks()) alone.Offer(*block);
  alone.RunUntilQuiet();
  EXPECT_EQ(alone.Status().reorganisations, 0u);
  const auto expected = QuiescentStatistics(alone.coin_files());
  const auto actual = QuiescentStatistics(node.coin_files());
  ASSERT_TRUE(expected.ok() && actual.ok()) << expected.status() << actual.status();
  EXPECT_EQ(actual->best, expected->best);
  EXPECT_EQ(actual->coins, expected->coins);
  EXPECT_EQ(actual->total_amount, expected->total_amount);
  EXPECT_EQ(actual->hash_serialized, expected->hash_serialized);
  EXPECT_EQ(actual->muhash, expected->muhash);
}

}  // namespace headrace::testing
