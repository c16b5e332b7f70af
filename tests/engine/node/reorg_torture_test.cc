// Random trees of branches, delivered in random order by file and by peers, to a node that is turned, stopped, killed
// and reshaped at random. At every quiet point the node must be on a valid block of most work and hold exactly its
// coins.
//
// HEADRACE_REORG_SEEDS: how many trees (8 when absent). HEADRACE_REORG_FIRST_SEED: from which one on.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>

#include "engine/base/log.h"
#include "tests/engine/node/reorg_fixture.h"
#include "tests/support/branch_tree.h"
#include "tests/support/captured_log.h"
#include "tests/support/node/scripted_peers.h"

namespace headrace {
namespace {

using testing::AllShapes;
using testing::BranchTree;
using testing::CapturedLog;
using testing::NodeShape;
using testing::ReorgFixture;
using testing::ScriptedPeers;
using testing::TemporaryDirectory;
using testing::TestNode;
using testing::TestNodeOptions;

uint32_t FromEnvironment(const char* name, uint32_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : static_cast<uint32_t>(std::strtoul(text, nullptr, 10));
}

// Counts reorganisations by depth from what the log says about blocks that are disconnected.
class DepthCount {
 public:
  void OnLine(std::string_view line) {
    if (line.find("taken_back=") != std::string_view::npos) ++taken_back_;
    if (line.find("block disconnected") == std::string_view::npos) return;
    const size_t at = line.find("height=");
    const auto height = static_cast<uint32_t>(std::strtoul(std::string(line.substr(at + 7)).c_str(), nullptr, 10));
    if (run_ != 0 && height + 1 != last_height_) EndRun();
    last_height_ = height;
    ++run_;
  }
  void EndRun() {
    if (run_ == 0) return;
    const uint32_t bucket = run_ < 4 ? run_ : run_ < 8 ? 4 : run_ < 16 ? 8 : run_ < 32 ? 16 : 32;
    ++by_depth_[bucket];
    ++total_;
    run_ = 0;
  }
  uint64_t total() const { return total_; }
  // Blocks whose scripts failed when they, and perhaps more, were in the store already.
  uint64_t taken_back() const { return taken_back_; }
  std::string Histogram() const {
    std::string text;
    for (const auto& [depth, count] : by_depth_) {
      text += " " + std::to_string(depth) + (depth >= 4 ? "+" : "") + ":" + std::to_string(count);
    }
    return text;
  }

 private:
  uint32_t run_ = 0;
  uint32_t last_height_ = 0;
  uint64_t total_ = 0;
  uint64_t taken_back_ = 0;
  std::map<uint32_t, uint64_t> by_depth_;
};

class ReorgTortureTest : public ReorgFixture {
 protected:
  struct Totals {
    uint64_t quiet_points = 0;
    uint64_t stops = 0;
    uint64_t kills = 0;
    uint64_t dead_disks = 0;
  };

  // One tree's life.
  class Run {
   public:
    Run(ReorgTortureTest& test, uint32_t seed, Totals& totals)
        : test_(test),
          random_(seed),
          totals_(totals),
          tree_(seed, ShapeOf(random_)),
          is_given_(tree_.entries().size()) {
      for (size_t entry = 0; entry < tree_.entries().size(); ++entry) order_.push_back(entry);
      // Branches come one after another by and large, their blocks in disorder.
      std::vector<uint64_t> place(order_.size());
      const uint32_t spread = 1 + Below(300);
      for (size_t entry : order_) place[entry] = tree_.entries()[entry].branch * 100 + Below(spread);
      std::sort(order_.begin(), order_.end(), [&](size_t a, size_t b) { return place[a] < place[b]; });
      Open();
    }

    void Live() {
      size_t next = 0;
      while (next < order_.size() && !HasFailure()) {
        const uint32_t action = Below(100);
        if (action < 50) {
          // The base in large pieces, the branches in small ones.
          const uint32_t most = next < tree_.branch(0).height() ? 60 : 6;
          for (uint32_t i = 1 + Below(most); i != 0 && next < order_.size(); --i) Give(order_[next++]);
        } else if (action < 82) {
          for (uint32_t i = Below(30); i != 0 && !HasFailure(); --i) ASSERT_TRUE(node_->Turn().ok());
        } else if (action < 86) {
          ConnectPeer();
        } else if (action < 94) {
          ExpectTheBest();
        } else {
          Restart();
        }
      }
      ExpectTheBest();
      if (HasFailure()) return;
      const size_t tip = Tip();
      test_.ExpectAsIfAlone(*node_, tree_.ChainTo(tip));
      // What was decided is decided.
      Restart();
      ExpectTheBest();
    }

   private:
    static BranchTree::Shape ShapeOf(std::mt19937& random) {
      BranchTree::Shape shape;
      shape.branches = 20 + random() % 40;
      shape.rare_depth_max = 40 + random() % 60;
      shape.transactions = 1 + random() % 6;
      shape.usual_depth_max = 1 + random() % 12;
      return shape;
    }

    uint32_t Below(uint32_t bound) { return static_cast<uint32_t>(random_() % bound); }
    size_t Tip() { return tree_.Find(node_->node().AppliedTip().hash); }

    void Open() {
      const std::vector<NodeShape> shapes = AllShapes();
      TestNodeOptions options = test_.Options(shapes[Below(static_cast<uint32_t>(shapes.size()))]);
      options.directory = directory_.path();
      peers_ = std::make_unique<ScriptedPeers>();
      options.peers = peers_.get();
      options.node.pipeline.ready_blocks_max = std::min(options.node.pipeline.ready_blocks_max, 1 + Below(200));
      if (Below(3) != 0) options.node.pipeline.checkpoint_interval_ns = 1 + Below(100) * int64_t{1'000'000};
      if (Below(2) == 0) options.checkpoint_step_bytes = (1 + Below(64)) * 8192;
      if (Below(4) == 0) options.coin_cache_bytes_max = 1 << 20;
      node_ = std::make_unique<TestNode>(options);
    }

    void Give(size_t entry) {
      is_given_[entry] = true;
      node_->Offer(*tree_.entries()[entry].block);
    }

    void ConnectPeer() {
      const size_t branch = Below(static_cast<uint32_t>(tree_.branch_count()));
      HR_LOG(kInfo, kNode, "the test connects peer=", last_peer_ + 1, " branch=", branch,
             " height=", tree_.branch(branch).height());
      for (size_t entry : tree_.PathOf(branch)) is_given_[entry] = true;
      peers_->Connect(++last_peer_, &tree_.branch(branch).chain());
    }

    // Hands everything in again that may have been lost, or that waited for its parent when the node went.
    void GiveAgain() {
      std::vector<size_t> again;
      for (size_t entry = 0; entry < is_given_.size(); ++entry) {
        if (is_given_[entry]) again.push_back(entry);
      }
      std::shuffle(again.begin(), again.end(), random_);
      for (size_t entry : again) node_->Offer(*tree_.entries()[entry].block);
    }

    void Restart() {
      const uint32_t kind = Below(3);
      HR_LOG(kInfo, kNode, "the test restarts the node kind=", kind);
      const uint32_t height_before = HeightOfBest();
      bool lost_nothing = true;
      if (kind == 0) {
        ++totals_.stops;
        ASSERT_TRUE(node_->Shutdown().ok());
      } else if (kind == 1) {
        ++totals_.kills;
      } else {
        ++totals_.dead_disks;
        node_->FailDiskAfter(Below(60));
        for (int turn = 0; turn < 200 && node_->Turn().ok(); ++turn) {
        }
        lost_nothing = false;
      }
      const uint32_t height_then = node_->node().AppliedTip().height;
      node_ = nullptr;
      Open();
      if (lost_nothing && Below(2) == 0) {
        // Blocks that were stored are enough to come at least as far as before, be it on another branch of equal work.
        node_->RunUntilQuiet();
        EXPECT_GE(node_->node().AppliedTip().height, std::min(height_then, height_before));
        ExpectCoinsOfTip();
      }
      GiveAgain();
    }

    // Of the valid blocks that the node was given with all below them.
    uint32_t HeightOfBest() const {
      uint32_t best = 0;
      std::vector<bool> is_whole(is_given_.size());
      for (size_t entry = 0; entry < is_given_.size(); ++entry) {
        const BranchTree::Entry& it = tree_.entries()[entry];
        is_whole[entry] = is_given_[entry] && it.is_valid && (entry == 0 || is_whole[it.parent]);
        if (is_whole[entry]) best = std::max(best, it.block->height);
      }
      return best;
    }

    void ExpectTheBest() {
      node_->RunUntilQuiet();
      ++totals_.quiet_points;
      HR_LOG(kInfo, kNode, "the test finds quiet height=", node_->node().AppliedTip().height, " best=", HeightOfBest());
      EXPECT_EQ(node_->node().AppliedTip().height, HeightOfBest());
      ExpectCoinsOfTip();
    }

    void ExpectCoinsOfTip() {
      if (node_->node().AppliedTip().height == 0) return node_->ExpectCoins({});
      const size_t tip = Tip();
      ASSERT_NE(tip, BranchTree::kNone);
      EXPECT_TRUE(tree_.entries()[tip].is_valid);
      node_->ExpectCoins(tree_.CoinsAt(tip));
    }

    ReorgTortureTest& test_;
    std::mt19937 random_;
    Totals& totals_;
    BranchTree tree_;
    TemporaryDirectory directory_;
    std::vector<bool> is_given_;
    std::vector<size_t> order_;
    std::unique_ptr<ScriptedPeers> peers_;
    std::unique_ptr<TestNode> node_;
    PeerId last_peer_ = 0;
  };
};

TEST_F(ReorgTortureTest, EveryQuietPointIsTheBestValidChainAndItsCoins) {
  const uint32_t first = FromEnvironment("HEADRACE_REORG_FIRST_SEED", 1);
  const uint32_t seeds = FromEnvironment("HEADRACE_REORG_SEEDS", 8);
  DepthCount depths;
  Totals totals;
  for (uint32_t seed = first; seed < first + seeds && !HasFailure(); ++seed) {
    SCOPED_TRACE("HEADRACE_REORG_SEEDS=1 HEADRACE_REORG_FIRST_SEED=" + std::to_string(seed));
    CapturedLog log([&](std::string_view line) { depths.OnLine(line); });
    Run(*this, seed, totals).Live();
    depths.EndRun();
    if (HasFailure()) std::printf("The end of the log of seed %u:\n%s\n", seed, log.Tail(20'000).c_str());
  }
  std::printf(
      "seeds %u to %u: %lu reorganisations, by depth%s; %lu taken back from the store, %lu quiet points, %lu stops, "
      "%lu kills, %lu "
      "dead disks\n",
      first, first + seeds - 1, depths.total(), depths.Histogram().c_str(), depths.taken_back(), totals.quiet_points,
      totals.stops, totals.kills, totals.dead_disks);
  EXPECT_GE(depths.total(), seeds);
}

}  // namespace
}  // namespace headrace
