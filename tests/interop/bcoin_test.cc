// headraced and bcoin, an independent implementation, sync real mainnet blocks from one another over TCP.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <filesystem>

#include "engine/crypto/sha256.h"
#include "engine/primitives/hash256.h"
#include "tests/interop/counting_proxy.h"
#include "tests/interop/node_process.h"
#include "tests/support/data.h"

namespace headrace::testing {
namespace {

constexpr const char* kBlocks = "mainnet/blocks-1-255.dat";

// The facts of a framed block file: how many blocks, and the last one's hash.
struct BlockFileFacts {
  uint32_t blocks = 0;
  std::string last_hash;
};

BlockFileFacts ReadFacts(const std::string& path) {
  const std::vector<uint8_t> bytes = ReadFileBytes(path);
  BlockFileFacts facts;
  for (size_t at = 0; at + 88 <= bytes.size();) {
    uint32_t size = 0;
    std::memcpy(&size, &bytes[at + 4], 4);
    facts.last_hash = Hash256(Sha256d(ByteSpan(&bytes[at + 8], 80))).ToHex();
    at += 8 + size;
    ++facts.blocks;
  }
  return facts;
}

class BcoinTest : public ::testing::Test {
 protected:
  void SetUp() override {
    HR_NEEDS_DATA(kBlocks);
    if (!std::filesystem::exists(InteropFile("node_modules/bcoin/package.json"))) {
      GTEST_SKIP() << "needs bcoin: `npm ci --ignore-scripts` in tests/interop (tools/test does it when npm is there)";
    }
    if (RunProgram({"node", "--version"}, 20).status != 0) GTEST_SKIP() << "needs node.js to run bcoin";
    blocks_file_ = DataDirectory() + "/" + kBlocks;
    facts_ = ReadFacts(blocks_file_);
    ASSERT_GT(facts_.blocks, 0u);
  }

  // A bcoin that has all blocks of the file.
  std::unique_ptr<ChildProcess> StartSeed(uint16_t port) {
    auto seed = std::make_unique<ChildProcess>(std::vector<std::string>{
        "node", InteropFile("bcoin_seed.js"), "--blocks=" + blocks_file_, "--port=" + std::to_string(port)});
    EXPECT_TRUE(seed->WaitForText("\"event\":\"ready\"", 60)) << seed->Everything();
    return seed;
  }

  // The first line of a driver's output with this event; an empty object when there is none.
  static nlohmann::json Event(ChildProcess& driver, const std::string& name) {
    std::istringstream lines(driver.Output());
    for (std::string line; std::getline(lines, line);) {
      nlohmann::json object = nlohmann::json::parse(line, nullptr, false);
      if (object.is_object() && object.value("event", "") == name) return object;
    }
    return nlohmann::json::object();
  }

  // What bcoin read out of our version message, field by field in their order. `receiver_port` is where we see bcoin.
  void ExpectOurVersion(const nlohmann::json& event, int height, uint16_t receiver_port) {
    ASSERT_TRUE(event.contains("packet"));
    const nlohmann::json& packet = event["packet"];
    constexpr int64_t kNetwork = 1, kWitness = 8;
    EXPECT_EQ(packet["version"], 70016);
    EXPECT_EQ(packet["services"], kNetwork | kWitness) << "neither less than it has, nor more";
    EXPECT_GE(packet["time"].get<int64_t>(), began_s_);
    EXPECT_LE(packet["time"].get<int64_t>(), std::time(nullptr));
    EXPECT_EQ(packet["receiver"]["services"], 0);
    EXPECT_EQ(packet["receiver"]["host"], "127.0.0.1");
    EXPECT_EQ(packet["receiver"]["port"], receiver_port);
    EXPECT_EQ(packet["sender"]["services"], packet["services"]);
    EXPECT_EQ(packet["sender"]["host"], "::");
    EXPECT_EQ(packet["sender"]["port"], 0);
    EXPECT_NE(packet["nonce"], "0000000000000000");
    EXPECT_EQ(packet["agent"], "/headrace:0.1.0/");
    EXPECT_EQ(packet["height"], height);
    EXPECT_EQ(packet["noRelay"], true) << "without a mempool transactions are not wanted";
  }

  // The fields that are drawn or taken from a clock, as they were on the wire: bytes 12 to 20 and 72 to 80 of the body.
  static void ExpectTimeAndNonceOf(const nlohmann::json& packet, const std::vector<uint8_t>& version) {
    ASSERT_EQ(version.size(), 80u);
    int64_t time_s = 0;
    std::memcpy(&time_s, &version[12], 8);
    EXPECT_EQ(packet["time"], time_s);
    std::string nonce;
    for (size_t i = 72; i < 80; ++i) {
      constexpr char kDigits[] = "0123456789abcdef";
      nonce += {kDigits[version[i] >> 4], kDigits[version[i] & 15]};
    }
    EXPECT_EQ(packet["nonce"], nonce);
  }

  std::string blocks_file_;
  BlockFileFacts facts_;
  const int64_t began_s_ = std::time(nullptr);
};

// The yardstick itself: both drivers, and the relay that other tests count with.
TEST_F(BcoinTest, BcoinSyncsFromBcoin) {
  const uint16_t port = FreePort();
  const auto seed = StartSeed(port);
  CountingProxy proxy(port, 0);
  ChildProcess bcoin({"node", InteropFile("bcoin_sync.js"), "--connect=" + proxy.address(), "--height=" + std::to_string(facts_.blocks)});
  EXPECT_EQ(bcoin.WaitForExit(60), 0) << bcoin.Everything() << seed->Everything();
  EXPECT_EQ(Event(bcoin, "synced").value("tip", ""), facts_.last_hash);
  EXPECT_EQ(proxy.blocks_delivered(), facts_.blocks);
  EXPECT_GE(proxy.blocks_in_flight_max(), 1u);
  EXPECT_LE(proxy.blocks_in_flight_max(), facts_.blocks);
}

TEST_F(BcoinTest, HeadracedSyncsFromBcoin) {
  const uint16_t port = FreePort();
  const auto seed = StartSeed(port);
  CountingProxy proxy(port, 0);
  NodeProcess node("main");
  const std::string tip = std::to_string(facts_.blocks);
  ASSERT_EQ(node.RunToEnd({"-connect=" + proxy.address(), "-minimumchainwork=0", "-stopatheight=" + tip}, 60), 0)
      << node.process().Everything() << seed->Everything();
  const nlohmann::json summary = node.Summary();
  EXPECT_EQ(summary.value("height", 0u), facts_.blocks);
  EXPECT_EQ(summary.value("best_block", ""), facts_.last_hash);
  EXPECT_EQ(Event(*seed, "ready").value("tip", ""), facts_.last_hash);
  EXPECT_EQ(summary.value("blocks_downloaded", 0u), facts_.blocks);
  const nlohmann::json coins = node.Coins();
  EXPECT_EQ(coins.value("height", 0u), facts_.blocks);
  EXPECT_EQ(coins.value("bestblock", ""), facts_.last_hash);
  const nlohmann::json version = Event(*seed, "version");
  const auto proxy_port = static_cast<uint16_t>(std::stoul(proxy.address().substr(proxy.address().find(':') + 1)));
  ExpectOurVersion(version, 0, proxy_port);
  if (version.contains("packet")) ExpectTimeAndNonceOf(version["packet"], proxy.VersionStart());
}

TEST_F(BcoinTest, HeadracedSyncsFromBcoinByInventory) {
  const uint16_t port = FreePort();
  const auto seed = StartSeed(port);
  CountingProxy proxy(port, 0);
  NodeProcess node("main");
  ASSERT_EQ(node.RunToEnd({"-connect=" + proxy.address(), "-sync=inventory", "-stopatheight=" + std::to_string(facts_.blocks)}, 60), 0)
      << node.process().Everything() << seed->Everything();
  const nlohmann::json summary = node.Summary();
  EXPECT_EQ(summary.value("best_block", ""), facts_.last_hash);
  EXPECT_EQ(summary.value("blocks_downloaded", 0u), facts_.blocks);
  EXPECT_EQ(proxy.blocks_delivered(), facts_.blocks);
  EXPECT_EQ(proxy.messages_from_node("getheaders"), 0u);
  EXPECT_GE(proxy.messages_from_node("getblocks"), 1u);
  EXPECT_LE(proxy.blocks_in_flight_max(), 16u);
}

TEST_F(BcoinTest, DefaultMinimumWorkRefusesToDownloadThisChain) {
  const uint16_t port = FreePort();
  const auto seed = StartSeed(port);
  NodeProcess node("main");
  node.Start({"-connect=127.0.0.1:" + std::to_string(port), "-debug=sync"});
  const auto says_so = [](std::string_view output) {
    return output.find("minimum") != std::string_view::npos && output.find("work") != std::string_view::npos;
  };
  EXPECT_TRUE(node.process().WaitForOutput(says_so, 60)) << node.process().Everything();
  EXPECT_EQ(node.Stop(), 0) << node.process().Everything();
  const nlohmann::json summary = node.Summary();
  ASSERT_TRUE(summary.contains("height"));
  EXPECT_EQ(summary["height"], 0);
  EXPECT_EQ(summary["blocks_downloaded"], 0);
}

TEST_F(BcoinTest, BcoinSyncsFromHeadraced) {
  NodeProcess node("main");
  node.StartListening({"-loadblock=" + blocks_file_, "-minimumchainwork=0"});
  ASSERT_TRUE(node.WaitForHeight(facts_.blocks, 60)) << node.process().Everything();
  ChildProcess bcoin({"node", InteropFile("bcoin_sync.js"), "--connect=" + node.address(), "--height=" + std::to_string(facts_.blocks)});
  EXPECT_EQ(bcoin.WaitForExit(60), 0) << bcoin.Everything() << node.process().Everything();
  const nlohmann::json synced = Event(bcoin, "synced");
  EXPECT_EQ(synced.value("height", 0u), facts_.blocks);
  EXPECT_EQ(synced.value("tip", ""), facts_.last_hash);
  const nlohmann::json version = Event(bcoin, "version");
  ExpectOurVersion(version, static_cast<int>(facts_.blocks), version.value("localPort", uint16_t{0}));
  EXPECT_EQ(node.Stop(), 0) << node.process().Everything();
}

}  // namespace
}  // namespace headrace::testing
