// Work on the whole unspent set while the node goes on: the answer is the set of the tip as it was when the question
// came, whatever the tip does meanwhile.

#include "engine/node/whole_set_work.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <thread>

#include "tests/reference/plain_snapshot.h"
#include "tests/support/chain_builder.h"
#include "tests/support/data.h"
#include "tests/support/inline_executor.h"
#include "tests/support/node/test_node.h"

namespace headrace::testing {
namespace {

constexpr std::chrono::seconds kPatience(60);

// Lets nobody through while it is shut.
class GateExecutor : public InlineExecutor {
 public:
  void ParallelFor(size_t count, size_t grain, absl::FunctionRef<void(size_t, size_t)> body) override {
    {
      std::unique_lock lock(mutex_);
      ++waiting_;
      changed_.notify_all();
      changed_.wait(lock, [&] { return !is_shut_; });
      --waiting_;
    }
    InlineExecutor::ParallelFor(count, grain, body);
  }
  void Shut(bool is_shut) {
    const std::lock_guard lock(mutex_);
    is_shut_ = is_shut;
    changed_.notify_all();
  }
  bool WaitForSomebody() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return waiting_ != 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool is_shut_ = false;
};

// A hundred blocks, and more that spend what matures.
ChainBuilder SpendingChain(uint32_t blocks) {
  ChainBuilder chain;
  while (chain.height() < blocks) {
    std::vector<TestTransaction> transactions;
    if (chain.height() >= 100) transactions.push_back(chain.Spend({chain.CoinbaseOf(chain.height() - 99)}, 3, 1000));
    chain.Add(std::move(transactions));
  }
  return chain;
}

class WholeSetWorkTest : public ::testing::Test {
 protected:
  WholeSetWorkTest() {
    options_.directory = directory_.File("node");
    options_.executor = &executor_;
    options_.whole_set_executor = &gate_;
  }
  ~WholeSetWorkTest() override {
    gate_.Shut(false);
    Stop();
  }

  void Start() {
    node_ = std::make_unique<TestNode>(options_);
    must_stop_ = false;
    engine_ = std::thread([this] {
      while (!must_stop_) {
        const auto turned = node_->Turn();
        ASSERT_TRUE(turned.ok()) << turned.status();
        if (!*turned) std::this_thread::sleep_for(std::chrono::microseconds(50));
      }
    });
  }
  void Stop() {
    if (!engine_.joinable()) return;
    must_stop_ = true;
    engine_.join();
    EXPECT_TRUE(node_->Shutdown().ok());
  }

  NodeFacade& facade() { return node_->node().facade(); }
  void Submit(const ChainBuilder& chain, uint32_t from_height = 1) {
    for (uint32_t height = from_height; height <= chain.height(); ++height) {
      const ByteSpan raw = chain.blocks()[height - 1]->raw->bytes();
      const auto answer = facade().Submit({raw.begin(), raw.end()});
      ASSERT_TRUE(answer.ok()) << answer.status();
      ASSERT_EQ(*answer, "") << height;
    }
  }
  static void ExpectSetOf(const absl::StatusOr<CoinSetStatistics>& set, const ChainBuilder& chain) {
    ASSERT_TRUE(set.ok()) << set.status();
    EXPECT_EQ(set->best.height, chain.height());
    EXPECT_EQ(set->coins, chain.coins().size());
    EXPECT_EQ(set->hash_serialized, HashSerialized3(chain.coins()));
    EXPECT_EQ(set->muhash, MuHashOf(chain.coins()));
  }

  TemporaryDirectory directory_;
  InlineExecutor executor_;
  GateExecutor gate_;
  TestNodeOptions options_;
  std::unique_ptr<TestNode> node_;
  std::thread engine_;
  std::atomic<bool> must_stop_{false};
};

TEST_F(WholeSetWorkTest, TheTipMovesOnMeanwhile) {
  Start();
  ChainBuilder chain = SpendingChain(110);
  Submit(chain);
  gate_.Shut(true);
  auto set = std::async(std::launch::async, [&] { return facade().CoinSet({}); });
  ASSERT_TRUE(gate_.WaitForSomebody());
  const ChainBuilder before = chain;
  for (int i = 0; i < 10; ++i) chain.Add({chain.Spend({chain.CoinbaseOf(chain.height() - 99)}, 3, 1000)});
  Submit(chain, before.height() + 1);
  EXPECT_EQ(facade().AppliedTip()->height, 120u) << "the engine stood still";
  // And back below the block whose set is being read, onto nothing of it.
  ASSERT_TRUE(facade().Invalidate(chain.blocks()[104]->hash).ok());
  EXPECT_EQ(facade().AppliedTip()->height, 104u);
  EXPECT_EQ(set.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  gate_.Shut(false);
  ExpectSetOf(set.get(), before);
  ChainBuilder below = chain;
  below.TruncateTo(104);
  ExpectSetOf(facade().CoinSet({}), below);
}

// Nothing is written for a question when the blocks above the last checkpoint are few; when they are many, a checkpoint
// is.
TEST_F(WholeSetWorkTest, ACheckpointIsMadeOnlyWhenItIsNeeded) {
  Start();
  ChainBuilder chain;
  for (int i = 0; i < 3; ++i) chain.Add();
  Submit(chain);
  ExpectSetOf(facade().CoinSet({}), chain);
  EXPECT_EQ(node_->coins().counters().checkpoints, 1u) << "there was none";
  while (chain.height() < 3 + WholeSetWork::kForwardBlocksMax) chain.Add();
  Submit(chain, 4);
  ExpectSetOf(facade().CoinSet({}), chain);
  EXPECT_EQ(node_->coins().counters().checkpoints, 1u) << "the blocks are near enough";
  const uint32_t above = chain.height() + 1;
  chain.Add();
  Submit(chain, above);
  ExpectSetOf(facade().CoinSet({}), chain);
  EXPECT_EQ(node_->coins().counters().checkpoints, 2u);
}

// Checkpoints without end, a shard a step, windows between the steps: what is pinned is never of one block.
TEST_F(WholeSetWorkTest, SetsOfAMovingTipAreTheirBlocks) {
  options_.checkpoint_step_bytes = 1;
  options_.node.pipeline.checkpoint_interval_ns = 1;
  options_.node.pipeline.window_blocks_max = 2;
  Start();
  const ChainBuilder chain = SpendingChain(400);
  std::map<Hash256, Hash256> set_of_block;
  ChainBuilder below = chain;
  while (below.height() > 0) {
    set_of_block[below.blocks().back()->hash] = HashSerialized3(below.coins());
    below.TruncateTo(below.height() - 1);
  }
  std::atomic<bool> is_over{false};
  auto asking = std::async(std::launch::async, [&] {
    int compared = 0;
    while (!is_over) {
      const auto set = facade().CoinSet({.serialized = true, .muhash = false});
      if (!set.ok()) {
        ADD_FAILURE() << set.status();
        break;
      }
      if (set->best.height == 0) continue;
      EXPECT_EQ(set->hash_serialized, set_of_block.at(set->best.hash)) << set->best.height;
      ++compared;
    }
    return compared;
  });
  Submit(chain);
  is_over = true;
  EXPECT_GT(asking.get(), 3);
  ExpectSetOf(facade().CoinSet({}), chain);
}

// Windows of more blocks than are ever read again, while a checkpoint is copied a shard a turn: an answer comes all the
// same, and the download goes on behind it.
TEST_F(WholeSetWorkTest, InTheMiddleOfALongDownload) {
  options_.checkpoint_step_bytes = 1;
  options_.node.pipeline.checkpoint_interval_ns = 1;
  options_.node.pipeline.window_blocks_max = WholeSetWork::kForwardBlocksMax + 100;
  options_.node.pipeline.read_ahead_blocks = WholeSetWork::kForwardBlocksMax + 100;
  Start();
  ChainBuilder chain;
  while (chain.height() < 4000) chain.Add();
  auto asking = std::async(std::launch::async, [&] {
    std::vector<CoinSetStatistics> sets;
    do {
      const auto set = facade().CoinSet({.serialized = true, .muhash = false});
      if (!set.ok()) {
        ADD_FAILURE() << set.status();
        break;
      }
      sets.push_back(*set);
    } while (sets.back().best.height < chain.height());
    return sets;
  });
  for (const auto& block : chain.blocks()) {
    while (!node_->node().OfferBlock({SharedBytes::From(block->raw)})) std::this_thread::yield();
  }
  ASSERT_EQ(asking.wait_for(kPatience), std::future_status::ready);
  const std::vector<CoinSetStatistics> sets = asking.get();
  ChainBuilder below = chain;
  for (auto set = sets.rbegin(); set != sets.rend(); ++set) {
    EXPECT_EQ(set->coins, set->best.height);
    if (set->best.height == 0) continue;
    below.TruncateTo(set->best.height);
    EXPECT_EQ(set->best.hash, below.blocks().back()->hash);
    EXPECT_EQ(set->hash_serialized, HashSerialized3(below.coins()));
  }
}

TEST_F(WholeSetWorkTest, EndsWhenTheNodeStops) {
  Start();
  const ChainBuilder chain = SpendingChain(105);
  Submit(chain);
  const std::string path = directory_.File("set.dat");
  gate_.Shut(true);
  auto set = std::async(std::launch::async, [&] { return facade().CoinSet({}); });
  ASSERT_TRUE(gate_.WaitForSomebody());
  // Waits for the first.
  auto snapshot = std::async(std::launch::async, [&] { return facade().WriteSnapshot(path); });
  node_->node().StopWholeSetWork();
  gate_.Shut(false);
  EXPECT_EQ(set.get().status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(snapshot.get().status().code(), absl::StatusCode::kUnavailable);
  EXPECT_FALSE(std::filesystem::exists(path) || std::filesystem::exists(path + ".incomplete"));
  EXPECT_EQ(facade().AppliedTip()->height, 105u) << "other questions are answered as before";
}

TEST_F(WholeSetWorkTest, AStoppedEngineTurnsAway) {
  Start();
  Submit(SpendingChain(3));
  Stop();
  EXPECT_EQ(facade().CoinSet({}).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(WholeSetWorkTest, SnapshotsHoldTheTip) {
  Start();
  const ChainBuilder chain = SpendingChain(130);
  Submit(chain);
  const std::string path = directory_.File("set.dat");
  const auto facts = facade().WriteSnapshot(path);
  ASSERT_TRUE(facts.ok()) << facts.status();
  EXPECT_EQ(facts->set.best.hash, chain.blocks().back()->hash);
  EXPECT_EQ(facts->set.hash_serialized, HashSerialized3(chain.coins()));
  EXPECT_EQ(facts->chain_transactions, 1u + 130 + 30) << "genesis, a coinbase a block, and one that spends in thirty";
  const PlainSnapshot snapshot(ReadFileBytes(path));
  EXPECT_EQ(snapshot.base, chain.blocks().back()->hash);
  ASSERT_EQ(snapshot.coins.size(), chain.coins().size());
  auto wanted = chain.coins().begin();
  for (const auto& [outpoint, coin] : snapshot.coins) {
    ASSERT_EQ(outpoint, wanted->first);
    ASSERT_EQ((TestCoin{coin.amount, coin.height, coin.is_coinbase, coin.script}), wanted->second);
    ++wanted;
  }
  EXPECT_EQ(facade().WriteSnapshot(path).status().code(), absl::StatusCode::kAlreadyExists);
}

// At a stop height the pipeline is not turned any more, and questions are answered all the same.
TEST_F(WholeSetWorkTest, AtAStopHeight) {
  options_.node.stop_at_height = 50;
  Start();
  ChainBuilder chain = SpendingChain(60);
  for (const auto& block : chain.blocks()) node_->node().OfferBlock({SharedBytes::From(block->raw)});
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!node_->node().reached_stop_height() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ASSERT_TRUE(node_->node().reached_stop_height());
  chain.TruncateTo(50);
  ExpectSetOf(facade().CoinSet({}), chain);
}

}  // namespace
}  // namespace headrace::testing
