#include "storage/coins/coin_set_statistics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/primitives/decode.h"
#include "engine/primitives/transaction_hashes.h"
#include "engine/runtime/tbb_executor.h"
#include "tests/reference/naive_coin_sums.h"
#include "tests/reference/quiescent_coin_set.h"
#include "tests/storage/coins/coin_world.h"
#include "tests/support/data.h"

namespace headrace::testing {
namespace {

// The twin that tests of whole nodes use is held to the naive set as well.
TEST(CoinSetStatistics, EqualTheNaiveSums) {
  const std::unique_ptr<Executor> executor = MakeTbbExecutor(2);
  CoinWorld world(21, 300 << 10, executor.get());
  for (int round = 0; round < 6; ++round) {
    world.ApplyRandom(5, 150, 300);
    const auto quiescent = QuiescentStatistics(world.store());
    ASSERT_TRUE(quiescent.ok()) << quiescent.status();
    EXPECT_EQ(quiescent->best, world.store().resolved());
    ExpectSameSums(*quiescent, SumsOf(world.naive()));
    world.Checkpoint();
    const auto statistics = world.store().Pin()->Statistics({}, kNeverStop);
    ASSERT_TRUE(statistics.ok()) << statistics.status();
    EXPECT_EQ(statistics->best, world.store().resolved());
    ExpectSameSums(*statistics, SumsOf(world.naive()));
  }
}

// What is not asked for stays zero, and changes nothing else.
TEST(CoinSetStatistics, HashesAreOptional) {
  CoinWorld world(22, 300 << 10);
  world.ApplyRandom(5, 150, 300);
  world.Checkpoint();
  for (const CoinSetHashes hashes :
       {CoinSetHashes{false, false}, CoinSetHashes{true, false}, CoinSetHashes{false, true}}) {
    CoinSetStatistics expected = SumsOf(world.naive());
    if (!hashes.serialized) expected.hash_serialized = Hash256();
    if (!hashes.muhash) expected.muhash = Hash256();
    const auto statistics = world.store().Pin()->Statistics(hashes, kNeverStop);
    ASSERT_TRUE(statistics.ok()) << statistics.status();
    ExpectSameSums(*statistics, expected);
  }
}

TEST(CoinSetStatistics, OfTheManifestOfARunningStore) {
  CoinWorld world(23, 8 << 20);
  world.ApplyRandom(5, 0, 300);
  world.Checkpoint();
  const CoinSetStatistics expected = SumsOf(world.naive());
  const BlockPoint durable = world.store().durable();
  world.ApplyRandom(5, 100, 300);
  const auto reader = PinnedCoins::OpenPublished(world.Options(world.directory()));
  ASSERT_TRUE(reader.ok()) << reader.status();
  // What is open outlives the files: the running store goes on and deletes them.
  for (int round = 0; round < 3; ++round) {
    world.ApplyRandom(5, 300, 100);
    world.Checkpoint();
  }
  const auto statistics = (*reader)->Statistics({}, kNeverStop);
  ASSERT_TRUE(statistics.ok()) << statistics.status();
  EXPECT_EQ(statistics->best, durable);
  ExpectSameSums(*statistics, expected);
  world.ExpectEqual(world.store());
}

// A chain that another implementation made and accepted: its set, known by hash at many heights.
TEST(CoinSetStatistics, EqualThePublishedSetsOfARealChain) {
  HR_NEEDS_DATA("regtest/scripts-chain.blocks.dat");
  const std::vector<uint8_t> file = ReadFileBytes(DataDirectory() + "/regtest/scripts-chain.blocks.dat");
  const nlohmann::json expected = ReadJson(DataDirectory() + "/regtest/scripts-chain.expected.json");
  std::vector<BlockColumns> blocks;
  for (size_t at = 0; at + 8 <= file.size();) {
    const uint32_t size = LoadLittle32(&file[at + 4]);
    ASSERT_EQ(DecodeBlock(ByteSpan(file).subspan(at + 8, size), blocks.emplace_back()), DecodeError::kNone);
    HashTransactions(blocks.back());
    at += 8 + size;
  }
  ASSERT_GT(blocks.size(), 1u);

  const std::unique_ptr<Executor> executor = MakeTbbExecutor(2);
  const std::unique_ptr<FileSystem> files = OpenFileSystem().value();
  FixedEntropy entropy(1);
  TemporaryDirectory directory;
  CoinStoreOptions options;
  options.files = files.get();
  options.executor = executor.get();
  options.entropy = &entropy;
  options.directory = directory.path();
  options.network_magic = kTestMagic;
  options.origin = {blocks[0].hash, 0};
  options.make_durable = [] { return absl::OkStatus(); };
  auto store = OpenCoinStore(options).value();

  int compared = 0;
  for (const nlohmann::json& at : expected["coinstats"]) {
    const uint32_t height = at["height"];
    std::vector<Arena> arenas(height - store->resolved().height);
    std::vector<std::vector<Coin>> spent(arenas.size());
    std::vector<WindowBlock> window;
    for (size_t i = 0; i < arenas.size(); ++i) {
      const uint32_t block = store->resolved().height + 1 + static_cast<uint32_t>(i);
      spent[i].resize(blocks[block].input_count());
      window.push_back({block, &blocks[block], spent[i], &arenas[i], false});
    }
    const auto outcome = store->Apply(window);
    ASSERT_TRUE(outcome.ok()) << outcome.status();
    ASSERT_EQ(*outcome, WindowOutcome::kApplied);
    // Every other set comes from an older manifest and the blocks above it.
    if (compared % 2 == 0) {
      store->SetApplied(store->resolved());
      ASSERT_TRUE(store->FinishCheckpoint().ok());
    }
    const auto pin = store->Pin();
    for (uint32_t above = pin->lowest().height + 1; above <= height; ++above) {
      ASSERT_TRUE(pin->Forward({.height = above, .columns = &blocks[above]}).ok());
    }
    const auto statistics = pin->Statistics({}, kNeverStop);
    ASSERT_TRUE(statistics.ok()) << statistics.status();
    EXPECT_EQ(statistics->best.hash.ToHex(), at["bestblock"]);
    EXPECT_EQ(statistics->coins, at["txouts"]);
    EXPECT_EQ(statistics->bogosize, at["bogosize"]);
    EXPECT_EQ(statistics->muhash.ToHex(), at["muhash"]);
    EXPECT_EQ(statistics->total_amount, std::llround(at["total_amount"].get<double>() * 1e8));
    if (height == expected["hash_serialized_3"]["height"]) {
      EXPECT_EQ(statistics->hash_serialized.ToHex(), expected["hash_serialized_3"]["hash_serialized_3"]);
      ++compared;
    }
    ++compared;
  }
  std::printf("%d published sets compared\n", compared);
  EXPECT_GT(compared, 1);
}

}  // namespace
}  // namespace headrace::testing
