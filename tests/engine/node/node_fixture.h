// What the tests of the whole node share: a chain of some length, a scripted network, and the question whether a node
// is on it.
#pragma once

#include <memory>
#include <vector>

#include "engine/runtime/tbb_executor.h"
#include "gtest/gtest.h"
#include "tests/support/node/scripted_peers.h"
#include "tests/support/node/test_node.h"
#include "tests/support/temporary_directory.h"

namespace headrace::testing {

class NodeFixture : public ::testing::Test {
 protected:
  NodeFixture() : executor_(MakeTbbExecutor(2)) {
    for (int i = 0; i < 130; ++i) chain_.Add();
    chain_.Add({chain_.Spend({chain_.CoinbaseOf(5)}, 3, 1000)});
    options_.directory = directory_.path();
    options_.executor = executor_.get();
    options_.peers = &peers_;
  }

  void ExpectSynced(TestNode& node) {
    EXPECT_EQ(node.Status().applied_hash, chain_.blocks().back()->hash);
    node.ExpectCoins(chain_.coins());
  }

  // Runs until the whole chain is applied.
  void Sync(TestNode& node) {
    node.RunUntil([&] { return node.node().AppliedTip().height == chain_.height(); });
  }

  // What all peers together were asked for.
  std::vector<Hash256> Asked(std::initializer_list<PeerId> ids) {
    std::vector<Hash256> asked;
    for (PeerId id : ids) {
      const auto& of_peer = peers_.peer(id).blocks_asked;
      asked.insert(asked.end(), of_peer.begin(), of_peer.end());
    }
    return asked;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Executor> executor_;
  ChainBuilder chain_;
  ScriptedPeers peers_;
  TestNodeOptions options_;
};

}  // namespace headrace::testing
