// SIGKILL at the moments that matter: while blocks are imported and downloaded, while a checkpoint is written, while
// the node stops.
#include <gtest/gtest.h>
#include <sys/inotify.h>

#include "tests/interop/block_file_contents.h"
#include "tests/interop/counting_proxy.h"
#include "tests/interruption/branch_chain.h"
#include "tests/interruption/generated_chain.h"
#include "tests/interruption/interrupted_node.h"
#include "tests/support/data.h"
#include "tests/support/temporary_directory.h"

namespace headrace::testing {
namespace {

constexpr uint32_t kKills = 4;

class KillTest : public ::testing::Test {
 protected:
  static std::string ChainFile() { return SharedChain().file; }

  // Whether another kill can still find work: a directory that holds the whole chain is finished and begun anew.
  bool HoldsWholeChain(const InterruptedNode& node) const {
    return node.durable().blocks.size() >= height_ && node.durable().lowest_height() == height_;
  }

  const uint32_t height_ = SharedChain().height;
  const std::string hash_ = SharedChain().hash_serialized_3;
  const std::map<Hash256, Bytes> chain_ = BlocksIn(ReadFileBytes(SharedChain().file));
};

TEST_F(KillTest, WhileBlocksAreImported) {
  const uint64_t seed = RandomSeed();
  std::mt19937_64 random(seed);
  KillHistogram histogram("import");
  const MomentMenu menu = MomentMenu()
                              .After(0.02, 1.2)
                              .After(0.1, 0.6)
                              .AtFileEvent("blk", IN_CREATE)
                              .AtFileEvent("blk", IN_MODIFY, 60)
                              .AtFileEvent("rev", IN_MODIFY, 40)
                              .AtFileEvent("index.dat", IN_MODIFY, 60);
  const std::vector<std::string> options = {"-connect=0", "-loadblock=" + ChainFile(), "-checkpointinterval=1"};
  const uint32_t kills = KillsPerPhase(kKills);
  for (uint32_t killed = 0; killed < kills && !HasFailure();) {
    InterruptedNode node(chain_, histogram, seed + killed);
    do {
      killed += node.Kill(options, menu.Pick(random)) ? 1 : 0;
    } while (killed < kills && node.durable().blocks.size() < height_ && !HasFailure());
    // When every block had been stored, they must be enough: nothing is imported again.
    const bool stores_all = node.durable().blocks.size() >= height_;
    node.ExpectEnd(stores_all ? std::vector<std::string>{"-connect=0"} : options, height_, hash_);
  }
  EXPECT_TRUE(kills < kKillsThatMustHit || histogram.Count("running") != 0) << "no kill came while blocks were imported";
}

TEST_F(KillTest, WhileBlocksAreDownloaded) {
  const uint64_t seed = RandomSeed();
  std::mt19937_64 random(seed);
  KillHistogram histogram("sync");
  NodeProcess peer("regtest");
  peer.StartListening({"-loadblock=" + ChainFile()});
  ASSERT_TRUE(peer.WaitForHeight(height_, 120)) << peer.process().Everything();
  // The whole chain takes about two seconds, so that kills fall into its download.
  CountingProxy proxy(peer.port(), 1'500'000);
  const MomentMenu menu = MomentMenu()
                              .After(0.15, 0.8)
                              .AtLogLine("peer connected")
                              .AtFileEvent("blk", IN_MODIFY, 40)
                              .AtFileEvent("index.dat", IN_MODIFY, 40)
                              .AtFileEvent("coins.manifest", IN_MOVED_TO, 2);
  const std::vector<std::string> options = {"-connect=" + proxy.address(), "-checkpointinterval=0",
                                            "-maxblocksintransit=4"};
  const uint32_t kills = KillsPerPhase(kKills);
  uint64_t delivered = 0;
  for (uint32_t killed = 0; killed < kills && !HasFailure();) {
    InterruptedNode node(chain_, histogram, seed + killed);
    const auto expect_nothing_twice = [&](const std::set<Hash256>& stored) {
      for (const Hash256& hash : proxy.TakeDelivered()) {
        ++delivered;
        EXPECT_FALSE(stored.contains(hash)) << hash.ToHex() << " was downloaded again; " << node.Where();
      }
    };
    do {
      const std::set<Hash256> stored = node.durable().blocks;
      killed += node.Kill(options, menu.Pick(random)) ? 1 : 0;
      expect_nothing_twice(stored);
    } while (killed < kills && !HoldsWholeChain(node) && !HasFailure());
    const std::set<Hash256> stored = node.durable().blocks;
    node.ExpectEnd(options, height_, hash_);
    expect_nothing_twice(stored);
  }
  EXPECT_GT(delivered, 0u);
  EXPECT_EQ(peer.Stop(), 0) << "whoever serves a node that dies is undisturbed: " << peer.process().Everything();
}

TEST_F(KillTest, WhileTheNodeStops) {
  const uint64_t seed = RandomSeed();
  std::mt19937_64 random(seed);
  KillHistogram histogram("shutdown");
  const MomentMenu menu = MomentMenu().After(0.05, 0.9).AtFileEvent("rev", IN_MODIFY, 30);
  const MomentMenu stopping = MomentMenu()
                                  .After(0, 0.16)
                                  .AtLogLine("[node:info] stopping")
                                  .AtFileEvent("image-", IN_CREATE)
                                  .AtFileEvent("image-", IN_MODIFY, 256)
                                  .AtFileEvent("segment-", IN_MODIFY, 3)
                                  .AtFileEvent("coins.manifest.new", IN_CREATE)
                                  .AtFileEvent("coins.manifest", IN_MOVED_TO)
                                  .AtFileEvent("index.dat", IN_MODIFY, 2);
  const std::vector<std::string> options = {"-connect=0", "-loadblock=" + ChainFile(), "-checkpointinterval=1"};
  const uint32_t kills = KillsPerPhase(kKills);
  for (uint32_t killed = 0; killed < kills && !HasFailure();) {
    InterruptedNode node(chain_, histogram, seed + killed);
    for (uint32_t i = 0; i < 20 && killed < kills && !HoldsWholeChain(node) && !HasFailure(); ++i) {
      killed += node.KillWhileStopping(options, menu.Pick(random), stopping.Pick(random)) ? 1 : 0;
    }
    node.ExpectEnd(options, height_, hash_);
  }
  EXPECT_TRUE(kills < kKillsThatMustHit || histogram.Count("shutdown") != 0) << "no kill came while the node stopped";
}

TEST(KillCheckpointTest, WhileACheckpointIsWritten) {
  const uint64_t seed = RandomSeed();
  std::mt19937_64 random(seed);
  const TemporaryDirectory files;
  const BranchChains chains = MakeBranchChains(files.path(), seed, 0);
  const BranchFile& base = chains.files.front();
  KillHistogram histogram("checkpoint");
  const MomentMenu menu = MomentMenu()
                              .AtFileEvent("image-", IN_CREATE, 6)
                              .AtFileEvent("image-", IN_MODIFY, 1200)
                              .AtFileEvent("segment-", IN_CREATE, 6)
                              .AtFileEvent("segment-", IN_MODIFY, 12)
                              .AtFileEvent("coins.manifest.new", IN_CREATE, 5)
                              .AtFileEvent("coins.manifest.new", IN_MODIFY, 5)
                              .AtFileEvent("coins.manifest", IN_MOVED_TO, 5)
                              .AtFileEvent("image-", IN_DELETE, 4)
                              .AtFileEvent("index.dat", IN_MODIFY, 20)
                              .AtLogLine("checkpoint published", 5)
                              .After(0.1, 0.7);
  const std::vector<std::string> options = {"-connect=0", "-loadblock=" + base.path, "-checkpointinterval=0"};
  const uint32_t kills = KillsPerPhase(kKills);
  for (uint32_t killed = 0; killed < kills && !HasFailure();) {
    InterruptedNode node(chains.blocks, histogram, seed + killed);
    do {
      killed += node.Kill(options, menu.Pick(random)) ? 1 : 0;
    } while (killed < kills && node.durable().lowest_height() < base.height && !HasFailure());
    node.ExpectEnd(options, base.height, base.hash_serialized_3);
  }
  EXPECT_TRUE(kills < kKillsThatMustHit || histogram.Count("checkpoint: ") != 0) << "no kill came while a checkpoint was written";
}

}  // namespace
}  // namespace headrace::testing
