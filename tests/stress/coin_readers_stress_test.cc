// Readers of single coins beside everything that the writer does to the store: windows, growth of the shards, survivors
// moved to old segments, compaction, checkpoints, windows that are refused, and reorganisations. Every answer is held
// against the naive set.
//
// The steps are planned on the naive set first, which yields for every outpoint the steps at which it changed. A reader
// notes how many steps were done when it began and how many had begun when it ended: its answer must be what the naive
// set held after some step in between, whole. (That is: a read takes effect at one moment between its call and its
// return.)

#include <atomic>
#include <map>
#include <optional>
#include <thread>
#include <vector>

#include "engine/runtime/tbb_executor.h"
#include "gtest/gtest.h"
#include "tests/storage/coins/coin_world.h"
#include "tests/stress/stress_size.h"

namespace headrace::testing {
namespace {

// Nothing: no coin.
using CoinState = std::optional<NaiveCoin>;

struct CoinChange {
  int step;  // the first after which the coin is like this
  CoinState state;
};

class StorePlan {
 public:
  enum class Kind : uint8_t { kApply, kUnapply, kRefuse };
  struct Step {
    Kind kind;
    std::vector<std::shared_ptr<WorldBlock>> window;
  };

  StorePlan(uint64_t seed, int steps) : world_(seed, 64 << 20) {
    Apply(6, 0, 1'500);
    while (static_cast<int>(steps_.size()) < steps) {
      const uint64_t what = world_.Below(8);
      if (what == 0) {
        Refuse();
      } else if (what == 1 && world_.height() > 20) {
        Unapply(1 + world_.Below(12));
      } else if (what == 2) {
        Apply(1, 0, 1'500);  // growth
      } else {
        Apply(1 + world_.Below(6), world_.Below(400), world_.Below(350));
      }
    }
    for (const auto& [outpoint, changes] : history_) outpoints_.push_back(outpoint);
  }

  CoinWorld& world() { return world_; }
  const std::vector<Step>& steps() const { return steps_; }
  const std::vector<OutPoint>& outpoints() const { return outpoints_; }

  // Whether `answer` is what the set held after one of the steps `first` to `last` (0: before the first step).
  bool IsPossible(const OutPoint& outpoint, const CoinState& answer, int first, int last) const {
    // What held at `first` is the last change up to it; an outpoint without one was no coin.
    bool is_first_known = false;
    const std::vector<CoinChange>& changes = history_.at(outpoint);
    for (auto change = changes.rbegin(); change != changes.rend() && !is_first_known; ++change) {
      if (change->step > last) continue;
      if (change->state == answer) return true;
      is_first_known = change->step <= first;
    }
    return !is_first_known && !answer;
  }

 private:
  void Apply(size_t count, size_t spends, size_t creations) {
    world_.ApplyRandom(count, spends, creations);
    Record(Kind::kApply, {world_.chain().end() - static_cast<ptrdiff_t>(count), world_.chain().end()});
  }
  void Unapply(size_t count) {
    std::vector<std::shared_ptr<WorldBlock>> window(world_.chain().end() - static_cast<ptrdiff_t>(count),
                                                    world_.chain().end());
    world_.UnapplyLast(count);
    Record(Kind::kUnapply, std::move(window));
  }
  // A good block, and one whose last transaction spends what does not exist.
  void Refuse() {
    const NaiveBlock good = world_.MakeBlock(100, 100);
    NaiveBlock bad;
    bad.height = good.height + 1;
    bad.transactions.resize(2);
    bad.transactions[0] = {RandomHash(world_.random()), {{Hash256(), OutPoint::kNullIndex}}, {{1, {0x51}}}};
    bad.transactions[1] = {RandomHash(world_.random()), {{RandomHash(world_.random()), 0}}, {{1, {0x51}}}};
    const auto first = world_.Finish(good, world_.tip());
    Record(Kind::kRefuse, {first, world_.Finish(bad, first->hash)});
  }

  void Record(Kind kind, std::vector<std::shared_ptr<WorldBlock>> window) {
    const int step = static_cast<int>(steps_.size()) + 1;
    for (const auto& block : window) {
      for (const NaiveTransaction& transaction : block->naive.transactions) {
        for (uint32_t o = 0; o < transaction.outputs.size(); ++o) Look({transaction.txid, o}, step);
        if (&transaction == &block->naive.transactions[0]) continue;
        for (const OutPoint& input : transaction.inputs) Look(input, step);
      }
    }
    steps_.push_back({kind, std::move(window)});
  }
  void Look(const OutPoint& outpoint, int step) {
    const auto found = world_.naive().coins().find(outpoint);
    const CoinState now = found == world_.naive().coins().end() ? CoinState() : CoinState(found->second);
    std::vector<CoinChange>& changes = history_[outpoint];
    if ((changes.empty() ? CoinState() : changes.back().state) == now) return;
    changes.push_back({step, now});
  }

  CoinWorld world_;
  std::vector<Step> steps_;
  std::map<OutPoint, std::vector<CoinChange>> history_;
  std::vector<OutPoint> outpoints_;
};

class CoinReadersStress : public ::testing::TestWithParam<uint64_t> {
 protected:
  void Read(const FlatCoinStore& store, uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<uint8_t> script;
    BusyPause pause;
    while (!stop_.load(std::memory_order_relaxed)) {
      const OutPoint& outpoint = plan_.outpoints()[random() % plan_.outpoints().size()];
      const int first = done_.load(std::memory_order_acquire);
      Coin coin;
      const auto found = store.Find(outpoint, coin, script);
      const int last = begun_.load(std::memory_order_acquire);
      ASSERT_TRUE(found.ok()) << found.status();
      CoinState answer;
      if (*found) answer = {coin.amount, coin.height, coin.is_coinbase, {coin.script.begin(), coin.script.end()}};
      ASSERT_TRUE(plan_.IsPossible(outpoint, answer, first, last))
          << (answer ? "a coin" : "no coin") << " between steps " << first << " and " << last;
      reads_.fetch_add(1, std::memory_order_relaxed);
      pause.AfterOne();
      if (answer) coins_read_.fetch_add(1, std::memory_order_relaxed);
    }
  }

  void Carry(FlatCoinStore& store, const StorePlan::Step& step) {
    CoinWorld& world = plan_.world();
    switch (step.kind) {
      case StorePlan::Kind::kApply:
        world.ApplyToStore(store, step.window, true);
        break;
      case StorePlan::Kind::kUnapply:
        world.UnapplyFrom(store, step.window);
        break;
      case StorePlan::Kind::kRefuse: {
        const auto outcome = world.TryWindow(store, step.window);
        ASSERT_TRUE(outcome.ok()) << outcome.status();
        ASSERT_EQ(*outcome, WindowOutcome::kViolated);
        break;
      }
    }
    store.SetApplied(store.resolved());
  }

  StorePlan plan_{GetParam(), StressRounds(90)};
  std::atomic<bool> stop_{false};
  std::atomic<int> begun_{0};
  std::atomic<int> done_{0};
  std::atomic<uint64_t> reads_{0};
  std::atomic<uint64_t> coins_read_{0};
};

TEST_P(CoinReadersStress, EveryAnswerIsTheNaiveSetsAtSomeMomentOfTheRead) {
  ASSERT_FALSE(HasFailure());
  const std::unique_ptr<Executor> executor = MakeTbbExecutor(2);
  const TemporaryDirectory directory;
  CoinStoreOptions options = plan_.world().Options(directory.path());
  options.executor = executor.get();
  options.cache_bytes_max = 300 << 10;  // survivors move to old segments after nearly every window
  options.checkpoint_step_bytes = 64 << 10;
  std::unique_ptr<FlatCoinStore> store = OpenCoinStore(options).value();

  std::vector<std::thread> readers;
  for (uint64_t reader = 0; reader < 3; ++reader)
    readers.emplace_back([&, reader] { Read(*store, GetParam() * 10 + reader); });
  std::mt19937_64 random(GetParam());
  for (const StorePlan::Step& step : plan_.steps()) {
    begun_.fetch_add(1, std::memory_order_release);
    Carry(*store, step);
    if (HasFailure()) break;
    done_.fetch_add(1, std::memory_order_release);
    if (random() % 4 == 0) {
      EXPECT_TRUE(store->BeginCheckpoint().ok());
    }
    EXPECT_TRUE(store->StepCheckpoint().ok());
    if (random() % 12 == 0) {
      EXPECT_TRUE(store->FinishCheckpoint().ok());
    }
  }
  stop_ = true;
  for (std::thread& reader : readers) reader.join();
  ASSERT_FALSE(HasFailure());
  plan_.world().ExpectEqual(*store);
  EXPECT_GT(store->counters().checkpoints, 2u);
  std::printf("%llu reads, %llu found a coin, beside %d steps and %llu checkpoints\n",
              static_cast<unsigned long long>(reads_.load()), static_cast<unsigned long long>(coins_read_.load()),
              done_.load(), static_cast<unsigned long long>(store->counters().checkpoints));
  EXPECT_GT(coins_read_.load(), 0u);
  EXPECT_GT(reads_.load(), coins_read_.load());
}

INSTANTIATE_TEST_SUITE_P(Seeds, CoinReadersStress, ::testing::Values(1, 2));

}  // namespace
}  // namespace headrace::testing
