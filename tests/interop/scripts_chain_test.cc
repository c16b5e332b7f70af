// The chain that holds spends of every script kind, synced from two nodes at once and compared with the unspent set that
// the reference produced.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/interop/counting_proxy.h"
#include "tests/interop/node_process.h"
#include "tests/support/data.h"

namespace headrace::testing {
namespace {

class ScriptsChainTest : public ::testing::Test {
 protected:
  void SetUp() override {
    HR_NEEDS_DATA("regtest/scripts-chain.blocks.dat");
    HR_NEEDS_DATA("regtest/scripts-chain.expected.json");
    expected_ = ScriptsChainExpected();
    height_ = expected_["height"];
  }

  void StartSeed(NodeProcess& node) const {
    node.StartListening({"-loadblock=" + ScriptsChainFile()});
    ASSERT_TRUE(node.WaitForHeight(height_, 180)) << node.process().Everything();
  }

  void ExpectTip(const nlohmann::json& coins) const {
    const nlohmann::json& facts = expected_["hash_serialized_3"];
    EXPECT_EQ(coins.value("height", 0u), height_);
    EXPECT_EQ(coins.value("bestblock", ""), facts["bestblock"]);
    EXPECT_EQ(coins.value("txouts", 0u), facts["txouts"]);
    EXPECT_EQ(coins.value("hash_serialized_3", ""), facts["hash_serialized_3"]);
    ASSERT_TRUE(coins.contains("total_amount"));
    EXPECT_EQ(Satoshis(coins["total_amount"]), Satoshis(facts["total_amount"]));
  }

  nlohmann::json expected_;
  uint32_t height_ = 0;
};

TEST_F(ScriptsChainTest, AThirdNodeSyncsFromTwoAtOnce) {
  NodeProcess first("regtest");
  NodeProcess second("regtest");
  NodeProcess third("regtest");
  StartSeed(first);
  StartSeed(second);
  ASSERT_FALSE(HasFatalFailure());
  ASSERT_EQ(third.RunToEnd({"-connect=" + first.address(), "-connect=" + second.address(),
                            "-stopatheight=" + std::to_string(height_)}, 180), 0)
      << third.process().Everything();
  EXPECT_EQ(first.Stop(), 0) << first.process().Everything();
  EXPECT_EQ(second.Stop(), 0) << second.process().Everything();
  for (NodeProcess* node : {&first, &second, &third}) ExpectTip(node->Coins());

  const nlohmann::json summary = third.Summary();
  EXPECT_EQ(summary.value("blocks_downloaded", 0u), height_);
  EXPECT_EQ(summary.value("scripts_skipped", 1u), 0u);
  EXPECT_GT(summary.value("scripts_verified", 0u), 0u);
  EXPECT_LE(summary.value("blocks_in_flight_max_per_peer", 99u), 16u);
  ASSERT_EQ(summary["peers"].size(), 2u) << summary.dump(1);
  for (const nlohmann::json& peer : summary["peers"]) {
    EXPECT_GE(peer["share"].get<double>(), 0.25) << summary["peers"].dump(1);
    EXPECT_LE(peer["blocks_in_flight_max"].get<uint32_t>(), 16u);
  }
}

TEST_F(ScriptsChainTest, MuHashAtEveryRecordedHeight) {
  NodeProcess node("regtest");
  uint32_t heights = 0;
  for (const nlohmann::json& facts : expected_["coinstats"]) {
    const uint32_t height = facts["height"];
    SCOPED_TRACE("height " + std::to_string(height));
    if (height == 0) {
      node.StartListening({});  // 0 turns -stopatheight off
      ASSERT_TRUE(node.WaitForHeight(0, 30)) << node.process().Everything();
      ASSERT_EQ(node.Stop(), 0) << node.process().Everything();
    } else {
      ASSERT_EQ(node.RunToEnd({"-connect=0", "-loadblock=" + ScriptsChainFile(), "-stopatheight=" + std::to_string(height)}, 180), 0)
          << node.process().Everything();
    }
    const nlohmann::json coins = node.Coins();
    EXPECT_EQ(coins.value("height", ~0u), height) << "stops exactly there";
    EXPECT_EQ(coins.value("bestblock", ""), facts["bestblock"]);
    EXPECT_EQ(coins.value("muhash", ""), facts["muhash"]);
    EXPECT_EQ(coins.value("txouts", ~0u), facts["txouts"]);
    ASSERT_TRUE(coins.contains("total_amount"));
    EXPECT_EQ(Satoshis(coins["total_amount"]), Satoshis(facts["total_amount"]));
    ++heights;
  }
  std::printf("compared %u heights\n", heights);
  EXPECT_GT(heights, 0u);
}

// The limit holds on the wire and is made use of. Counted by a relay between the nodes, so that a node that forgets its
// limit cannot hide it.
TEST_F(ScriptsChainTest, BlocksInFlightReachTheLimitAndNeverExceedIt) {
  NodeProcess seed("regtest");
  StartSeed(seed);
  ASSERT_FALSE(HasFatalFailure());
  for (const uint32_t limit : {1u, 16u, 17u}) {
    SCOPED_TRACE("limit " + std::to_string(limit));
    CountingProxy proxy(seed.port(), 0);
    NodeProcess node("regtest");
    ASSERT_EQ(node.RunToEnd({"-connect=" + proxy.address(), "-maxblocksintransit=" + std::to_string(limit),
                             "-stopatheight=" + std::to_string(height_)}, 180), 0)
        << node.process().Everything();
    const nlohmann::json summary = node.Summary();
    EXPECT_EQ(summary.value("blocks_in_flight_max_per_peer", 0u), limit);
    EXPECT_LE(proxy.blocks_in_flight_max(), limit);
    EXPECT_GE(proxy.blocks_in_flight_max(), 1u);
    EXPECT_EQ(proxy.blocks_delivered(), height_) << "each block once";
  }
}

}  // namespace
}  // namespace headrace::testing
