// The store against the naive set: random windows, reorganisations, checkpoints, restarts and crashes.

#include "storage/coins/flat_coin_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include "engine/runtime/tbb_executor.h"
#include "tests/storage/coins/coin_world.h"

namespace headrace::testing {
namespace {

std::vector<std::string> SortedNames(const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

// As the directory was at one moment: the storage thread may be renaming and deleting files meanwhile.
void CopyDirectory(const std::string& from, const std::string& to) {
  std::vector<std::string> before;
  std::error_code error;
  do {
    for (const std::string& name : SortedNames(to)) std::filesystem::remove(to + "/" + name);
    before = SortedNames(from);
    std::filesystem::copy(from, to, error);
  } while (error || SortedNames(from) != before);
}

TEST(FlatCoinStore, StartsEmptyOnItsOrigin) {
  CoinWorld world(1, 8 << 20);
  EXPECT_EQ(world.store().counters().coins, 0u);
  EXPECT_EQ(world.store().resolved(), world.store().recovery_end());
  EXPECT_EQ(world.store().resolved().height, 0u);
  world.ExpectEqual(world.store());
}

// Everything at once, from many seeds: what the store holds is what the naive set holds, whatever happens in between.
class RandomHistory : public ::testing::TestWithParam<uint64_t> {};

TEST_P(RandomHistory, HoldsTheNaiveSet) {
  const uint64_t seed = GetParam();
  // Every third world has hardly any cache: survivors move to old segments after nearly every window.
  CoinWorld world(seed, seed % 3 == 0 ? 200 << 10 : 64 << 20);
  for (int step = 0; step < 120; ++step) {
    switch (world.Below(10)) {
      case 0:
        if (world.height() > 5) {
          ASSERT_NO_FATAL_FAILURE(world.UnapplyLast(1 + world.Below(5)));
        }
        break;
      case 1:
        ASSERT_TRUE(world.store().BeginCheckpoint().ok());
        break;
      case 2:
        if (world.Below(4) == 0) {
          ASSERT_NO_FATAL_FAILURE(world.Checkpoint());
        }
        break;
      case 3:
        if (world.Below(3) == 0) {
          ASSERT_NO_FATAL_FAILURE(world.Restart());
        }
        break;
      case 4: {
        // A crash: what the directory holds at this moment must be enough.
        if (world.Below(3) != 0) break;
        TemporaryDirectory copy;
        CopyDirectory(world.directory(), copy.path());
        ASSERT_NO_FATAL_FAILURE(world.RecoverAndCompare(copy.path()));
        break;
      }
      default:
        ASSERT_NO_FATAL_FAILURE(world.ApplyRandom(1 + world.Below(12), world.Below(60), 1 + world.Below(80)));
    }
    ASSERT_TRUE(world.store().StepCheckpoint().ok());
    if (step % 10 == 0) {
      ASSERT_NO_FATAL_FAILURE(world.ExpectEqual(world.store()));
    }
  }
  ASSERT_NO_FATAL_FAILURE(world.ExpectEqual(world.store()));
  ASSERT_NO_FATAL_FAILURE(world.Checkpoint());
  ASSERT_NO_FATAL_FAILURE(world.RecoverAndCompare(world.directory()));
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomHistory, ::testing::Range<uint64_t>(1, 25));

// Steps of one shard or a few, so that shards of one manifest stand at many heights.
TEST(FlatCoinStore, RecoversFromAFuzzyManifest) {
  CoinWorld world(77, 64 << 20);
  world.ApplyRandom(10, 0, 30'000);
  int fuzzy = 0;
  for (int round = 0; round < 6; ++round) {
    const uint64_t published = world.store().counters().checkpoints;
    ASSERT_TRUE(world.store().BeginCheckpoint().ok());
    for (int step = 0; step < 200 && world.store().checkpoint_under_way(); ++step) {
      ASSERT_NO_FATAL_FAILURE(world.ApplyRandom(1, 400, 500));
      ASSERT_TRUE(world.store().StepCheckpoint().ok());
    }
    if (world.store().counters().checkpoints == published) {
      ASSERT_NO_FATAL_FAILURE(world.Checkpoint());
    }
    TemporaryDirectory copy;
    CopyDirectory(world.directory(), copy.path());
    auto opened = OpenCoinStore(world.Options(copy.path()));
    ASSERT_TRUE(opened.ok()) << opened.status();
    fuzzy += (*opened)->recovery_start().height < (*opened)->recovery_end().height;
    opened->reset();
    ASSERT_NO_FATAL_FAILURE(world.RecoverAndCompare(copy.path()));
  }
  EXPECT_GT(fuzzy, 0) << "no manifest held shards of different heights, so this test proved nothing";
}

// Some shards of the image are one block ahead of the others, and that block may still be refused.
TEST(FlatCoinStore, AFuzzyCheckpointWaitsForItsVerdictsAndRecoversItsOwnBranch) {
  CoinWorld world(78, 64 << 20);
  world.ApplyRandom(10, 0, 30'000);
  const BlockPoint lower = world.store().resolved();
  ASSERT_TRUE(world.store().BeginCheckpoint().ok());
  ASSERT_TRUE(world.store().StepCheckpoint().ok());
  ASSERT_NO_FATAL_FAILURE(world.ApplyRandom(1, 400, 500));
  world.store().SetApplied(lower);
  const auto step_for_a_while = [&] {
    for (int step = 0; step < 200 && world.store().checkpoint_under_way(); ++step) {
      ASSERT_TRUE(world.store().StepCheckpoint().ok());
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  };
  step_for_a_while();
  EXPECT_TRUE(world.store().checkpoint_under_way());
  EXPECT_EQ(world.store().counters().checkpoints, 0u) << "published above what was applied";
  world.store().SetApplied(world.store().resolved());
  for (int attempt = 0; attempt < 50 && world.store().checkpoint_under_way(); ++attempt) step_for_a_while();
  EXPECT_EQ(world.store().counters().checkpoints, 1u);
  TemporaryDirectory copy;
  CopyDirectory(world.directory(), copy.path());
  const auto opened = OpenCoinStore(world.Options(copy.path()));
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ((*opened)->recovery_start(), lower);
  EXPECT_EQ((*opened)->recovery_end(), world.store().resolved()) << "the image was not fuzzy, so this test proved nothing";

  // Recovery takes up the very block that some shards hold, and no other of its height.
  NaiveBlock another = world.MakeBlock(0, 1);
  another.height = lower.height + 1;
  const absl::StatusOr<WindowOutcome> outcome = world.TryWindow(**opened, {world.Finish(another, lower.hash)});
  EXPECT_EQ(outcome.status().code(), absl::StatusCode::kFailedPrecondition) << outcome.status();

  // A clean stop leaves all shards at one block.
  EXPECT_EQ(world.store().durable(), lower);
  ASSERT_TRUE(world.store().FinishCheckpoint().ok());
  EXPECT_EQ(world.store().durable(), world.store().resolved());
}

TEST(FlatCoinStore, GivesUpACheckpointThatADisconnectOvertakes) {
  CoinWorld world(5, 64 << 20);
  world.ApplyRandom(10, 0, 100);
  world.Checkpoint();
  const BlockPoint durable = world.store().durable();
  world.ApplyRandom(10, 50, 100);
  world.store().SetApplied(durable);  // verdicts lag behind
  ASSERT_TRUE(world.store().BeginCheckpoint().ok());
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(world.store().StepCheckpoint().ok());
  EXPECT_TRUE(world.store().checkpoint_under_way());
  EXPECT_EQ(world.store().durable(), durable) << "published above what was applied";
  world.UnapplyLast(1);
  EXPECT_FALSE(world.store().checkpoint_under_way());
  const absl::StatusOr<std::vector<std::string>> names = world.files()->List(world.directory());
  ASSERT_TRUE(names.ok()) << names.status();
  EXPECT_EQ(std::count_if(names->begin(), names->end(), [](const std::string& name) { return name.starts_with("image-"); }), 1)
      << "the image that was given up takes room";
  world.ExpectEqual(world.store());
  world.Checkpoint();
  world.RecoverAndCompare(world.directory());
}

TEST(FlatCoinStore, AsksForDurabilityBeforeItPublishes) {
  CoinWorld world(6, 64 << 20);
  TemporaryDirectory directory;
  CoinStoreOptions options = world.Options(directory.path());
  absl::Status answer = absl::InternalError("The undo file cannot be written.");
  int asked = 0;
  options.make_durable = [&] {
    ++asked;
    EXPECT_FALSE(std::filesystem::exists(directory.path() + "/" + kManifestFileName));
    return answer;
  };
  auto store = OpenCoinStore(options).value();
  world.ApplyToStore(*store, {world.Finish(world.MakeBlock(0, 10), world.tip())}, false);
  store->SetApplied(store->resolved());
  EXPECT_EQ(store->FinishCheckpoint(), answer);
  EXPECT_EQ(asked, 1);
  answer = absl::OkStatus();
  EXPECT_TRUE(store->FinishCheckpoint().ok());
  EXPECT_EQ(store->durable(), store->resolved());
}

TEST(FlatCoinStore, GrowsAndShrinksWithFewLeftovers) {
  CoinWorld world(9, 32 << 20);
  for (int i = 0; i < 20; ++i) ASSERT_NO_FATAL_FAILURE(world.ApplyRandom(5, 0, 2'000));
  ASSERT_NO_FATAL_FAILURE(world.Checkpoint());
  const uint64_t full = world.store().counters().coins;
  const uint64_t full_bytes = world.store().counters().disk_bytes;
  EXPECT_GT(full, 150'000u);
  ASSERT_NO_FATAL_FAILURE(world.ExpectEqual(world.store()));
  for (int i = 0; i < 30; ++i) {
    ASSERT_NO_FATAL_FAILURE(world.ApplyRandom(5, 1'500, 1));
    // Old segments of several pieces are compacted while windows go on; now and then all at once.
    ASSERT_TRUE(world.store().BeginCheckpoint().ok());
    ASSERT_TRUE(world.store().StepCheckpoint().ok());
    if (i % 10 == 9) {
      ASSERT_NO_FATAL_FAILURE(world.Checkpoint());
    }
  }
  ASSERT_NO_FATAL_FAILURE(world.ExpectEqual(world.store()));
  EXPECT_LT(world.store().counters().coins, full / 2);
  ASSERT_NO_FATAL_FAILURE(world.Checkpoint());
  EXPECT_LT(world.store().counters().disk_bytes, full_bytes) << "nothing was compacted";
  ASSERT_NO_FATAL_FAILURE(world.RecoverAndCompare(world.directory()));
}

TEST(FlatCoinStore, CompactsAwayGarbage) {
  CoinWorld world(10, 256 << 10);
  uint64_t most = 0;
  for (int i = 0; i < 60; ++i) {
    ASSERT_NO_FATAL_FAILURE(world.ApplyRandom(4, 900, 1'000));
    ASSERT_NO_FATAL_FAILURE(world.Checkpoint());
    uint64_t segment_bytes = 0;
    for (const Segment* segment : world.store().state().space.OldSegments()) segment_bytes += segment->records_end;
    // 300 bytes a coin is about what this world's scripts make of one.
    most = std::max(most, segment_bytes / world.store().counters().coins);
  }
  EXPECT_LT(most, 900u) << "dead records are never collected";
  ASSERT_NO_FATAL_FAILURE(world.ExpectEqual(world.store()));
}

// Everything that the store has in memory comes out of one budget: what it does not count it would take besides.
TEST(FlatCoinStore, MemoryStaysWithinTheBudget) {
  constexpr uint64_t kBudget = uint64_t{48} << 20;
  CoinWorld world(12, kBudget);
  uint64_t most = 0;
  uint64_t records = 0;
  CoinStoreMemory seen;
  for (int i = 0; records < 2 * kBudget; ++i) {
    NaiveBlock block = world.MakeBlock(0, 100);
    for (NaiveTransaction& transaction : block.transactions) {
      for (auto& output : transaction.outputs) output.script.assign(9'000, 1), records += 9'000;
    }
    ASSERT_NO_FATAL_FAILURE(world.ApplyBlock(std::move(block)));
    if (i % 40 == 20) {
      ASSERT_TRUE(world.store().BeginCheckpoint().ok());
    }
    ASSERT_TRUE(world.store().StepCheckpoint().ok());
    const CoinStoreMemory memory = world.store().counters().memory;
    most = std::max(most, memory.total_bytes());
    seen.filling_bytes = std::max(seen.filling_bytes, memory.filling_bytes);
    seen.copies_bytes = std::max(seen.copies_bytes, memory.copies_bytes);
    seen.window_bytes = std::max(seen.window_bytes, memory.window_bytes);
  }
  EXPECT_LE(most, kBudget + kBudget / 10);
  EXPECT_GE(most, kBudget / 2) << "a budget is there to be used";
  EXPECT_GT(seen.filling_bytes, 0u);
  EXPECT_GT(seen.copies_bytes, 0u);
  EXPECT_GE(seen.window_bytes, 100 * sizeof(CoinOp)) << "the operations of a block at least";
  ASSERT_NO_FATAL_FAILURE(world.Checkpoint());
  EXPECT_EQ(world.store().counters().memory.copies_bytes, 0u) << "copies are gone with the checkpoint that needed them";
  EXPECT_EQ(world.store().counters().memory.filling_bytes, 0u);
}

// Violations.

class Violations : public ::testing::Test {
 protected:
  void SetUp() override {
    world_.ApplyRandom(5, 0, 60);
    world_.ApplyRandom(5, 30, 60);
  }
  NaiveTransaction Transaction(std::vector<OutPoint> inputs, size_t outputs) {
    NaiveTransaction transaction;
    transaction.txid = RandomHash(world_.random());
    transaction.inputs = std::move(inputs);
    for (size_t i = 0; i < outputs; ++i) transaction.outputs.push_back({1000, {0x51}});
    return transaction;
  }
  NaiveBlock Block(std::vector<NaiveTransaction> transactions) {
    NaiveBlock block;
    block.height = world_.height() + 1;
    block.transactions.push_back(Transaction({{Hash256(), OutPoint::kNullIndex}}, 1));
    for (auto& transaction : transactions) block.transactions.push_back(std::move(transaction));
    return block;
  }
  // Both sets must agree about the block; and when it is refused, nothing has changed.
  void ExpectVerdict(std::vector<NaiveBlock> blocks, WindowOutcome expected) {
    std::vector<std::shared_ptr<WorldBlock>> window;
    NaiveCoinSet naive = world_.naive();
    bool is_valid = true;
    Hash256 previous = world_.tip();
    for (size_t i = 0; i < blocks.size(); ++i) {
      blocks[i].height = world_.height() + 1 + static_cast<uint32_t>(i);
      is_valid = is_valid && naive.Apply(blocks[i]).has_value();
      window.push_back(world_.Finish(std::move(blocks[i]), previous));
      previous = window.back()->hash;
    }
    EXPECT_EQ(is_valid, expected == WindowOutcome::kApplied);
    EXPECT_EQ(world_.TryWindow(window), expected);
    if (expected == WindowOutcome::kViolated) {
      world_.ExpectEqual(world_.store());
    } else {
      world_.naive() = naive;
      world_.ExpectEqual(world_.store());
    }
  }
  OutPoint SomeCoin(size_t n = 0) { return std::next(world_.naive().coins().begin(), n)->first; }

  CoinWorld world_{42, 64 << 20};
};

TEST_F(Violations, MissingInput) { ExpectVerdict({Block({Transaction({{RandomHash(world_.random()), 0}}, 1)})}, WindowOutcome::kViolated); }
TEST_F(Violations, WrongOutputOfAnExistingTransaction) {
  OutPoint coin = SomeCoin();
  coin.index += 1000;
  ExpectVerdict({Block({Transaction({coin}, 1)})}, WindowOutcome::kViolated);
}
TEST_F(Violations, SpentTwiceInATransaction) {
  ExpectVerdict({Block({Transaction({SomeCoin(), SomeCoin()}, 1)})}, WindowOutcome::kViolated);
}
TEST_F(Violations, SpentTwiceInABlock) {
  ExpectVerdict({Block({Transaction({SomeCoin()}, 1), Transaction({SomeCoin()}, 1)})}, WindowOutcome::kViolated);
}
TEST_F(Violations, SpentTwiceInAWindow) {
  ExpectVerdict({Block({Transaction({SomeCoin()}, 1)}), Block({Transaction({SomeCoin()}, 1)})}, WindowOutcome::kViolated);
}
TEST_F(Violations, SpentBeforeCreatedInABlock) {
  NaiveTransaction creator = Transaction({SomeCoin()}, 1);
  NaiveTransaction spender = Transaction({{creator.txid, 0}}, 1);
  ExpectVerdict({Block({spender, creator})}, WindowOutcome::kViolated);
}
TEST_F(Violations, SpentBeforeCreatedInAWindow) {
  NaiveTransaction creator = Transaction({SomeCoin()}, 1);
  NaiveTransaction spender = Transaction({{creator.txid, 0}}, 1);
  ExpectVerdict({Block({spender}), Block({creator})}, WindowOutcome::kViolated);
}
TEST_F(Violations, OwnOutputSpent) {
  NaiveTransaction transaction = Transaction({SomeCoin()}, 1);
  transaction.inputs.push_back({transaction.txid, 0});
  ExpectVerdict({Block({transaction})}, WindowOutcome::kViolated);
}
TEST_F(Violations, InWindowCoinSpentTwice) {
  NaiveTransaction creator = Transaction({SomeCoin()}, 1);
  ExpectVerdict({Block({creator, Transaction({{creator.txid, 0}}, 1)}), Block({Transaction({{creator.txid, 0}}, 1)})},
                WindowOutcome::kViolated);
}
TEST_F(Violations, UnspendableSpent) {
  NaiveTransaction creator = Transaction({SomeCoin()}, 1);
  creator.outputs[0].script = {kOpReturn};
  ExpectVerdict({Block({creator, Transaction({{creator.txid, 0}}, 1)})}, WindowOutcome::kViolated);
}
TEST_F(Violations, ExistingOutputCreated) {
  NaiveTransaction twin = Transaction({SomeCoin(1)}, 1);
  const OutPoint existing = SomeCoin();
  twin.txid = existing.txid;
  twin.outputs.assign(existing.index + 1, {7, {0x51}});
  ExpectVerdict({Block({twin})}, WindowOutcome::kViolated);
}
TEST_F(Violations, SameOutputCreatedTwiceInAWindow) {
  NaiveTransaction one = Transaction({SomeCoin(0)}, 1);
  NaiveTransaction other = Transaction({SomeCoin(1)}, 1);
  other.txid = one.txid;
  ExpectVerdict({Block({one}), Block({other})}, WindowOutcome::kViolated);
}
TEST_F(Violations, RecreationAfterTheSpendIsLegal) {
  const OutPoint coin = SomeCoin();
  NaiveTransaction again = Transaction({SomeCoin(1)}, 0);
  again.txid = coin.txid;
  for (uint32_t i = 0; i < coin.index; ++i) again.outputs.push_back({1, {kOpReturn}});
  again.outputs.push_back({77, {0x52}});
  ExpectVerdict({Block({Transaction({coin}, 1)}), Block({again}), Block({Transaction({coin}, 1)})}, WindowOutcome::kApplied);
}
TEST_F(Violations, RecreationInTheBlockOfTheSpendIsNot) {
  const OutPoint coin = SomeCoin();
  NaiveTransaction again = Transaction({SomeCoin(1)}, 0);
  again.txid = coin.txid;
  for (uint32_t i = 0; i < coin.index; ++i) again.outputs.push_back({1, {kOpReturn}});
  again.outputs.push_back({77, {0x52}});
  // Stored when the block began; and made by an earlier block of the window.
  ExpectVerdict({Block({Transaction({coin}, 1), again})}, WindowOutcome::kViolated);
  const NaiveTransaction one = Transaction({SomeCoin(0)}, 1);
  NaiveTransaction other = Transaction({SomeCoin(1)}, 1);
  other.txid = one.txid;
  ExpectVerdict({Block({one}), Block({Transaction({{one.txid, 0}}, 1), other})}, WindowOutcome::kViolated);
}
TEST_F(Violations, RecreatedCoinStays) {
  const OutPoint coin = SomeCoin();
  NaiveTransaction again = Transaction({SomeCoin(1)}, 0);
  again.txid = coin.txid;
  for (uint32_t i = 0; i < coin.index; ++i) again.outputs.push_back({1, {kOpReturn}});
  again.outputs.push_back({77, {0x52}});
  ExpectVerdict({Block({Transaction({coin}, 1)}), Block({again})}, WindowOutcome::kApplied);
}
TEST_F(Violations, ExceptionMayOverwrite) {
  const OutPoint existing = SomeCoin();
  NaiveBlock block = Block({});
  block.transactions[0].txid = existing.txid;
  block.transactions[0].outputs.assign(existing.index + 1, {5'000'000'000, {0x51}});
  block.may_overwrite = true;
  ExpectVerdict({block}, WindowOutcome::kApplied);
  EXPECT_EQ(world_.naive().coins().at(existing).amount, 5'000'000'000);
}
TEST_F(Violations, LaterViolationUndoesTheWholeWindow) {
  ExpectVerdict({Block({Transaction({SomeCoin()}, 3)}), Block({Transaction({SomeCoin(1)}, 3)}),
                 Block({Transaction({{RandomHash(world_.random()), 0}}, 1)})},
                WindowOutcome::kViolated);
}

TEST(FlatCoinStore, RefusesUndoDataThatDoesNotFit) {
  CoinWorld world(11, 64 << 20);
  world.ApplyRandom(3, 0, 50);
  // A block that was never applied, under the tip's height.
  NaiveBlock stranger = world.MakeBlock(0, 1);
  stranger.height = world.height();
  stranger.transactions.push_back({RandomHash(world.random()), {}, {{1, {0x51}}}});
  auto block = world.Finish(stranger, world.tip());
  std::vector<Coin> spent(block->columns.input_count());
  const WindowBlock window[] = {{world.height(), &block->columns, spent, nullptr, false}};
  const absl::Status status = world.store().Unapply(window, {Hash256(), world.height() - 1});
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  world.ExpectEqual(world.store());
}

// Readers beside a writer: every answer is a whole coin, as it was made.
TEST(FlatCoinStore, ReadersNeverSeeHalfACoin) {
  const std::unique_ptr<Executor> executor = MakeTbbExecutor(2);
  CoinWorld world(13, 2 << 20, executor.get());
  world.ApplyRandom(4, 0, 2'000);
  const std::map<OutPoint, NaiveCoin> first = world.naive().coins();
  const std::vector<std::pair<OutPoint, NaiveCoin>> known(first.begin(), first.end());
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> reads{0};
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 2; ++reader) {
    readers.emplace_back([&, reader] {
      std::mt19937_64 random(reader);
      std::vector<uint8_t> script;
      while (!stop.load(std::memory_order_relaxed)) {
        const auto& [outpoint, expected] = known[random() % known.size()];
        Coin coin;
        const auto found = world.store().Find(outpoint, coin, script);
        ASSERT_TRUE(found.ok()) << found.status();
        if (*found) {
          ASSERT_EQ(coin.amount, expected.amount);
          ASSERT_EQ(coin.height, expected.height);
          ASSERT_TRUE(std::equal(script.begin(), script.end(), expected.script.begin(), expected.script.end()));
        }
        reads.fetch_add(1, std::memory_order_relaxed);
      }
    });
  }
  for (int round = 0; round < 25; ++round) {
    world.ApplyRandom(5, 500, 600);
    if (round % 4 == 0) world.Checkpoint();
    if (round % 7 == 6) world.UnapplyLast(2);
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  std::printf("%llu reads beside the writer\n", static_cast<unsigned long long>(reads.load()));
  EXPECT_GT(reads.load(), 0u);
  world.ExpectEqual(world.store());
}

}  // namespace
}  // namespace headrace::testing
