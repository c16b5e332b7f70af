// The coin store against a ledger that computes what must be there (coin_ledger.h), through windows, reorganisations,
// refused windows, checkpoints and crashes of a simulated disk, while readers on real threads judge every answer:
// a coin that never was, a coin that is not whole, or one that is missed although it was there all the time of the
// read, is an error.
//
// HEADRACE_COIN_OPERATIONS says how many creations and spends there are: a million as a rule, 100000000 for the long
// form. The story of long scripts, which fills segments to their ends, has a tenth of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "engine/runtime/tbb_executor.h"
#include "storage/coins/flat_coin_store.h"
#include "tests/sim/sim_disk.h"
#include "tests/sim/sim_file_system.h"
#include "tests/storage/coins/coin_ledger.h"
#include "tests/stress/stress_size.h"

namespace headrace::testing {
namespace {

using LedgerBlocks = std::vector<LedgerBlockRef>;

uint64_t OperationsWanted() {
#ifdef HEADRACE_THREAD_SANITIZER
  uint64_t wanted = 150'000;
#else
  uint64_t wanted = 1'000'000;
#endif
  const char* operations = std::getenv("HEADRACE_COIN_OPERATIONS");
  if (operations != nullptr) {
    EXPECT_TRUE(absl::SimpleAtoi(operations, &wanted)) << operations << " is no number";
  }
  return wanted * static_cast<uint64_t>(StressFactor());
}

// Where readers stop while there is no store.
class ReaderHalt {
 public:
  explicit ReaderHalt(int readers) : readers_(readers) {}

  // A reader, between reads; false when it is over.
  bool Pass() {
    if (is_closed_.load(std::memory_order_acquire)) {
      waiting_.fetch_add(1, std::memory_order_acq_rel);
      while (is_closed_.load(std::memory_order_acquire)) std::this_thread::yield();
      waiting_.fetch_sub(1, std::memory_order_acq_rel);
    }
    return !is_over_.load(std::memory_order_acquire);
  }
  void Close() {
    // Those whom the last opening let go have left.
    const StressDeadline deadline;
    ASSERT_TRUE(deadline.Await([&] { return waiting_.load(std::memory_order_acquire) == 0; }));
    is_closed_.store(true, std::memory_order_release);
    ASSERT_TRUE(deadline.Await([&] { return waiting_.load(std::memory_order_acquire) == readers_; }));
  }
  void Open() { is_closed_.store(false, std::memory_order_release); }
  void End() { is_over_.store(true, std::memory_order_release); }

 private:
  const int readers_;
  std::atomic<bool> is_closed_{false};
  std::atomic<bool> is_over_{false};
  std::atomic<int> waiting_{0};
};

// A window of the store's kind over ledger blocks.
struct LedgerWindow {
  explicit LedgerWindow(const LedgerBlocks& from) : arenas(from.size()), spent(from.size()) {
    for (size_t i = 0; i < from.size(); ++i) {
      spent[i].resize(from[i]->columns.input_count());
      blocks.push_back({from[i]->height, &from[i]->columns, spent[i], &arenas[i], false});
    }
  }
  std::vector<Arena> arenas;
  std::vector<std::vector<Coin>> spent;
  std::vector<WindowBlock> blocks;
};

// The writer: the ledger, the store on its machine, and the story.
class DifferentialStory {
 public:
  DifferentialStory(uint64_t seed, CoinLedger::Scripts scripts, uint64_t operations, ReaderHalt& halt)
      : wanted_(operations),
        halt_(halt),
        chance_(seed),
        // Refused blocks and those of dead branches count as well; a step has one block at least, or none.
        ledger_(seed, scripts, static_cast<uint32_t>(operations / CoinLedger::kCoins * 2 + 2000),
                static_cast<uint32_t>(operations / CoinLedger::kCoins * 4 + 8000)),
        disk_(chance_.Fork(), wakeup_),
        executor_(MakeTbbExecutor(2)) {
    origin_.hash = ledger_.tip();
    Open();
  }
  ~DifferentialStory() {
    disk_.Kill();
    store_.reset();
  }

  void Tell() {
    while (operations_ < wanted_ && !::testing::Test::HasFailure()) Step();
    if (!::testing::Test::HasFailure()) Crash();
    if (!::testing::Test::HasFailure()) CompareAll();
  }

  const CoinLedger& ledger() const { return ledger_; }
  const CoinStore& store() const { return *store_; }
  uint64_t operations() const { return operations_; }
  uint64_t crashes() const { return crashes_; }
  uint64_t checkpoints() const { return checkpoints_ + (store_ == nullptr ? 0 : store_->counters().checkpoints); }
  uint64_t comparisons() const { return comparisons_; }
  uint64_t compared() const { return compared_; }
  uint64_t refused() const { return refused_; }
  uint64_t disconnected() const { return disconnected_; }
  uint64_t scrubbed_bytes() const { return scrubbed_bytes_; }
  // The most at a time that no further long record went into.
  uint64_t full_segments() const { return full_segments_; }

 private:
  static constexpr char kDirectory[] = "/coins";
  static constexpr uint64_t kComparisons = 20;

  void Open() {
    files_ = std::make_unique<sim::SimFileSystem>(disk_);
    CoinStoreOptions options;
    options.files = files_.get();
    options.executor = executor_.get();
    options.entropy = &chance_;
    options.directory = kDirectory;
    options.network_magic = 0xdab5bffa;
    // Survivors leave memory after most windows.
    options.cache_bytes_max = uint64_t{4} << 20;
    options.checkpoint_step_bytes = uint64_t{1} << 20;
    // Less than a table, so that sums and pages come one after the other.
    options.scrub_step_bytes = 8 << 10;
    options.origin = origin_;
    options.make_durable = [] { return absl::OkStatus(); };
    absl::StatusOr<std::unique_ptr<FlatCoinStore>> opened = OpenCoinStore(options);
    ASSERT_TRUE(opened.ok()) << opened.status();
    store_ = *std::move(opened);
  }

  BlockPoint Tip() const { return {ledger_.tip(), ledger_.height()}; }

  void Step() {
    const uint64_t what = chance_.Below(100);
    if (what < 8 && ledger_.height() > 2 * CoinLedger::kReorganisationMax) {
      Reorganise();
    } else if (what < 14) {
      Refuse();
    } else if (what < 18) {
      Strike();
    } else {
      LedgerBlocks window;
      for (uint64_t count = chance_.Between(1, 12); count > 0; --count) window.push_back(Extend());
      Apply(window);
    }
    DriveCheckpoint();
    if (operations_ >= next_comparison_) {
      next_comparison_ += wanted_ / kComparisons;
      CompareAll();
    }
  }

  LedgerBlockRef Extend() {
    LedgerBlockRef block = ledger_.MakeBlock();
    ledger_.Connect(*block);
    blocks_[block->hash] = block;
    return block;
  }

  void Settle(const absl::Status& status) {
    if (status.ok()) return;
    // Only the disk may fail, and then it was told to.
    ASSERT_TRUE(may_fail_) << status;
    Crash();
  }

  void Apply(const LedgerBlocks& window) {
    ledger_.BeginStep();
    Settle(ApplyToStore(window, WindowOutcome::kApplied));
    ledger_.EndStep();
  }

  absl::Status ApplyToStore(const LedgerBlocks& blocks, WindowOutcome expected, bool is_recovering = false) {
    LedgerWindow window(blocks);
    const absl::StatusOr<WindowOutcome> outcome = store_->Apply(window.blocks);
    if (!outcome.ok()) return outcome.status();
    EXPECT_EQ(*outcome, expected);
    if (expected != WindowOutcome::kApplied) return absl::OkStatus();
    LedgerCoin coin;
    for (size_t b = 0; b < blocks.size(); ++b) {
      operations_ += blocks[b]->operations();
      for (size_t i = 0; i < blocks[b]->spends.size() && !is_recovering; ++i) {
        if (!IsCoin(blocks[b]->spends[i], window.spent[b][i + 1], coin)) {
          ADD_FAILURE() << "coin " << blocks[b]->spends[i] << " was spent as another one";
          return absl::OkStatus();
        }
      }
    }
    store_->SetApplied(store_->resolved());
    return absl::OkStatus();
  }

  bool IsCoin(uint32_t number, const Coin& found, LedgerCoin& expected) const {
    ledger_.Describe(number, expected);
    return found.amount == expected.amount && found.height == ledger_.HeightOf(number) &&
           found.is_coinbase == expected.is_coinbase && std::ranges::equal(found.script, expected.script);
  }

  absl::Status UnapplyFromStore(const LedgerBlocks& blocks) {
    LedgerWindow window(blocks);
    LedgerCoin coin;
    for (size_t b = 0; b < blocks.size(); ++b) {
      for (size_t i = 0; i < blocks[b]->spends.size(); ++i) {
        const uint32_t number = blocks[b]->spends[i];
        ledger_.Describe(number, coin);
        window.spent[b][i + 1] = {coin.amount, ledger_.HeightOf(number), coin.is_coinbase,
                                  window.arenas[b].Copy(coin.script)};
      }
      operations_ += blocks[b]->operations();
    }
    const absl::Status status = store_->Unapply(window.blocks, {blocks.front()->previous, blocks.front()->height - 1});
    if (status.ok()) store_->SetApplied(store_->resolved());
    return status;
  }

  void Reorganise() {
    LedgerBlocks window;
    for (uint64_t depth = chance_.Between(1, CoinLedger::kReorganisationMax); depth > 0; --depth) {
      window.insert(window.begin(), blocks_.at(ledger_.tip()));
      ledger_.Disconnect(*window.front());
    }
    disconnected_ += window.size();
    ledger_.BeginStep();
    Settle(UnapplyFromStore(window));
    ledger_.EndStep();
    // The same branch again, or another one.
    const bool may_return = std::all_of(window.begin(), window.end(),
                                        [&](const LedgerBlockRef& block) { return ledger_.MayComeAgain(*block); });
    if (!may_return || chance_.OneIn(2)) return;
    for (const LedgerBlockRef& block : window) ledger_.Connect(*block);
    Apply(window);
  }

  // Good blocks and a bad one behind them: none of it may ever be seen.
  void Refuse() {
    LedgerBlocks window;
    for (uint64_t count = chance_.Below(3); count > 0; --count) window.push_back(Extend());
    window.push_back(ledger_.MakeBadBlock(chance_.Next()));
    for (size_t i = window.size() - 1; i-- > 0;) ledger_.Disconnect(*window[i]);
    ledger_.BeginStep();
    Settle(ApplyToStore(window, WindowOutcome::kViolated));
    ledger_.EndStep();
    ++refused_;
  }

  void DriveCheckpoint() {
    if (chance_.OneIn(6)) Settle(store_->BeginCheckpoint());
    for (uint64_t turns = chance_.Below(1'000); turns > 0 && disk_.Step(); --turns) {
    }
    if (!files_->is_alive()) return Crash();
    Settle(store_->StepCheckpoint());
    if (chance_.OneIn(40)) Settle(store_->FinishCheckpoint());
    if (chance_.OneIn(4)) Scrub();
    if (chance_.OneIn(16)) ForgetOldBlocks();
  }

  void Scrub() {
    store_->BeginScrub();
    for (uint64_t steps = chance_.Below(400); steps > 0 && files_->is_alive(); --steps) {
      const absl::Status status = store_->StepScrub();
      if (!status.ok()) return Settle(status);
      disk_.Step();
    }
    scrubbed_bytes_ = std::max(scrubbed_bytes_, store_->counters().scrub_bytes);
    if (!files_->is_alive()) Crash();
  }

  // The disk will fail, now or among its next operations.
  void Strike() {
    may_fail_ = true;
    switch (chance_.Below(5)) {
      case 0:
        return disk_.FailPowerAfter(1 + chance_.Below(500));
      case 1:
        return disk_.KillAfter(1 + chance_.Below(500));
      case 2:
        return disk_.FailAt(1 + chance_.Below(500));
      case 3:
        return disk_.FailPowerAfterNameChange(1 + chance_.Below(4));
      default:
        Crash();
    }
  }

  void Crash() {
    halt_.Close();
    if (::testing::Test::HasFatalFailure()) return;
    ++crashes_;
    checkpoints_ += store_->counters().checkpoints;
    if (disk_.has_lost_writes() || chance_.OneIn(2)) disk_.FailPower();
    disk_.Kill();
    store_.reset();
    files_.reset();
    disk_.FailPowerAfter(0);
    disk_.FailAt(0);
    disk_.FailPowerAfterNameChange(0);
    may_fail_ = false;
    Open();
    if (!::testing::Test::HasFatalFailure()) Recover();
    CompareAll();
    // Nothing to be read.
    if (store_ == nullptr) halt_.End();
    halt_.Open();
  }

  void Recover() {
    ApplyBranch(store_->recovery_start(), store_->recovery_end(), true);
    while (!IsOnChain(store_->resolved()) && !::testing::Test::HasFailure()) {
      const absl::Status status = UnapplyFromStore({blocks_.at(store_->resolved().hash)});
      ASSERT_TRUE(status.ok()) << status;
    }
    ApplyBranch(store_->resolved(), Tip(), false);
    ASSERT_EQ(store_->resolved(), Tip());
  }

  void ApplyBranch(const BlockPoint& from, const BlockPoint& to, bool is_recovering) {
    LedgerBlocks branch;
    for (Hash256 hash = to.hash; hash != from.hash; hash = branch.back()->previous) {
      ASSERT_TRUE(blocks_.contains(hash)) << "the store stands at a block that nobody made";
      branch.push_back(blocks_.at(hash));
    }
    std::reverse(branch.begin(), branch.end());
    for (size_t at = 0; at < branch.size();) {
      const size_t count = std::min<size_t>(chance_.Between(1, 16), branch.size() - at);
      const auto begin = branch.begin() + static_cast<ptrdiff_t>(at);
      const absl::Status status =
          ApplyToStore({begin, begin + static_cast<ptrdiff_t>(count)}, WindowOutcome::kApplied, is_recovering);
      ASSERT_TRUE(status.ok()) << status;
      at += count;
    }
  }

  bool IsOnChain(const BlockPoint& point) const {
    Hash256 hash = ledger_.tip();
    for (uint32_t height = ledger_.height(); height > point.height; --height) hash = blocks_.at(hash)->previous;
    return hash == point.hash;
  }

  // What no recovery and no reorganisation can ask for any more.
  void ForgetOldBlocks() {
    const uint32_t needed = std::min(store_->durable().height, ledger_.height());
    absl::erase_if(
        blocks_, [&](const auto& entry) { return entry.second->height + 2 * CoinLedger::kReorganisationMax < needed; });
  }

  void CompareAll() {
    if (::testing::Test::HasFailure()) return;
    ++comparisons_;
    ASSERT_EQ(store_->counters().coins, ledger_.coins());
    LedgerCoin expected;
    std::vector<uint8_t> script;
    uint64_t wrong = 0;
    ledger_.ForEachCoin([&](uint32_t number) {
      Coin coin;
      const auto found = store_->Find(ledger_.OutPointOf(number), coin, script);
      wrong += !found.ok() || !*found || !IsCoin(number, coin, expected);
      ++compared_;
    });
    ASSERT_EQ(wrong, 0u) << "coins are missing or are others, of " << ledger_.coins();
    for (const auto& verdict : store_->VerifyAll()) ASSERT_TRUE(verdict.status.ok()) << verdict.status;
    CountFullSegments();
  }

  void CountFullSegments() {
    uint64_t full = 0;
    for (const Segment* segment : store_->state().space.OldSegments()) {
      full += HasWholeFile(segment->kind) && segment->records_end > kSmallStoreSegmentBytes - kRecordBytesMax;
    }
    full_segments_ = std::max(full_segments_, full);
  }

  const uint64_t wanted_;
  ReaderHalt& halt_;
  sim::SimEntropy chance_;
  CoinLedger ledger_;
  sim::Wakeup wakeup_;
  sim::SimDisk disk_;
  std::unique_ptr<Executor> executor_;
  BlockPoint origin_;
  std::unique_ptr<sim::SimFileSystem> files_;
  std::unique_ptr<FlatCoinStore> store_;
  absl::flat_hash_map<Hash256, LedgerBlockRef> blocks_;
  bool may_fail_ = false;

  uint64_t operations_ = 0;
  uint64_t next_comparison_ = 0;
  uint64_t crashes_ = 0;
  uint64_t checkpoints_ = 0;
  uint64_t comparisons_ = 0;
  uint64_t compared_ = 0;
  uint64_t refused_ = 0;
  uint64_t disconnected_ = 0;
  uint64_t scrubbed_bytes_ = 0;
  uint64_t full_segments_ = 0;
};

class CoinDifferential : public ::testing::Test {
 protected:
  static constexpr int kReaders = 2;

  // Half the questions are about what changes now, the rest about all that ever was, and some about what never was.
  uint32_t AnyNumber(const CoinLedger& ledger, sim::SimEntropy& chance) const {
    const uint64_t made = uint64_t{ledger.blocks_made()} * CoinLedger::kCoins;
    constexpr uint64_t kRecent = 30 * CoinLedger::kCoins;
    const uint64_t what = chance.Below(16);
    if (what < 8 && made > kRecent) return static_cast<uint32_t>(made - 1 - chance.Below(kRecent));
    return static_cast<uint32_t>(what == 8 || made == 0 ? made + chance.Below(kRecent) : chance.Below(made));
  }

  void Read(const DifferentialStory& story, ReaderHalt& halt, uint64_t seed) {
    const CoinLedger& ledger = story.ledger();
    sim::SimEntropy chance(seed);
    LedgerCoin expected;
    std::vector<uint8_t> script;
    BusyPause pause;
    uint64_t reads = 0, coins = 0;
    while (halt.Pass()) {
      const uint32_t number = AnyNumber(ledger, chance);
      ledger.Describe(number, expected);
      // An output that the transaction does not have.
      const bool is_beyond = chance.OneIn(64);
      if (is_beyond) expected.outpoint.index += CoinLedger::kOutputsOfATransaction;
      const uint32_t first = ledger.ended();
      Coin coin;
      const auto found = story.store().Find(expected.outpoint, coin, script);
      const uint32_t last = ledger.begun();
      ++reads;
      bool is_right = found.ok() && (is_beyond ? !*found : ledger.IsPossible(number, *found, first, last));
      if (is_right && *found) {
        ++coins;
        is_right = coin.amount == expected.amount && coin.height == ledger.HeightOf(number) &&
                   coin.is_coinbase == expected.is_coinbase && std::ranges::equal(coin.script, expected.script);
      }
      if (!is_right) {
        ADD_FAILURE() << (!found.ok() ? found.status().ToString()
                          : *found    ? "found"
                                      : "not found")
                      << ": coin " << number << (is_beyond ? " (beyond)" : "") << " between steps " << first << " and "
                      << last;
        break;
      }
      pause.AfterOne();
    }
    // The writer may wait for all readers.
    while (halt.Pass()) std::this_thread::yield();
    reads_.fetch_add(reads, std::memory_order_relaxed);
    coins_read_.fetch_add(coins, std::memory_order_relaxed);
  }

  void Tell(uint64_t seed, CoinLedger::Scripts scripts, uint64_t operations);

  std::atomic<uint64_t> reads_{0};
  std::atomic<uint64_t> coins_read_{0};
  uint64_t full_segments_ = 0;
};

void CoinDifferential::Tell(uint64_t seed, CoinLedger::Scripts scripts, uint64_t operations) {
  ReaderHalt halt(kReaders);
  DifferentialStory story(seed, scripts, operations, halt);
  ASSERT_FALSE(HasFailure());
  std::vector<std::thread> readers;
  for (uint64_t reader = 0; reader < kReaders; ++reader) {
    readers.emplace_back([&, reader] { Read(story, halt, seed * 10 + reader); });
  }
  story.Tell();
  halt.End();
  halt.Open();
  for (std::thread& reader : readers) reader.join();
  absl::PrintF(
      "%d operations, %d crashes, %d checkpoints, %d windows refused, %d blocks taken back, %d comparisons of %d coins, "
      "%d full segments, %d reads, of which %d found one\n",
      story.operations(), story.crashes(), story.checkpoints(), story.refused(), story.disconnected(),
      story.comparisons(), story.compared(), story.full_segments(), reads_.load(), coins_read_.load());
  if (HasFailure()) return;
  EXPECT_GT(story.crashes(), 0u);
  EXPECT_GT(story.checkpoints(), 0u);
  EXPECT_GT(story.scrubbed_bytes(), 0u);
  EXPECT_GT(coins_read_.load(), 0u);
  EXPECT_GT(reads_.load(), coins_read_.load());
  full_segments_ = story.full_segments();
}

TEST_F(CoinDifferential, TheStoreHoldsWhatTheLedgerComputes) {
  Tell(1, CoinLedger::Scripts::kUsual, OperationsWanted());
}

// Segments are filled to the end, and stand beside others.
TEST_F(CoinDifferential, TheStoreHoldsItInFullSegments) {
  // With fewer there is no checkpoint, whatever builds are slow.
  Tell(2, CoinLedger::Scripts::kLong, std::max(OperationsWanted() / 10, uint64_t{100'000}));
  EXPECT_GE(full_segments_, 2u);
}

}  // namespace
}  // namespace headrace::testing
