#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <random>
#include <thread>

#include "engine/base/span.h"
#include "engine/runtime/tbb_executor.h"
#include "gtest/gtest.h"
#include "tests/engine/validation/pipeline_fixture.h"
#include "tests/support/captured_log.h"
#include "tests/support/holding_executor.h"
#include "tests/support/node/test_node.h"

namespace headrace {
namespace {

using testing::CapturedLog;
using testing::ChainBuilder;
using testing::HoldingExecutor;
using testing::kFalseScript;
using testing::kTrueScript;
using testing::TemporaryDirectory;
using testing::TestBlock;
using testing::TestNode;
using testing::TestNodeOptions;
using testing::TestTransaction;

TEST_F(PipelineTest, AChainInAnyOrderEndsWithItsCoins) {
  ChainBuilder chain;
  Grow(chain, 260);
  TestNode node(Options());
  node.OfferShuffled(chain, 3);
  node.RunUntilQuiet();
  EXPECT_EQ(node.Status().applied_height, chain.height());
  EXPECT_EQ(node.Status().applied_hash, chain.blocks().back()->hash);
  node.ExpectCoins(chain.coins());
}

TEST_F(PipelineTest, ABadScriptUnderFiftyResolvedBlocksIsTakenBackAndNothingOfItWasEverSeen) {
  ChainBuilder chain;
  Grow(chain, 110);
  // The output that nothing can satisfy is made at height 111 and spent at the bad height.
  TestTransaction unsatisfiable = chain.Spend({chain.CoinbaseOf(11)}, 1);
  unsatisfiable.outputs[0].script = kFalseScript;
  chain.Add({unsatisfiable});
  Grow(chain, 20);
  const uint32_t bad_height = chain.height() + 1;
  const ChainBuilder good = chain;
  chain.Add({chain.Spend({{unsatisfiable.Txid(), 0}}, 1)});
  Grow(chain, 50);

  // Blocks up to 100 have no scripts to check; from there on there is one batch a block.
  constexpr uint32_t kHeldAbove = 105;
  HoldingExecutor holding(*executor_, kHeldAbove - 100);
  TestNodeOptions options = Options(&holding);
  options.node.pipeline.checkpoint_interval_ns = 1;
  TestNode node(options);

  std::atomic<bool> stop{false};
  std::atomic<int> samples{0};
  std::string seen_too_early;
  std::thread reader([&] {
    std::mt19937 random(5);
    std::vector<uint8_t> script;
    while (!stop.load()) {
      const uint32_t height = 1 + random() % chain.height();
      Coin coin;
      const auto found = node.node().FindCoin(chain.CoinbaseOf(height), coin, script);
      const BlockPoint tip = node.node().AppliedTip();
      if (!found.ok()) seen_too_early = found.status().ToString();
      if (found.ok() && *found && coin.height > tip.height) seen_too_early = "a coin above the applied tip";
      if (tip.height >= bad_height) seen_too_early = "a tip at or above the bad block";
      samples.fetch_add(1);
    }
  });

  OfferFrom(node, chain, 1);
  node.RunUntil([&] {
    return node.node().Status().resolved_height >= bad_height + 50 && node.node().AppliedTip().height >= kHeldAbove;
  });
  node.RunUntilNothingMoves();
  EXPECT_EQ(node.node().AppliedTip().height, kHeldAbove);
  {
    // Spent by a block above the applied tip: still there for readers. Spent by the applied tip: gone.
    Coin coin;
    std::vector<uint8_t> script;
    EXPECT_TRUE(*node.node().FindCoin(chain.CoinbaseOf(kHeldAbove + 1 - 100), coin, script));
    EXPECT_FALSE(*node.node().FindCoin(chain.CoinbaseOf(kHeldAbove - 100), coin, script));
  }
  holding.LetGo();
  node.RunUntilQuiet();
  stop = true;
  reader.join();

  EXPECT_EQ(seen_too_early, "");
  EXPECT_GT(samples.load(), 0);
  EXPECT_EQ(node.Status().applied_height, bad_height - 1);
  EXPECT_EQ(node.Status().applied_hash, good.blocks().back()->hash);
  EXPECT_EQ(node.Status().header_height, bad_height - 1);
  node.ExpectCoins(good.coins());
}

class ReorgTest : public PipelineTest, public ::testing::WithParamInterface<uint32_t> {};

TEST_P(ReorgTest, TheBranchWithMoreWorkWinsAndTheCoinsAreItsOwn) {
  const uint32_t depth = GetParam();
  ChainBuilder chain;
  Grow(chain, 120);
  ChainBuilder other = chain;
  Grow(chain, depth);
  TestNode node(Options());
  OfferFrom(node, chain, 1);
  node.RunUntilQuiet();
  ASSERT_EQ(node.Status().applied_height, chain.height());
  // Equal work keeps the first seen.
  Grow(other, depth, 1);
  OfferFrom(node, other, 121);
  node.RunUntilQuiet();
  EXPECT_EQ(node.Status().applied_hash, chain.blocks().back()->hash);
  Grow(other, 1, 1);
  node.Offer(*other.blocks().back());
  node.RunUntilQuiet();
  EXPECT_EQ(node.Status().applied_hash, other.blocks().back()->hash);
  EXPECT_EQ(node.Status().reorganisations, 1u);
  node.ExpectCoins(other.coins());
  // And back.
  Grow(chain, 2);
  OfferFrom(node, chain, chain.height() - 1);
  node.RunUntilQuiet();
  EXPECT_EQ(node.Status().applied_hash, chain.blocks().back()->hash);
  EXPECT_EQ(node.Status().reorganisations, 2u);
  node.ExpectCoins(chain.coins());
}

INSTANTIATE_TEST_SUITE_P(Depths, ReorgTest, ::testing::Values(1, 2, 6, 150));

TEST_F(PipelineTest, ABranchThatTurnsOutInvalidHalfWayLeadsBack) {
  ChainBuilder chain;
  Grow(chain, 120);
  ChainBuilder other = chain;
  Grow(chain, 5);
  Grow(other, 3, 1);
  // It creates more than it may.
  other.Add({}, 51 * kCoin, 1);
  Grow(other, 6, 1);
  TestNode node(Options());
  OfferFrom(node, chain, 1);
  node.RunUntilQuiet();
  OfferFrom(node, other, 121);
  node.RunUntilQuiet();
  EXPECT_EQ(node.Status().applied_hash, chain.blocks().back()->hash);
  EXPECT_EQ(node.Status().header_height, chain.height());
  node.ExpectCoins(chain.coins());
}

struct Offence {
  const char* name;
  std::function<void(ChainBuilder&)> add_bad_block;
  Rule rule;
};

TEST_F(PipelineTest, EachSpendingOffenceStopsTheChainBelowItsBlock) {
  const std::vector<Offence> offences = {
      {"missing input",
       [](ChainBuilder& chain) {
         TestTransaction transaction = chain.Spend({chain.CoinbaseOf(5)}, 1);
         transaction.inputs[0].index = 9;
         chain.Add({transaction}, 50 * kCoin);
       },
       Rule::kInputsMissingOrSpent},
      {"spent twice in one block",
       [](ChainBuilder& chain) {
         TestTransaction once = chain.Spend({chain.CoinbaseOf(5)}, 1);
         TestTransaction again = chain.Spend({chain.CoinbaseOf(5)}, 2);
         chain.Add({once, again}, 50 * kCoin);
       },
       Rule::kInputsMissingOrSpent},
      {"spent before it is created",
       [](ChainBuilder& chain) {
         TestTransaction parent = chain.Spend({chain.CoinbaseOf(5)}, 1);
         TestTransaction child;
         child.inputs = {{parent.Txid(), 0}};
         child.outputs = {{1, kTrueScript}};
         chain.Add({child, parent}, 50 * kCoin);
       },
       Rule::kInputsMissingOrSpent},
      {"immature coinbase", [](ChainBuilder& chain) { chain.Add({chain.Spend({chain.CoinbaseOf(chain.height() - 98)}, 1)}); },
       Rule::kCoinbasePremature},
      {"creates money",
       [](ChainBuilder& chain) {
         TestTransaction transaction = chain.Spend({chain.CoinbaseOf(5)}, 1);
         transaction.outputs[0].amount += 1;
         chain.Add({transaction}, 50 * kCoin);
       },
       Rule::kInBelowOut},
      {"pays itself too much", [](ChainBuilder& chain) { chain.Add({}, 50 * kCoin + 1); }, Rule::kCoinbaseAmount},
  };
  for (const Offence& offence : offences) {
    SCOPED_TRACE(offence.name);
    TemporaryDirectory directory;
    ChainBuilder chain;
    for (int i = 0; i < 110; ++i) chain.Add();
    const ChainBuilder good = chain;
    offence.add_bad_block(chain);
    for (int i = 0; i < 10; ++i) chain.Add();
    TestNodeOptions options = Options();
    options.directory = directory.path();
    TestNode node(options);
    CapturedLog log;
    OfferFrom(node, chain, 1);
    node.RunUntilQuiet();
    EXPECT_TRUE(log.Has(" height=111 reason=" + std::string(InfoFor(offence.rule).reject_reason)));
    EXPECT_EQ(node.Status().applied_hash, good.blocks().back()->hash);
    node.ExpectCoins(good.coins());
  }
}

TEST_F(PipelineTest, ALongChainInsideOneBlockAndAcrossOneWindow) {
  ChainBuilder chain;
  for (int i = 0; i < 101; ++i) chain.Add();
  TestTransaction first = chain.Spend({chain.CoinbaseOf(1)}, 1);
  std::vector<TestTransaction> transactions{first};
  for (int i = 0; i < 50; ++i) {
    TestTransaction next;
    next.inputs = {{transactions.back().Txid(), 0}};
    next.outputs = {{transactions.back().outputs[0].amount, kTrueScript}};
    transactions.push_back(next);
  }
  const OutPoint last{transactions.back().Txid(), 0};
  chain.Add(transactions, 50 * kCoin);
  chain.Add({chain.Spend({last}, 4)});
  TestNode node(Options());
  OfferFrom(node, chain, 1);
  node.RunUntilQuiet();
  EXPECT_EQ(node.Status().applied_height, chain.height());
  node.ExpectCoins(chain.coins());
}

TEST_F(PipelineTest, ARestartGoesOnWhereItWasAndAKillLosesNothingThatWasStored) {
  ChainBuilder chain;
  Grow(chain, 200);
  {
    TestNode node(Options());
    for (uint32_t h = 1; h <= 150; ++h) node.Offer(*chain.blocks()[h - 1]);
    node.RunUntilQuiet();
    ASSERT_TRUE(node.Shutdown().ok());
  }
  {
    TestNode node(Options());
    EXPECT_EQ(node.Status().applied_height, 150u);
    OfferFrom(node, chain, 151);
    node.RunUntilQuiet();
    EXPECT_EQ(node.Status().applied_height, 200u);
    // Gone without a word: the checkpoint of the first run is what is left, and the blocks above it are in their files.
  }
  TestNode node(Options());
  node.RunUntilQuiet();
  EXPECT_EQ(node.Status().applied_height, 200u);
  node.ExpectCoins(chain.coins());
}

// A clock that ticks when it is looked at, and the lengths of what is recorded.
class TickingRecorder final : public SpanRecorder {
 public:
  TickingRecorder() { SetSpanRecorder(this); }
  ~TickingRecorder() override { SetSpanRecorder(nullptr); }
  int64_t NowNs() const override { return ticks_.fetch_add(1) + 1; }
  void Record(SpanKind kind, int64_t begin_ns, int64_t end_ns) override {
    const std::lock_guard lock(mutex_);
    lengths_[static_cast<size_t>(kind)].push_back(end_ns - begin_ns);
  }
  SpanTotals Totals() const override { return {}; }
  SpanLengthsByKind Lengths() const override { return {}; }
  std::vector<int64_t> Of(SpanKind kind) const {
    const std::lock_guard lock(mutex_);
    return lengths_[static_cast<size_t>(kind)];
  }

 private:
  mutable std::atomic<int64_t> ticks_{0};
  mutable std::mutex mutex_;
  std::array<std::vector<int64_t>, kSpanKindCount> lengths_;
};

TEST_F(PipelineTest, StepsOfACheckpointHoldUpTheWindowsThatFollowThemAtOnce) {
  for (const bool has_checkpoints : {false, true}) {
    SCOPED_TRACE(has_checkpoints);
    const TickingRecorder recorder;
    TemporaryDirectory directory;
    ChainBuilder chain;
    Grow(chain, 60);
    TestNodeOptions options = Options();
    options.directory = directory.path();
    options.node.pipeline.window_blocks_max = 1;
    if (!has_checkpoints) options.node.pipeline.checkpoint_interval_ns = INT64_MAX;
    TestNode node(options);
    OfferFrom(node, chain, 1);
    node.RunUntilQuiet();
    ASSERT_EQ(node.Status().applied_height, chain.height());
    const std::vector<int64_t> steps = recorder.Of(SpanKind::kCheckpoint);
    const std::vector<int64_t> held_up = recorder.Of(SpanKind::kHeldUp);
    EXPECT_EQ(held_up.empty(), !has_checkpoints);
    EXPECT_LE(held_up.size(), recorder.Of(SpanKind::kResolve).size());
    for (const int64_t length : held_up) EXPECT_NE(std::ranges::count(steps, length), 0) << length;
    // Steps that nothing came after held nobody up.
    node.PassTime(3600);
    node.RunUntilNothingMoves();
    EXPECT_EQ(recorder.Of(SpanKind::kHeldUp).size(), held_up.size());
  }
}

TEST_F(PipelineTest, ACheckpointIsMadeWhenItSavesAReplayWorthIt) {
  ChainBuilder chain;
  Grow(chain, 30);
  uint64_t chain_bytes = 0;
  for (const auto& block : chain.blocks()) chain_bytes += block->raw->size();
  TestNodeOptions options = Options();
  options.node.pipeline.checkpoint_interval_ns = int64_t{60} * 1'000'000'000;
  options.node.pipeline.checkpoint_replay_bytes_min = chain_bytes + 1;
  TestNode node(options);
  const auto checkpoints_after = [&](int64_t seconds) {
    node.PassTime(seconds);
    node.RunUntilNothingMoves();
    return node.coins().counters().checkpoints;
  };
  OfferFrom(node, chain, 1);
  node.RunUntilQuiet();
  EXPECT_EQ(checkpoints_after(50), 0u);
  // One byte too few: the files are synced, once, and that is all.
  const uint64_t changes = node.disk_changes();
  EXPECT_EQ(checkpoints_after(20), 0u);
  const uint64_t synced = node.disk_changes();
  EXPECT_GT(synced, changes);
  EXPECT_EQ(checkpoints_after(3600), 0u);
  EXPECT_EQ(node.disk_changes(), synced);
  const auto run_until_checkpoints = [&](uint64_t count) {
    node.RunUntil([&] { return node.coins().counters().checkpoints == count; });
  };
  node.PassTime(24 * 3600);
  run_until_checkpoints(1);
  // Nothing is new.
  EXPECT_EQ(checkpoints_after(24 * 3600), 1u);
  // Enough at last, and the interval is long over.
  Grow(chain, 31);
  OfferFrom(node, chain, 31);
  node.RunUntilQuiet();
  node.PassTime(1);
  run_until_checkpoints(2);
}

// Coins of old segments that are not in memory.
class ColdCoinsTest : public PipelineTest {
 protected:
  // A node whose coins are all in files, and a chain that is ten blocks longer, each of which spends a coin of its own.
  void SetUp() override {
    Grow(chain_, 150);
    {
      TestNode node(Options());
      node.OfferShuffled(chain_, 1);
      node.RunUntilQuiet();
      ASSERT_TRUE(node.Shutdown().ok());
    }
    Grow(chain_, 10);
    node_ = std::make_unique<TestNode>(Options());
    node_->memory().SetShort(true);
    node_->memory().HoldReads(true);
    OfferFrom(*node_, chain_, 151);
  }

  ChainBuilder chain_;
  std::unique_ptr<TestNode> node_;
};

TEST_F(ColdCoinsTest, BlocksWaitForTheDiskInOrderAndAreAllAskedForAtOnce) {
  node_->RunUntil([&] { return node_->memory().held().size() == 10; });
  node_->RunUntilNothingMoves();
  EXPECT_EQ(node_->Status().applied_height, 150u);
  ASSERT_EQ(node_->memory().held().size(), 10u);
  // Reads end in another order: the first block's last.
  for (int i = 0; i < 5; ++i) node_->memory().Release(3);
  node_->RunUntilNothingMoves();
  EXPECT_EQ(node_->Status().applied_height, 150u);
  node_->memory().Release(0);
  node_->memory().Release(0);
  node_->RunUntil([&] { return node_->Status().applied_height == 152; });
  node_->RunUntilNothingMoves();
  EXPECT_EQ(node_->Status().applied_height, 152u);
  node_->memory().HoldReads(false);
  node_->RunUntil([&] { return node_->Status().applied_height == chain_.height(); });
  node_->ExpectCoins(chain_.coins());
}

TEST_F(ColdCoinsTest, AReadThatFailsStopsTheNodeAndIsNoVerdict) {
  node_->RunUntil([&] { return node_->memory().held().size() == 10; });
  node_->RunUntilNothingMoves();
  node_->memory().Fail(0);
  absl::Status status;
  for (int turn = 0; turn < 50 && status.ok(); ++turn) status = node_->Turn().status();
  EXPECT_EQ(status.message(), "The disk did not read it.");
  EXPECT_EQ(node_->node().AppliedTip().height, 150u);
  node_.reset();
  TestNode again(Options());
  again.RunUntilQuiet();
  OfferFrom(again, chain_, 151);
  again.RunUntilQuiet();
  EXPECT_EQ(again.Status().applied_height, chain_.height());
  again.ExpectCoins(chain_.coins());
}

TEST_F(ColdCoinsTest, ANodeMayGoWhileItsReadsAreOut) {
  node_->RunUntil([&] { return node_->memory().held().size() == 10; });
  node_->RunUntilNothingMoves();
  ASSERT_FALSE(node_->memory().held().empty());
  node_.reset();
}

TEST_F(PipelineTest, TheStopHeightIsExact) {
  ChainBuilder chain;
  Grow(chain, 150);
  TestNodeOptions options = Options();
  options.node.stop_at_height = 77;
  TestNode node(options);
  OfferFrom(node, chain, 1);
  node.RunUntil([&] { return node.node().reached_stop_height(); });
  EXPECT_EQ(node.Status().applied_height, 77u);
  EXPECT_EQ(node.Status().resolved_height, 77u);
  chain.TruncateTo(77);
  node.ExpectCoins(chain.coins());
}

TEST_F(PipelineTest, TinyLimitsHoldUpNothing) {
  ChainBuilder chain;
  Grow(chain, 300);
  TestNodeOptions options = Options();
  options.node.pipeline.graph_blocks_max = 2;
  options.node.pipeline.ready_blocks_max = 2;
  options.node.pipeline.ahead_blocks_max = 2;
  options.node.pipeline.read_ahead_blocks = 2;
  options.node.pipeline.window_blocks_max = 2;
  TestNode node(options);
  node.OfferShuffled(chain, 9);
  node.RunUntilQuiet();
  EXPECT_EQ(node.Status().applied_height, chain.height());
  node.ExpectCoins(chain.coins());
}

// A transaction that is cut into several batches: whole, and with one input that fails near the end.
TEST_F(PipelineTest, AVeryWideTransactionIsCheckedInEveryPart) {
  for (const bool is_bad : {false, true}) {
    SCOPED_TRACE(is_bad);
    TemporaryDirectory directory;
    ChainBuilder chain;
    for (int i = 0; i < 101; ++i) chain.Add();
    TestTransaction fan = chain.Spend({chain.CoinbaseOf(1)}, 700);
    if (is_bad) fan.outputs[650].script = kFalseScript;
    chain.Add({fan});
    const ChainBuilder good = chain;
    std::vector<OutPoint> all;
    for (uint32_t o = 0; o < 700; ++o) all.push_back({fan.Txid(), o});
    chain.Add({chain.Spend(all, 1)});
    TestNodeOptions options = Options();
    options.directory = directory.path();
    TestNode node(options);
    CapturedLog log;
    OfferFrom(node, chain, 1);
    node.RunUntilQuiet();
    EXPECT_EQ(log.Has(" transaction=1 input=650"), is_bad);
    node.ExpectCoins(is_bad ? good.coins() : chain.coins());
  }
}

// What was taken back no longer counts: blocks ahead of the tip are bounded by bytes.
TEST_F(PipelineTest, BadBlocksOneAfterAnotherLeaveRoomForTheNext) {
  ChainBuilder chain;
  Grow(chain, 110);
  TestTransaction unsatisfiable = chain.Spend({chain.CoinbaseOf(11)}, 1);
  unsatisfiable.outputs[0].script = kFalseScript;
  chain.Add({unsatisfiable});
  TestNodeOptions options = Options();
  options.node.pipeline.ahead_bytes_max = 2'000;
  TestNode node(options);
  OfferFrom(node, chain, 1);
  node.RunUntilQuiet();
  for (uint32_t i = 1; i <= 20; ++i) {
    ChainBuilder bad = chain;
    bad.Add({bad.Spend({{unsatisfiable.Txid(), 0}}, 1)}, -1, i);
    node.Offer(*bad.blocks().back());
    node.RunUntilQuiet();
    ASSERT_EQ(node.Status().applied_height, chain.height());
  }
  Grow(chain, 3);
  OfferFrom(node, chain, chain.height() - 2);
  node.RunUntilQuiet();
  EXPECT_EQ(node.Status().applied_height, chain.height());
}

}  // namespace
}  // namespace headrace
