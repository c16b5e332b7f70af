// A node asked and ordered about by many threads while it follows blocks, reorganises and stops: every answer belongs
// to one applied tip, and nobody is left waiting.

#include <atomic>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "engine/node/node_facade.h"
#include "engine/runtime/tbb_executor.h"
#include "gtest/gtest.h"
#include "tests/stress/stress_size.h"
#include "tests/support/node/test_node.h"

namespace headrace::testing {
namespace {

constexpr uint32_t kSharedBlocks = 105;
constexpr uint32_t kOwnBlocks = 20;

// Blocks over what a branch has, which spend its coinbases as they mature.
void GrowSpending(ChainBuilder& chain, uint32_t count, uint32_t salt) {
  for (uint32_t i = 0; i < count; ++i) {
    std::vector<TestTransaction> transactions;
    if (chain.height() >= 100) transactions.push_back(chain.Spend({chain.CoinbaseOf(chain.height() - 99)}, 3, 1000));
    chain.Add(std::move(transactions), -1, salt);
  }
}

class FacadeStress : public ::testing::TestWithParam<uint32_t> {
 protected:
  FacadeStress() {
    ChainBuilder shared;
    GrowSpending(shared, kSharedBlocks, 0);
    for (uint32_t branch = 0; branch < 2; ++branch) {
      branches_.push_back(shared);
      GrowSpending(branches_[branch], kOwnBlocks + branch, branch + 1);
    }
    // The set of every tip that may come to be.
    for (const ChainBuilder& branch : branches_) {
      ChainBuilder below = branch;
      while (true) {
        const Hash256 tip = below.blocks().back()->hash;
        if (sets_.contains(tip)) break;
        sets_[tip] = {below.height(), below.coins().size(), HashSerialized3(below.coins())};
        if (below.height() == kSharedBlocks - 5) break;
        below.TruncateTo(below.height() - 1);
      }
    }
  }

  NodeFacade& facade() { return node_->node().facade(); }
  // False when the node is stopping; any other failure is one of the test.
  bool Goes(const absl::Status& status) {
    if (status.ok()) return true;
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
    return false;
  }

  void Submit(const ChainBuilder& branch, uint32_t seed) {
    std::mt19937 random(seed);
    for (uint32_t height = kSharedBlocks + 1; height <= branch.height(); ++height) {
      const auto bytes = branch.blocks()[height - 1]->raw->bytes();
      const auto answer = facade().Submit({bytes.begin(), bytes.end()});
      if (!Goes(answer.status())) return;
      // While marks come and go, a block may be on either side of them, or on a header that was refused; it is never
      // bad itself.
      EXPECT_TRUE(*answer == "" || *answer == "inconclusive" || *answer == "duplicate" ||
                  *answer == "duplicate-invalid" || *answer == "bad-prevblk" || *answer == "prev-blk-not-found")
          << *answer;
      if (random() % 4 == 0) std::this_thread::yield();
    }
  }

  void Order(uint32_t seed) {
    std::mt19937 random(seed);
    while (true) {
      const ChainBuilder& branch = branches_[random() % 2];
      const Hash256& hash = branch.blocks()[kSharedBlocks - 3 + random() % 8]->hash;
      const absl::Status status = random() % 2 == 0 ? facade().Invalidate(hash) : facade().Reconsider(hash);
      if (absl::IsNotFound(status)) continue;
      if (!Goes(status)) return;
      orders_.fetch_add(1, std::memory_order_relaxed);
    }
  }

  void Ask(uint32_t seed) {
    std::mt19937 random(seed);
    while (true) {
      absl::Status status;
      switch (random() % 6) {
        case 0: {
          const auto set = facade().CoinSet({.serialized = true, .muhash = false});
          status = set.status();
          if (!set.ok() || !sets_.contains(set->best.hash)) break;
          const auto& [height, coins, hash] = sets_.at(set->best.hash);
          EXPECT_EQ(set->best.height, height);
          EXPECT_EQ(set->coins, coins);
          EXPECT_EQ(set->hash_serialized, hash);
          sets_compared_.fetch_add(1, std::memory_order_relaxed);
          break;
        }
        case 1: {
          const auto chain = facade().Chain();
          status = chain.status();
          if (chain.ok()) {
            EXPECT_EQ(chain->tip.confirmations, 1);
          }
          break;
        }
        case 2: {
          const auto tips = facade().ChainTips();
          status = tips.status();
          if (tips.ok()) {
            EXPECT_EQ(std::ranges::count(*tips, ChainTipStatus::kActive, &ChainTip::status), 1);
          }
          break;
        }
        case 3: {
          const auto block = facade().BlockAtHeight(1 + random() % (kSharedBlocks - 5));
          status = block.status();
          if (!block.ok()) break;
          const auto raw = facade().RawBlock(*block);
          ASSERT_TRUE(raw.ok()) << raw.status();
          EXPECT_TRUE(std::ranges::equal(raw->bytes, branches_[0].blocks()[block->height - 1]->raw->bytes()));
          break;
        }
        case 4: {
          // Spent by the shared blocks' successors on one branch and on the other.
          const auto output =
              facade().FindOutput(branches_[0].CoinbaseOf(kSharedBlocks - 100 + 1 + random() % kOwnBlocks));
          status = output.status();
          if (output.ok() && *output) {
            EXPECT_TRUE((*output)->is_coinbase);
          }
          break;
        }
        default: {
          const auto tip = facade().AppliedTip();
          status = tip.status();
          facade().Status();
          node_->node().AppliedTip();
        }
      }
      if (!Goes(status)) return;
      questions_.fetch_add(1, std::memory_order_relaxed);
    }
  }

  TemporaryDirectory directory_;
  std::vector<ChainBuilder> branches_;
  struct KnownSet {
    uint32_t height;
    uint64_t coins;
    Hash256 hash;
  };
  std::map<Hash256, KnownSet> sets_;
  const std::unique_ptr<Executor> executor_ = MakeTbbExecutor(2);
  std::unique_ptr<TestNode> node_;
  std::atomic<uint64_t> questions_{0};
  std::atomic<uint64_t> sets_compared_{0};
  std::atomic<uint64_t> orders_{0};
};

TEST_P(FacadeStress, EveryAnswerIsOfOneTipAndNobodyIsLeftWaitingWhenItStops) {
  TestNodeOptions options;
  options.directory = directory_.path();
  options.executor = executor_.get();
  options.node.pipeline.checkpoint_interval_ns = 100'000'000;
  node_ = std::make_unique<TestNode>(options);
  for (uint32_t height = 1; height <= kSharedBlocks; ++height) node_->Offer(*branches_[0].blocks()[height - 1]);
  node_->RunUntilQuiet();
  ASSERT_EQ(node_->Status().applied_height, kSharedBlocks);

  std::atomic<bool> must_stop{false};
  std::thread engine([&] {
    while (!must_stop.load(std::memory_order_relaxed)) {
      const auto turned = node_->Turn();
      ASSERT_TRUE(turned.ok()) << turned.status();
      if (!*turned) std::this_thread::yield();
    }
    // In the middle of whatever is under way.
    EXPECT_TRUE(node_->Shutdown().ok());
  });
  std::vector<std::thread> threads;
  for (uint32_t asker = 0; asker < 3; ++asker) threads.emplace_back([&, asker] { Ask(GetParam() * 100 + asker); });
  for (uint32_t branch = 0; branch < 2; ++branch) {
    threads.emplace_back([&, branch] { Submit(branches_[branch], GetParam() * 100 + 50 + branch); });
  }
  threads.emplace_back([&] { Order(GetParam() * 100 + 90); });
  const StressDeadline deadline;
  const uint64_t wanted = static_cast<uint64_t>(StressRounds(600)) + GetParam() * 37;
  EXPECT_TRUE(deadline.Await([&] {
    return HasFailure() ||
           (questions_.load(std::memory_order_relaxed) >= wanted && sets_compared_.load() > 0 && orders_.load() > 20);
  }));
  must_stop = true;
  engine.join();
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(absl::IsUnavailable(facade().Chain().status()));

  // What it says it applied is what it finds when it starts again.
  const BlockPoint tip = node_->node().AppliedTip();
  node_.reset();
  node_ = std::make_unique<TestNode>(options);
  EXPECT_EQ(node_->node().AppliedTip(), tip);
  if (sets_.contains(tip.hash)) {
    EXPECT_EQ(node_->coins().counters().coins, sets_.at(tip.hash).coins);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, FacadeStress, ::testing::Range<uint32_t>(1, 4));

}  // namespace
}  // namespace headrace::testing
