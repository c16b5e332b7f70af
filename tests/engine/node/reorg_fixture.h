// What the tests of reorganisations share: branches over one base, nodes in every shape, and the two questions asked at
// each end: does the store hold what a naive set holds, and what a node holds that never saw the losing branch?
#pragma once

#include <memory>
#include <ostream>
#include <string>

#include "engine/runtime/tbb_executor.h"
#include "gtest/gtest.h"
#include "tests/support/busy_branch.h"
#include "tests/support/inline_executor.h"
#include "tests/support/node/test_node.h"
#include "tests/support/temporary_directory.h"

namespace headrace::testing {

// How a node is set up: the workers, the size of a window, and how much may wait in memory.
struct NodeShape {
  std::string name;
  bool is_inline = false;
  uint32_t window_blocks_max = 128;
  bool has_tiny_limits = false;
};
std::ostream& operator<<(std::ostream& out, const NodeShape& shape);

// Both executors, windows of 1, 3 and 128 blocks, and rings that hold next to nothing.
std::vector<NodeShape> AllShapes();

class ReorgFixture : public ::testing::Test {
 protected:
  ReorgFixture() : threads_(MakeTbbExecutor(2)) {}

  TestNodeOptions Options(const NodeShape& shape = {"threads"});
  // Checkpoints as often as can be, a shard at a time.
  static void CheckpointAlways(TestNodeOptions& options);

  // A base of `height` blocks whose last ones spend and make many coins.
  static BusyBranch Base(uint32_t height, uint32_t seed, uint32_t transactions);
  static void OfferFrom(TestNode& node, const BusyBranch& branch, uint32_t first_height);
  // The node's tip is the branch's, and its coins are the branch's, by every measure.
  static void ExpectOn(TestNode& node, const BusyBranch& branch);
  // The hashes of the whole set are those of a new node that was shown this chain alone.
  void ExpectAsIfAlone(TestNode& node, const ChainBuilder& chain);
  void ExpectAsIfAlone(TestNode& node, const BusyBranch& branch) { ExpectAsIfAlone(node, branch.chain()); }

  TemporaryDirectory directory_;
  InlineExecutor inline_;
  std::unique_ptr<Executor> threads_;
};

}  // namespace headrace::testing
