// New blocks on their way through a line of whole nodes, each connected to its neighbours: told by compact blocks, put
// together, told on. Over simulated wires, in simulated time.
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "tests/sim/node_network.h"

namespace headrace::sim {
namespace {

class RelayTest : public NodeNetworkTest {
 protected:
  static constexpr int kNodes = 5;

  void SetUp() override {
    for (int number = 0; number < kNodes; ++number) {
      SimNodeOptions options;
      if (number > 0) options.connect = {HostAt(number - 1)};
      AddNode(std::move(options));
      Start(number);
    }
  }

  // Gives the first node the block, and waits until all are on it.
  bool Spread(const ModelBlock& block, int64_t seconds) {
    tip_ = &block;
    if (!RunUntil([&] { return nodes_[0]->OfferBlock(block); }, seconds)) return false;
    return RunUntil([&] { return AllAreAtTip(); }, seconds);
  }
};

TEST_P(RelayTest, BlocksPassThroughALineOfNodesCompactly) {
  // A chain whose coins can be spent, so that blocks have transactions.
  for (int i = 0; i < 110; ++i) {
    ASSERT_TRUE(Spread(maker_.Extend(*tip_, 1), 60)) << "height " << tip_->height;
  }
  Run(10);
  constexpr uint64_t kBlocks = 20;
  std::vector<uint64_t> rebuilt_before;
  for (const auto& node : nodes_) rebuilt_before.push_back(node->Status().blocks_rebuilt);
  uint64_t transactions = 0;
  int64_t slowest_ns = 0;
  for (uint64_t i = 0; i < kBlocks; ++i) {
    Run(5);
    const int64_t start_ns = clock_.now_ns();
    ASSERT_TRUE(Spread(maker_.Extend(*tip_, 1), 60)) << "height " << tip_->height;
    slowest_ns = std::max(slowest_ns, clock_.now_ns() - start_ns);
    transactions += tip_->transactions.size() - 1;
  }
  EXPECT_GT(transactions, kBlocks / 2) << "the blocks must hold something that is to be asked for";
  Run(1);
  EXPECT_EQ(nodes_[0]->Status().blocks_rebuilt, 0u);
  for (size_t number = 1; number < nodes_.size(); ++number) {
    const NodeStatus status = nodes_[number]->Status();
    // Each has been told by its neighbour, who delivered the blocks before, and asked it for nothing else.
    EXPECT_EQ(status.blocks_rebuilt - rebuilt_before[number], kBlocks) << "node " << number;
    for (const PeerStatus& peer : status.peers) {
      EXPECT_EQ(peer.is_compact_announcer, !peer.is_inbound) << "node " << number << " of " << peer.address;
      EXPECT_EQ(peer.wants_compact, peer.is_inbound) << "node " << number << " of " << peer.address;
    }
  }
  RecordProperty("slowest_ms", static_cast<int>(slowest_ns / kNsPerMs));
}

// Two branches meet, and everybody changes sides.
TEST_P(RelayTest, AReorganisationPassesThroughTheLine) {
  for (int i = 0; i < 110; ++i) ASSERT_TRUE(Spread(maker_.Extend(*tip_, 1), 60)) << "height " << tip_->height;
  Run(10);
  const ModelBlock& fork = *tip_;
  ASSERT_TRUE(Spread(maker_.Extend(fork, 1), 60));
  const ModelBlock& winner = maker_.Extend(fork, 2);
  const ModelBlock& first = *winner.parent;
  tip_ = &winner;
  ASSERT_TRUE(RunUntil([&] { return nodes_[0]->OfferBlock(first); }, 60));
  ASSERT_TRUE(RunUntil([&] { return nodes_[0]->OfferBlock(winner); }, 60));
  EXPECT_TRUE(RunUntil([&] { return AllAreAtTip(); }, 120));
  ASSERT_TRUE(Spread(maker_.Extend(*tip_, 1), 60));
}

INSTANTIATE_TEST_SUITE_P(Seeds, RelayTest, ::testing::Values(1, 2, 3));

}  // namespace
}  // namespace headrace::sim
