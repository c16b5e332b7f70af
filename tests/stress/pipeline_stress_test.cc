// The real pipeline on real threads: blocks of competing branches in any order, windows and queues as small as they go,
// readers beside it, and ends in the middle of everything. Whatever the timing, the coins are those of the naive set.

#include <atomic>
#include <map>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "engine/runtime/tbb_executor.h"
#include "gtest/gtest.h"
#include "tests/stress/stress_size.h"
#include "tests/support/busy_branch.h"
#include "tests/support/node/test_node.h"

namespace headrace::testing {
namespace {

// Two branches, the second better, and a third, better still, that breaks a rule.
struct BusyTree {
  explicit BusyTree(uint32_t seed) : first(seed), second(0), bad(0) {
    first.Grow(104, 0);
    first.Grow(12, 6);
    const uint32_t fork = first.height() - 4;
    second = first.Fork(fork, seed + 1000);
    first.Grow(10, 8);
    second.Grow(first.height() - fork + 1, 8);
    bad = first.Fork(first.height() - 6, seed + 2000);
    bad.Grow(3, 8);
    bad.GrowBad(static_cast<BusyBranch::Offence>(seed % BusyBranch::kOffences), 8);
    while (bad.height() < second.height() + 2) bad.Grow(1, 4);
    for (const BusyBranch* branch : {&first, &second, &bad}) {
      for (const auto& block : branch->blocks()) {
        if (!known.insert(block->hash).second) continue;
        blocks.push_back(block);
        heights[block->hash] = block->height;
        for (size_t t = 0; t < block->transactions.size(); ++t) {
          const auto& outputs = block->transactions[t].outputs;
          for (uint32_t o = 0; o < outputs.size(); ++o) made[{block->txids[t], o}] = outputs[o];
        }
      }
    }
    for (const auto& [outpoint, output] : made) outpoints.push_back(outpoint);
  }

  BusyBranch first;
  BusyBranch second;
  BusyBranch bad;
  std::set<Hash256> known;
  std::vector<std::shared_ptr<const TestBlock>> blocks;
  std::map<Hash256, uint32_t> heights;
  std::map<OutPoint, TestOutput> made;
  std::vector<OutPoint> outpoints;
};

class PipelineStress : public ::testing::TestWithParam<uint32_t> {
 protected:
  TestNodeOptions Options(Executor& executor) {
    TestNodeOptions options;
    options.directory = directory_.path();
    options.executor = &executor;
    PipelineOptions& pipeline = options.node.pipeline;
    // By the node's stepped clock. One checkpoint after another would leave the test waiting for the disk.
    pipeline.checkpoint_interval_ns = 300'000'000;
    pipeline.window_blocks_max = 1 + random_() % 3;
    pipeline.graph_blocks_max = 1 + random_() % 4;
    pipeline.ready_blocks_max = 1 + random_() % 3;
    pipeline.ahead_blocks_max = 1 + random_() % 4;
    pipeline.read_ahead_blocks = 1 + random_() % 3;
    options.coin_cache_bytes_max = random_() % 2 == 0 ? 64 << 10 : 16 << 20;
    options.checkpoint_step_bytes = random_() % 2 == 0 ? 1 : 8 << 20;
    options.block_file_bytes_max = 64 << 10;
    return options;
  }

  // What any thread may ask for, until `stop_`: the tip is a good block at its height, and coins are as they were made.
  void Read(const Node& node, uint32_t seed) {
    std::mt19937 random(seed);
    std::vector<uint8_t> script;
    BusyPause pause;
    while (!stop_.load(std::memory_order_relaxed)) {
      const BlockPoint tip = node.AppliedTip();
      if (tip.height > 0) {
        ASSERT_TRUE(tree_.heights.contains(tip.hash));
        ASSERT_EQ(tree_.heights.at(tip.hash), tip.height);
        ASSERT_FALSE(IsBad(tip)) << "a block that breaks a rule was shown";
      }
      const OutPoint& outpoint = tree_.outpoints[random() % tree_.outpoints.size()];
      Coin coin;
      const auto found = node.FindCoin(outpoint, coin, script);
      if (!found.ok()) {
        ASSERT_TRUE(absl::IsUnavailable(found.status())) << found.status();
      } else if (*found) {
        const TestOutput& made = tree_.made.at(outpoint);
        ASSERT_EQ(coin.amount, made.amount);
        ASSERT_TRUE(std::ranges::equal(coin.script, made.script));
      }
      reads_.fetch_add(1, std::memory_order_relaxed);
      pause.AfterOne();
    }
  }
  // From the offence on.
  bool IsBad(const BlockPoint& point) const {
    const auto& blocks = tree_.bad.blocks();
    const uint32_t offence_height = tree_.first.height() - 6 + 4;
    return point.height >= offence_height && point.height <= blocks.size() &&
           blocks[point.height - 1]->hash == point.hash;
  }

  std::mt19937 random_{GetParam()};
  BusyTree tree_{GetParam()};
  TemporaryDirectory directory_;
  std::atomic<bool> stop_{false};
  std::atomic<uint64_t> reads_{0};
};

TEST_P(PipelineStress, AnyOrderAnyTimingAndEndsInBetween) {
  std::vector<std::shared_ptr<const TestBlock>> order = tree_.blocks;
  std::ranges::shuffle(order, random_);
  // Three runs over one directory: the first two end at any moment, one without a word and one in good order.
  for (int run = 0; run < 3; ++run) {
    SCOPED_TRACE(run);
    const std::unique_ptr<Executor> executor = MakeTbbExecutor(1 + random_() % 3);
    auto node = std::make_unique<TestNode>(Options(*executor));
    stop_ = false;
    std::vector<std::thread> readers;
    for (uint32_t reader = 0; reader < 2; ++reader) {
      readers.emplace_back([&, reader] { Read(node->node(), GetParam() * 10 + reader); });
    }
    size_t turns_left = run == 2 ? SIZE_MAX : random_() % 150;
    for (const auto& block : order) {
      if (run < 2 && random_() % order.size() == 0) break;
      node->Offer(*block);
      if (random_() % 3 == 0) {
        EXPECT_TRUE(node->Turn().ok());
      }
    }
    if (run == 2) {
      node->RunUntilQuiet();
    } else {
      while (turns_left-- > 0) ASSERT_TRUE(node->Turn().ok());
    }
    if (run == 2) {
      EXPECT_EQ(node->Status().applied_hash, tree_.second.tip());
      node->ExpectCoins(tree_.second.chain().coins());
    }
    stop_ = true;
    for (std::thread& reader : readers) reader.join();
    if (run >= 1) {
      EXPECT_TRUE(node->Shutdown().ok());
    }
    // What workers still have in their hands ends with the node.
    node.reset();
    if (HasFailure()) return;
  }
  EXPECT_GT(reads_.load(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, PipelineStress,
                         ::testing::Range<uint32_t>(1, 1 + static_cast<uint32_t>(StressRounds(3))));

}  // namespace
}  // namespace headrace::testing
