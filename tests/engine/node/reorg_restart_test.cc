// Reorganisations across a stop, across a kill, and across a disk that dies at any one of its changes.
//
// HEADRACE_REORG_EVERY_CRASH=1: every change instead of a sample.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "tests/engine/node/reorg_fixture.h"

namespace headrace {
namespace {

using testing::BusyBranch;
using testing::NodeShape;
using testing::ReorgFixture;
using testing::TemporaryDirectory;
using testing::TestNode;
using testing::TestNodeOptions;

constexpr uint32_t kFork = 118;

class ReorgRestartTest : public ReorgFixture {
 protected:
  ReorgRestartTest() : base_(Base(kFork, 1, 10)), a_(base_.Fork(kFork, 2)), b_(base_.Fork(kFork, 3)) {
    a_.Grow(7, 10);
    b_.Grow(9, 10);
  }

  // A directory whose node stopped on branch a.
  void StopOnA() {
    TestNode node(Options());
    OfferFrom(node, a_, 1);
    node.RunUntilQuiet();
    ExpectOn(node, a_);
    ASSERT_TRUE(node.Shutdown().ok());
  }

  // The same directory once more, elsewhere.
  std::string CopyTo(const TemporaryDirectory& to) {
    std::filesystem::copy(directory_.path(), to.path(), std::filesystem::copy_options::recursive);
    return to.path();
  }

  BusyBranch base_;
  BusyBranch a_;
  BusyBranch b_;
};

// The manifest names a block of the branch that lost: recovery starts there and goes down by undo before it goes up.
TEST_F(ReorgRestartTest, TheManifestMayStandOnTheBranchThatLost) {
  StopOnA();
  {
    TestNode node(Options());
    OfferFrom(node, b_, kFork + 1);
    node.RunUntilQuiet();
    ExpectOn(node, b_);
    // Killed: the manifest is where it was.
  }
  for (int again = 0; again < 2; ++again) {
    TestNode node(Options());
    EXPECT_EQ(node.coins().recovery_start().hash, a_.tip());
    EXPECT_EQ(node.node().AppliedTip().hash, a_.tip());
    node.RunUntilQuiet();
    EXPECT_EQ(node.Status().reorganisations, 1u);
    ExpectOn(node, b_);
    ExpectAsIfAlone(node, b_);
  }
}

TEST_F(ReorgRestartTest, AStopOrAKillInTheMiddleGoesOnWhereItWas) {
  StopOnA();
  for (const bool is_stop : {true, false}) {
    for (const bool is_checkpointing : {true, false}) {
      bool got_there = false;
      for (uint32_t turns = 0; !got_there; turns += 3) {
        SCOPED_TRACE("stop=" + std::to_string(is_stop) + " checkpoints=" + std::to_string(is_checkpointing) +
                     " turns=" + std::to_string(turns));
        ASSERT_LT(turns, 400u);
        const TemporaryDirectory directory;
        TestNodeOptions options = Options({"", true, 3});
        options.directory = CopyTo(directory);
        if (is_checkpointing) CheckpointAlways(options);
        {
          TestNode node(options);
          OfferFrom(node, b_, kFork + 1);
          for (uint32_t i = 0; i < turns; ++i) ASSERT_TRUE(node.Turn().ok());
          got_there = node.node().AppliedTip().hash == b_.tip();
          if (is_stop) {
            ASSERT_TRUE(node.Shutdown().ok());
          }
        }
        TestNode node(options);
        // What waited in the import when the node went is handed in again.
        OfferFrom(node, b_, kFork + 1);
        node.RunUntilQuiet();
        ExpectOn(node, b_);
        if (HasFailure()) return;
      }
    }
  }
}

// Every shard of the manifest at a height of its own, and the node killed on a branch that forks below, between or
// above them.
TEST_F(ReorgRestartTest, AManifestOfManyHeightsIsRecoveredBeforeItsBranchIsLeft) {
  BusyBranch a = base_.Fork(kFork, 5);
  a.Grow(400, 3);
  uint32_t fuzzy = 0;
  for (const uint32_t killed_after : {kFork + 40, kFork + 120, kFork + 200, kFork + 270}) {
    SCOPED_TRACE(killed_after);
    const TemporaryDirectory directory;
    TestNodeOptions options = Options({"", true, 1});
    options.directory = directory.path();
    CheckpointAlways(options);
    uint32_t killed_at = 0;
    uint32_t lowest = 0;
    uint32_t highest = 0;
    {
      TestNode node(options);
      // Blocks arrive all the while, so that a checkpoint's shards are copied at many heights; killed when the next
      // manifest has come.
      const auto offer_next = [&] {
        node.Offer(*a.blocks()[killed_at++]);
        for (int turn = 0; turn < 3; ++turn) ASSERT_TRUE(node.Turn().ok());
      };
      while (killed_at < killed_after) offer_next();
      const BlockPoint before = node.coins().durable();
      while (killed_at < a.height() && node.coins().durable() == before) {
        offer_next();
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      node.RunUntil(
          [&] { return !(node.coins().durable() == before) && node.node().AppliedTip().height == killed_at; });
    }
    options.node.pipeline.checkpoint_interval_ns = INT64_MAX;
    {
      TestNode node(options);
      lowest = node.coins().recovery_start().height;
      highest = node.coins().recovery_end().height;
      if (lowest != highest) {
        ++fuzzy;
        // Some shards are ahead of the tip: what they have spent is there for readers, or there is no answer yet.
        const BusyBranch at_lowest = a.Fork(lowest, 0);
        for (const auto& [outpoint, coin] : at_lowest.chain().coins()) {
          Coin found;
          std::vector<uint8_t> script;
          const auto is_there = node.node().FindCoin(outpoint, found, script);
          EXPECT_TRUE(absl::IsUnavailable(is_there.status()) ||
                      (is_there.ok() && *is_there && found.amount == coin.amount));
        }
        node.RunUntilQuiet();
        Coin found;
        std::vector<uint8_t> script;
        EXPECT_TRUE(*node.node().FindCoin(a.chain().CoinbaseOf(killed_at), found, script));
      }
    }
    const uint32_t middle = (lowest + highest) / 2;
    for (const uint32_t fork : {highest, middle, lowest, std::max(lowest, 6u) - 5}) {
      SCOPED_TRACE("fork " + std::to_string(fork) + " of " + std::to_string(lowest) + " to " + std::to_string(highest));
      const TemporaryDirectory copied;
      std::filesystem::copy(directory.path(), copied.path(), std::filesystem::copy_options::recursive);
      TestNodeOptions copy = options;
      copy.directory = copied.path();
      BusyBranch b = a.Fork(fork, 1000 + fork);
      b.Grow(killed_at + 2 - fork, 3);
      {
        TestNode node(copy);
        OfferFrom(node, b, fork + 1);
        node.RunUntilQuiet();
        ExpectOn(node, b);
        // Killed again, with the old manifest.
      }
      TestNode node(copy);
      node.RunUntilQuiet();
      ExpectOn(node, b);
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(fuzzy, 0u);
}

// The disk dies at the n-th change: whatever was half done, the next start finds its way, and the winner's coins.
TEST_F(ReorgRestartTest, ADiskThatDiesAtAnyChangeCostsNothingButTime) {
  StopOnA();
  a_.Grow(4, 10);
  const auto live = [&](TestNode& node) {
    bool is_alive = true;
    const auto turn = [&](int turns) {
      for (int i = 0; i < turns && is_alive; ++i) is_alive = node.Turn().ok();
    };
    OfferFrom(node, b_, kFork + 1);
    turn(120);
    OfferFrom(node, a_, kFork + 8);
    turn(160);
    if (is_alive) node.Shutdown().IgnoreError();
  };
  const auto options_in = [&](const TemporaryDirectory& directory) {
    TestNodeOptions options = Options({"", true, 3});
    options.directory = CopyTo(directory);
    CheckpointAlways(options);
    options.checkpoint_step_bytes = 1 << 19;
    return options;
  };
  uint64_t changes = 0;
  {
    const TemporaryDirectory directory;
    TestNode node(options_in(directory));
    const uint64_t before = node.disk_changes();
    live(node);
    changes = node.disk_changes() - before;
    ExpectOn(node, a_);
  }
  const bool is_every = std::getenv("HEADRACE_REORG_EVERY_CRASH") != nullptr;
  const uint64_t step = is_every ? 1 : std::max<uint64_t>(1, changes / 25);
  uint64_t died = 0;
  for (uint64_t n = 0; n < changes; n += step) {
    SCOPED_TRACE("change " + std::to_string(n) + " of " + std::to_string(changes));
    const TemporaryDirectory directory;
    const TestNodeOptions options = options_in(directory);
    {
      TestNode node(options);
      node.FailDiskAfter(n);
      live(node);
      died += node.disk_has_failed() ? 1 : 0;
    }
    TestNode node(options);
    OfferFrom(node, b_, kFork + 1);
    OfferFrom(node, a_, kFork + 1);
    node.RunUntilQuiet();
    ExpectOn(node, a_);
    if (HasFailure()) return;
  }
  EXPECT_GT(died, 0u);
  std::printf("%lu of %lu changes of the disk were its last\n", died, changes);
}

}  // namespace
}  // namespace headrace
