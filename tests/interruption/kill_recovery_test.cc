// SIGKILL while a node mends what an earlier kill left, builds its files anew, or changes from one branch to another.
#include <gtest/gtest.h>
#include <sys/inotify.h>

#include "tests/interruption/branch_chain.h"
#include "tests/interruption/interrupted_node.h"
#include "tests/support/temporary_directory.h"

namespace headrace::testing {
namespace {

constexpr uint32_t kKills = 4;

// Branches from the run's seed, made anew by every test: each needs another number of them.
class KillRecoveryTest : public ::testing::Test {
 protected:
  void MakeChains(uint32_t branches) {
    std::printf("HEADRACE_SEED=%llu\n", static_cast<unsigned long long>(seed_));
    chains_ = MakeBranchChains(files_.path(), seed_, branches);
  }
  const BranchFile& base() const { return chains_.files.front(); }
  std::vector<std::string> ImportOf(const BranchFile& file) const { return {"-connect=0", "-loadblock=" + file.path}; }

  // Moments of a start that finds something to mend.
  static MomentMenu StartMenu() {
    return MomentMenu()
        .After(0.02, 0.3)
        .AtLogLine("the unspent set begins at")
        .AtLogLine("recovering the unspent set")
        .AtLogLine("records behind the last sync point")
        .AtLogLine("blocks taken up")
        .AtFileEvent("image-", IN_DELETE)
        .AtFileEvent("blk", IN_MODIFY)
        .AtFileEvent("rev", IN_MODIFY, 4)
        .AtFileEvent("index.dat", IN_MODIFY, 6);
  }

  const uint64_t seed_ = RandomSeed();
  std::mt19937_64 random_{seed_};
  const uint32_t kills_ = KillsPerPhase(kKills);
  TemporaryDirectory files_;
  BranchChains chains_;
};

TEST_F(KillRecoveryTest, WhileAKilledNodeRecovers) {
  MakeChains(0);
  KillHistogram histogram("recovery");
  // Between two manifests, so that there is something to replay.
  const MomentMenu first = MomentMenu()
                               .AtFileEvent("coins.manifest", IN_MOVED_TO, 2)
                               .AtLogLine("checkpoint published", 2)
                               .AtFileEvent("image-", IN_DELETE)
                               .AtFileEvent("image-", IN_MODIFY, 400);
  std::vector<std::string> options = ImportOf(base());
  options.push_back("-checkpointinterval=0");
  for (uint32_t killed = 0; killed < kills_ && !HasFailure();) {
    InterruptedNode node(chains_.blocks, histogram, seed_ + killed);
    killed += node.Kill(options, first.Pick(random_)) ? 1 : 0;
    for (int i = 0; i < 4 && killed < kills_ && !HasFailure(); ++i) {
      // Without the file to import from: what the node mends, it mends from its own files.
      killed += node.Kill({"-connect=0", "-checkpointinterval=0"}, StartMenu().Pick(random_)) ? 1 : 0;
    }
    node.ExpectEnd(options, base().height, base().hash_serialized_3);
  }
  EXPECT_TRUE(kills_ < kKillsThatMustHit || histogram.Count("start") + histogram.Count("recovery") != 0)
      << "no kill came during a start";
}

TEST_F(KillRecoveryTest, WhileIndexAndUnspentSetAreBuiltAnew) {
  MakeChains(1);
  const BranchFile& tip = chains_.files.back();
  KillHistogram histogram("reindex");
  MomentMenu menu = StartMenu();
  menu.AtLogLine("rebuilding")
      .AtFileEvent("index.dat", IN_DELETE)
      .AtFileEvent("rev", IN_DELETE)
      .AtFileEvent("coins.manifest", IN_DELETE)
      .AtFileEvent("index.dat", IN_MOVED_TO)
      .AtFileEvent("index.dat", IN_MODIFY, 30)
      .AtFileEvent("rev", IN_MODIFY, 40)
      .AtLogLine("checkpoint published", 3)
      .After(0.1, 1);
  for (uint32_t killed = 0; killed < kills_ && !HasFailure();) {
    InterruptedNode node(chains_.blocks, histogram, seed_ + killed);
    node.ExpectEnd(ImportOf(base()), base().height, base().hash_serialized_3);
    node.ExpectEnd(ImportOf(tip), tip.height, tip.hash_serialized_3);
    for (int i = 0; i < 8 && killed < kills_ && !HasFailure(); ++i) {
      std::vector<std::string> options = {"-connect=0", "-checkpointinterval=" + std::to_string(random_() % 2)};
      if (const uint64_t choice = random_() % 3; choice != 0) {
        options.push_back(choice == 1 ? "-reindex" : "-reindex-chainstate");
        node.ForgetManifest();
      }
      killed += node.Kill(options, menu.Pick(random_)) ? 1 : 0;
      EXPECT_EQ(node.durable().blocks.size(), chains_.blocks.size()) << node.Where();
    }
    // From its own block files: they held every block before, so they must now.
    node.ExpectEnd({"-connect=0"}, tip.height, tip.hash_serialized_3);
  }
}

TEST_F(KillRecoveryTest, WhileTheNodeChangesBranches) {
  constexpr uint32_t kBranches = 4;
  MakeChains(kBranches);
  KillHistogram histogram("reorganisation");
  MomentMenu menu = StartMenu();
  menu.AtLogLine("block disconnected", 40)
      .AtLogLine("block disconnected", 20)
      .AtLogLine("block disconnected", 10)
      .AtLogLine("block disconnected", 5)
      .AtLogLine("block disconnected")
      .AtLogLine("file read")
      .AtLogLine("checkpoint published", 3)
      .AtFileEvent("image-", IN_MODIFY, 600)
      .AtFileEvent("coins.manifest.new", IN_CREATE, 3)
      .AtFileEvent("rev", IN_MODIFY, 10)
      .After(0.1, 0.5);
  for (uint32_t killed = 0; killed < kills_ && !HasFailure();) {
    InterruptedNode node(chains_.blocks, histogram, seed_ + killed);
    node.AllowLowerHeights();
    node.ExpectEnd(ImportOf(base()), base().height, base().hash_serialized_3);
    for (size_t branch = 1; branch <= kBranches && !HasFailure(); ++branch) {
      const BranchFile& file = chains_.files[branch];
      std::vector<std::string> options = ImportOf(file);
      options.push_back("-checkpointinterval=" + std::to_string(random_() % 2));
      for (int i = 0; i < 4 && killed < kills_ && !HasFailure(); ++i) {
        killed += node.Kill(options, menu.Pick(random_)) ? 1 : 0;
      }
      node.ExpectEnd(options, file.height, file.hash_serialized_3);
    }
  }
}

}  // namespace
}  // namespace headrace::testing
