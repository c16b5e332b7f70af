// kill -9 at random moments of a sync: every restart goes on where the files are, and nothing is downloaded twice but what
// was under way.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <random>
#include <thread>

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
  NodeProcess node("regtest");
  for (int i = 0; i < kKills; ++i) {
    SCOPED_TRACE("kill " + std::to_string(i));
    node.Start(options);
    // It must not end by itself before it is killed.
    ASSERT_EQ(node.process().WaitForExit(run_seconds(random)), std::nullopt) << node.process().Everything();
    node.process().Signal(SIGKILL);
    ASSERT_EQ(node.process().WaitForExit(20), 128 + SIGKILL);
  }
  const uint64_t delivered_before_the_last_run = proxy.blocks_delivered();
  std::vector<std::string> to_the_end = options;
  to_the_end.push_back("-stopatheight=" + std::to_string(height));
  ASSERT_EQ(node.RunToEnd(to_the_end, 120), 0) << node.process().Everything();

  const nlohmann::json coins = node.Coins();
  EXPECT_EQ(coins.value("height", 0u), height);
  EXPECT_EQ(coins.value("hash_serialized_3", ""), expected["hash_serialized_3"]["hash_serialized_3"]);
  // A killed run may lose the blocks in flight and as many that had arrived and were not written yet.
  std::printf("%llu blocks delivered before the last run, %llu in all, chain of %u, %llu connections\n",
              static_cast<unsigned long long>(delivered_before_the_last_run),
              static_cast<unsigned long long>(proxy.blocks_delivered()), height,
              static_cast<unsigned long long>(proxy.connections()));
  EXPECT_LE(proxy.blocks_delivered(), height + uint64_t{kKills} * 2 * kBlocksInTransitMax);
  EXPECT_GT(delivered_before_the_last_run, 0u) << "no kill came after a block: the test proves nothing";
}

}  // namespace
}  // namespace headrace::testing
