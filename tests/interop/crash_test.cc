// kill -9 at random moments of a sync: every restart goes on where the files are, and nothing is downloaded twice but what
// was under way.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "engine/base/bytes.h"
#include "tests/interop/block_file_contents.h"
#include "tests/interop/counting_proxy.h"
#include "tests/interop/node_process.h"
#include "tests/support/data.h"

namespace headrace::testing {
namespace {

constexpr int kKills = 30;
constexpr uint32_t kBlocksInTransitMax = 4;
// 30 MB of chain in about fifteen seconds: slow enough for every kill to fall into the sync.
constexpr uint64_t kBytesPerSecond = 2'000'000;
constexpr double kRunSecondsMin = 0.15;
constexpr double kRunSecondsMax = 0.75;

TEST(CrashTest, ThirtyKillsOfASyncLoseNothing) {
  HR_NEEDS_DATA("regtest/scripts-chain.blocks.dat");
  HR_NEEDS_DATA("regtest/scripts-chain.expected.json");
  const nlohmann::json expected = ScriptsChainExpected();
  const uint32_t height = expected["height"];
  NodeProcess seed("regtest");
  seed.StartListening({"-loadblock=" + ScriptsChainFile()});
  ASSERT_TRUE(seed.WaitForHeight(height, 180)) << seed.process().Everything();
  CountingProxy proxy(seed.port(), kBytesPerSecond);

  const uint64_t random_seed = std::random_device()();
  std::printf("random seed %llu\n", static_cast<unsigned long long>(random_seed));
  std::mt19937_64 random(random_seed);
  std::uniform_real_distribution<double> run_seconds(kRunSecondsMin, kRunSecondsMax);
  const std::vector<std::string> options = {"-connect=" + proxy.address(), "-checkpointinterval=1",
                                            "-maxblocksintransit=" + std::to_string(kBlocksInTransitMax)};
  const std::map<Hash256, Bytes> chain = BlocksIn(ReadFileBytes(ScriptsChainFile()));
  ASSERT_GT(chain.size(), height);
  NodeProcess node("regtest");
  // What stood whole in the block file when the node was killed: it is there for good.
  std::set<Hash256> stored;
  int runs_that_stored = 0;
  const auto expect_nothing_twice = [&] {
    for (const Hash256& hash : proxy.TakeDelivered()) EXPECT_FALSE(stored.contains(hash)) << hash.ToHex() << " was downloaded again";
  };
  for (int i = 0; i < kKills; ++i) {
    SCOPED_TRACE("kill " + std::to_string(i));
    node.Start(options);
    // It must not end by itself before it is killed.
    ASSERT_EQ(node.process().WaitForExit(run_seconds(random)), std::nullopt) << node.process().Everything();
    node.process().Signal(SIGKILL);
    ASSERT_EQ(node.process().WaitForExit(20), 128 + SIGKILL);
    expect_nothing_twice();
    const std::string block_file = node.network_directory() + "/blocks/blk00000.dat";
    if (!std::filesystem::exists(block_file)) continue;
    const size_t stored_before = stored.size();
    for (const auto& [hash, bytes] : BlocksIn(ReadFileBytes(block_file))) {
      if (chain.at(hash) == bytes) stored.insert(hash);
    }
    runs_that_stored += stored.size() > stored_before ? 1 : 0;
  }
  const uint64_t delivered_before_the_last_run = proxy.blocks_delivered();
  std::vector<std::string> to_the_end = options;
  to_the_end.push_back("-stopatheight=" + std::to_string(height));
  ASSERT_EQ(node.RunToEnd(to_the_end, 120), 0) << node.process().Everything();
  expect_nothing_twice();

  const nlohmann::json coins = node.Coins();
  EXPECT_EQ(coins.value("height", 0u), height);
  EXPECT_EQ(coins.value("hash_serialized_3", ""), expected["hash_serialized_3"]["hash_serialized_3"]);
  std::printf("%llu blocks delivered before the last run, %llu in all, chain of %u, %llu connections, %d runs stored something\n",
              static_cast<unsigned long long>(delivered_before_the_last_run),
              static_cast<unsigned long long>(proxy.blocks_delivered()), height,
              static_cast<unsigned long long>(proxy.connections()), runs_that_stored);
  EXPECT_GT(runs_that_stored, 0) << "no kill came after a block was stored: the test proves nothing";
}

}  // namespace
}  // namespace headrace::testing
