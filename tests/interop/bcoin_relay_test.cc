// New blocks with transactions, mined by one bcoin, reach another through headraced: by compact blocks on both ways.
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "gtest/gtest.h"
#include "tests/interop/rpc_node.h"

namespace headrace::testing {
namespace {

constexpr uint32_t kRelayedBlocks = 6;

nlohmann::json LineWithEvent(ChildProcess& driver, const std::string& name) {
  std::istringstream lines(driver.Output());
  for (std::string line; std::getline(lines, line);) {
    nlohmann::json object = nlohmann::json::parse(line, nullptr, false);
    if (object.is_object() && object.value("event", "") == name) return object;
  }
  return nlohmann::json::object();
}

TEST(BcoinRelayTest, BlocksPassFromBcoinToBcoinCompactly) {
  if (!std::filesystem::exists(InteropFile("node_modules/bcoin/package.json"))) {
    GTEST_SKIP() << "needs bcoin: `npm ci --ignore-scripts` in tests/interop (tools/test does it when npm is there)";
  }
  if (RunProgram({"node", "--version"}, 20).status != 0) GTEST_SKIP() << "needs node.js to run bcoin";
  RpcNode node;
  node.Start();
  ChildProcess bcoins({"node", InteropFile("bcoin_relay.js"), "--connect=" + node.node().address(),
                       "--blocks=" + std::to_string(kRelayedBlocks)});
  ASSERT_TRUE(bcoins.WaitForText("\"event\":\"relayed\"", 120))
      << bcoins.Everything() << node.node().process().Everything();
  const nlohmann::json relayed = LineWithEvent(bcoins, "relayed");
  EXPECT_EQ(node.Text({"getbestblockhash"}), relayed.value("tip", ""));
  // Of each of the new blocks, but for the first, which showed who delivers, the miner was asked for transactions and
  // not for the whole; the follower was told by a compact block and got what it asked for.
  const nlohmann::json miner = relayed["miner"];
  const nlohmann::json follower = relayed["follower"];
  EXPECT_GE(miner.value("getblocktxn", 0u), kRelayedBlocks - 1) << relayed;
  EXPECT_GE(follower.value("cmpctblock", 0u), kRelayedBlocks) << relayed;
  EXPECT_GE(follower.value("blocktxn", 0u), kRelayedBlocks) << relayed;
  EXPECT_EQ(follower.value("notfound", 0u), 0u) << relayed;
  // Both are still there, and both asked to be told at once; one delivered.
  const Json peers = node.Value({"getpeerinfo"});
  ASSERT_EQ(peers.size(), 2u);
  int announcers = 0;
  for (const Json& peer : peers) {
    EXPECT_EQ(peer["bip152_hb_from"], true);
    announcers += peer["bip152_hb_to"] == true ? 1 : 0;
  }
  EXPECT_EQ(announcers, 1);
  EXPECT_EQ(node.node().Stop(), 0);
}

}  // namespace
}  // namespace headrace::testing
