// Reorganisations of every depth with full blocks, and branches that take turns in being ahead.
#include <algorithm>
#include <random>

#include "tests/engine/node/reorg_fixture.h"

namespace headrace {
namespace {

using testing::AllShapes;
using testing::BusyBranch;
using testing::NodeShape;
using testing::ReorgFixture;
using testing::TestNode;
using testing::TestNodeOptions;
using testing::TestTransaction;

struct Depth {
  uint32_t blocks;
  uint32_t transactions;  // about so many a block
  const char* name;
};

class ReorgDepthTest : public ReorgFixture, public ::testing::WithParamInterface<std::tuple<Depth, NodeShape>> {};

TEST_P(ReorgDepthTest, TheBranchWithMoreWorkWinsWhateverIsSpentAcrossTheFork) {
  const auto& [depth, shape] = GetParam();
  const uint32_t fork = 130;
  const BusyBranch base = Base(fork, 1, depth.transactions);
  BusyBranch a = base.Fork(fork, 2);
  BusyBranch b = base.Fork(fork, 3);
  // The same transactions on both branches, at other heights and in another order: their coins are made again.
  BusyBranch drafts = base.Fork(fork, 4);
  const std::vector<TestTransaction> shared = {drafts.Draft(2), drafts.Draft(2), drafts.Draft(2)};
  for (const TestTransaction& transaction : shared) a.Include(transaction);
  a.Grow(depth.blocks, depth.transactions);
  b.Grow(depth.blocks / 2 < 2 ? 0 : 1, 0);
  for (size_t i = shared.size(); i-- > 0;) b.Include(shared[i]);
  b.Grow(fork + depth.blocks - b.height(), depth.transactions);

  TestNodeOptions options = Options(shape);
  {
    TestNode node(options);
    OfferFrom(node, a, 1);
    node.RunUntilQuiet();
    ExpectOn(node, a);
    // As much work: the first seen stays.
    OfferFrom(node, b, fork + 1);
    node.RunUntilQuiet();
    ExpectOn(node, a);
    EXPECT_EQ(node.Status().reorganisations, 0u);
    b.Grow(1, depth.transactions);
    OfferFrom(node, b, b.height());
    node.RunUntilQuiet();
    ExpectOn(node, b);
    EXPECT_EQ(node.Status().reorganisations, 1u);
    ExpectAsIfAlone(node, b);
    // And back, over blocks that were applied before.
    a.Grow(2, depth.transactions);
    OfferFrom(node, a, a.height() - 1);
    node.RunUntilQuiet();
    ExpectOn(node, a);
    EXPECT_EQ(node.Status().reorganisations, 2u);
    ExpectAsIfAlone(node, a);
    ASSERT_TRUE(node.Shutdown().ok());
  }
  TestNode node(options);
  node.RunUntilQuiet();
  ExpectOn(node, a);
  EXPECT_EQ(node.Status().reorganisations, 0u);
}

std::string DepthName(const ::testing::TestParamInfo<std::tuple<Depth, NodeShape>>& info) {
  return std::get<0>(info.param).name + std::get<1>(info.param).name;
}

INSTANTIATE_TEST_SUITE_P(Shallow, ReorgDepthTest,
                         ::testing::Combine(::testing::Values(Depth{1, 60, "One"}, Depth{6, 60, "Six"}),
                                            ::testing::ValuesIn(AllShapes())),
                         DepthName);
INSTANTIATE_TEST_SUITE_P(Deep, ReorgDepthTest,
                         ::testing::Combine(::testing::Values(Depth{300, 12, "ThreeHundred"}),
                                            ::testing::Values(NodeShape{"Inline", true, 3},
                                                              NodeShape{"Threads", false, 128},
                                                              NodeShape{"Tiny", false, 128, true})),
                         DepthName);
INSTANTIATE_TEST_SUITE_P(Deepest, ReorgDepthTest,
                         ::testing::Combine(::testing::Values(Depth{1100, 6, "ElevenHundred"}),
                                            ::testing::Values(NodeShape{"Threads", false, 128})),
                         DepthName);
// Blocks of about the size that the network allows.
INSTANTIATE_TEST_SUITE_P(Full, ReorgDepthTest,
                         ::testing::Combine(::testing::Values(Depth{6, 2000, "SixFull"}),
                                            ::testing::Values(NodeShape{"Threads", false, 3})),
                         DepthName);

class ReorgAlternationTest : public ReorgFixture, public ::testing::WithParamInterface<NodeShape> {};

TEST_P(ReorgAlternationTest, BranchesThatTakeTurnsInBeingAhead) {
  std::mt19937 random(7);
  const BusyBranch base = Base(115, 5, 20);
  BusyBranch branches[] = {base.Fork(115, 6), base.Fork(115, 7), base.Fork(115, 8)};
  TestNodeOptions options = Options(GetParam());
  CheckpointAlways(options);
  TestNode node(options);
  OfferFrom(node, base, 1);
  uint32_t ahead = base.height();
  uint64_t switches = 0;
  size_t on = 0;
  for (int turn = 0; turn < 40; ++turn) {
    const size_t next = turn == 0 ? 0 : (on + 1 + random() % 2) % 3;
    BusyBranch& branch = branches[next];
    // Now and then the branch falls back first: a fork in the fork.
    if (random() % 4 == 0) {
      const uint32_t lowest = std::max<uint32_t>(base.height(), branch.height() - std::min(branch.height(), 12u));
      branch = branch.Fork(lowest + random() % (branch.height() - lowest + 1), 100 + turn);
    }
    const uint32_t first_new = base.height() + 1;
    branch.Grow(ahead + 1 + random() % 3 - branch.height(), 8);
    OfferFrom(node, branch, first_new);
    // Not always to the end: the next branch overtakes in the middle of this one.
    if (random() % 3 == 0) {
      for (uint32_t i = random() % 12; i != 0; --i) ASSERT_TRUE(node.Turn().ok());
    } else {
      node.RunUntilQuiet();
      ExpectOn(node, branch);
      if (HasFailure()) return;
    }
    switches += turn != 0 ? 1 : 0;
    ahead = branch.height();
    on = next;
  }
  node.RunUntilQuiet();
  ExpectOn(node, branches[on]);
  ExpectAsIfAlone(node, branches[on]);
  EXPECT_GT(node.Status().reorganisations, switches / 3);
}

INSTANTIATE_TEST_SUITE_P(Shapes, ReorgAlternationTest, ::testing::ValuesIn(AllShapes()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace headrace
