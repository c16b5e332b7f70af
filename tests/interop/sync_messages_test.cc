// How many messages a sync takes, counted by a relay between two real nodes: batches of hashes by inventory, headers
// first. Needs no outside data.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/interop/counting_proxy.h"
#include "tests/interop/node_process.h"

namespace headrace::testing {
namespace {

class SyncMessagesTest : public ::testing::Test {
 protected:
  // A node that listens and has so many blocks.
  void StartSeed(uint32_t blocks) {
    const std::string file = directory_.File("chain.dat");
    const ProgramResult made =
        RunProgram({Program("headrace-chaingen"), "--output=" + file, "--blocks=" + std::to_string(blocks),
                    "--transactions-per-block=1", "--seed=11"},
                   120);
    ASSERT_EQ(made.status, 0) << made.output << made.errors;
    seed_.StartListening({"-loadblock=" + file});
    ASSERT_TRUE(seed_.WaitForHeight(blocks, 120)) << seed_.process().Everything();
  }

  TemporaryDirectory directory_;
  NodeProcess seed_{"regtest"};
};

TEST_F(SyncMessagesTest, TwelveHundredBlocksByInventoryTakeThreeBatches) {
  ASSERT_NO_FATAL_FAILURE(StartSeed(1'200));
  CountingProxy proxy(seed_.port(), 0);
  NodeProcess node("regtest");
  ASSERT_EQ(node.RunToEnd({"-connect=" + proxy.address(), "-sync=inventory", "-stopatheight=1200"}, 120), 0)
      << node.process().Everything();
  std::vector<uint64_t> batches = proxy.counts_to_node("inv");
  // Behind each of the full ones stands the seed's tip, which says that there is more.
  EXPECT_EQ(batches, (std::vector<uint64_t>{500, 1, 500, 1, 200}));
  EXPECT_EQ(proxy.messages_from_node("getblocks"), 3u);
  EXPECT_EQ(proxy.messages_from_node("getheaders"), 0u);
  EXPECT_EQ(proxy.messages_from_node("sendheaders"), 0u);
  EXPECT_EQ(proxy.blocks_delivered(), 1'200u) << "each block once";
  EXPECT_LE(proxy.blocks_in_flight_max(), 16u);
  const nlohmann::json summary = node.Summary();
  EXPECT_EQ(summary.value("blocks_downloaded", 0u), 1'200u);
  EXPECT_LE(summary.value("blocks_in_flight_max_per_peer", 99u), 16u);
  EXPECT_EQ(seed_.Stop(), 0);
  EXPECT_EQ(node.Coins(), seed_.Coins());
}

TEST_F(SyncMessagesTest, FourThousandAndOneHeadersTakeThreeMessages) {
  ASSERT_NO_FATAL_FAILURE(StartSeed(4'001));
  CountingProxy proxy(seed_.port(), 0);
  NodeProcess node("regtest");
  ASSERT_EQ(node.RunToEnd({"-connect=" + proxy.address(), "-stopatheight=4001"}, 120), 0)
      << node.process().Everything();
  EXPECT_EQ(proxy.counts_to_node("headers"), (std::vector<uint64_t>{2000, 2000, 1}));
  EXPECT_EQ(proxy.messages_from_node("getheaders"), 3u);
  EXPECT_EQ(proxy.messages_from_node("getblocks"), 0u);
  EXPECT_EQ(proxy.blocks_delivered(), 4'001u) << "each block once";
  EXPECT_EQ(seed_.Stop(), 0);
}

}  // namespace
}  // namespace headrace::testing
