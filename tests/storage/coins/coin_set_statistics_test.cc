#include "storage/coins/coin_set_statistics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/crypto/muhash.h"
#include "engine/primitives/byte_writer.h"
#include "engine/primitives/decode.h"
#include "engine/primitives/transaction_hashes.h"
#include "engine/runtime/tbb_executor.h"
#include "tests/storage/coins/coin_world.h"
#include "tests/support/data.h"

namespace headrace::testing {
namespace {

// The same sums over the naive set, one coin after another.
CoinSetStatistics NaiveStatistics(const NaiveCoinSet& set) {
  CoinSetStatistics statistics;
  Sha256Hasher hasher;
  MuHash muhash;
  for (const auto& [outpoint, coin] : set.coins()) {
    std::vector<uint8_t> bytes;
    ByteWriter writer(bytes);
    writer.Bytes(outpoint.txid.span());
    writer.U32(outpoint.index);
    writer.U32(coin.height * 2 + (coin.is_coinbase ? 1 : 0));
    writer.U64(static_cast<uint64_t>(coin.amount));
    writer.VarBytes(coin.script);
    hasher.Write(bytes);
    muhash.Insert(bytes);
    ++statistics.coins;
    statistics.total_amount += coin.amount;
    statistics.bogosize += 50 + coin.script.size();
  }
  statistics.hash_serialized = Hash256(hasher.FinishDouble());
  statistics.muhash = Hash256(muhash.Finish());
  return statistics;
}

void ExpectSame(const CoinSetStatistics& got, const CoinSetStatistics& expected) {
  EXPECT_EQ(got.coins, expected.coins);
  EXPECT_EQ(got.total_amount, expected.total_amount);
  EXPECT_EQ(got.bogosize, expected.bogosize);
  EXPECT_EQ(got.hash_serialized.ToHex(), expected.hash_serialized.ToHex());
  EXPECT_EQ(got.muhash.ToHex(), expected.muhash.ToHex());
}

TEST(CoinSetStatistics, EqualTheNaiveSums) {
  const std::unique_ptr<Executor> executor = MakeTbbExecutor(2);
  CoinWorld world(21, 300 << 10, executor.get());
  for (int round = 0; round < 6; ++round) {
    world.ApplyRandom(5, 150, 300);
    if (round % 2 == 1) world.Checkpoint();
    const auto statistics = ComputeSetStatistics(world.store(), executor.get());
    ASSERT_TRUE(statistics.ok()) << statistics.status();
    EXPECT_EQ(statistics->best, world.store().resolved());
    ExpectSame(*statistics, NaiveStatistics(world.naive()));
  }
}

TEST(CoinSetStatistics, WalkInTheOrderOfTheNaiveMap) {
  CoinWorld world(22, 300 << 10);
  for (int round = 0; round < 4; ++round) world.ApplyRandom(5, 150, 300);
  auto expected = world.naive().coins().begin();
  const absl::Status status = ForEachCoinSorted(world.store(), [&](const OutPoint& outpoint, const Coin& coin) {
    ASSERT_NE(expected, world.naive().coins().end());
    EXPECT_EQ(outpoint, expected->first);
    EXPECT_EQ(coin.amount, expected->second.amount);
    ++expected;
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(expected, world.naive().coins().end());
}

TEST(CoinSetStatistics, ReadOnlyStoreSeesTheManifestOfARunningOne) {
  CoinWorld world(23, 8 << 20);
  world.ApplyRandom(5, 0, 300);
  world.Checkpoint();
  const CoinSetStatistics expected = NaiveStatistics(world.naive());
  const BlockPoint durable = world.store().durable();
  world.ApplyRandom(5, 100, 300);
  CoinStoreOptions options = world.Options(world.directory());
  options.is_read_only = true;
  const auto reader = OpenCoinStore(options);
  ASSERT_TRUE(reader.ok()) << reader.status();
  // The pinned snapshot outlives the files: the running store goes on and deletes them.
  for (int round = 0; round < 3; ++round) {
    world.ApplyRandom(5, 300, 100);
    world.Checkpoint();
  }
  const auto statistics = ComputeSetStatistics(**reader, options.executor);
  ASSERT_TRUE(statistics.ok()) << statistics.status();
  EXPECT_EQ(statistics->best, durable);
  ExpectSame(*statistics, expected);
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
    const auto statistics = ComputeSetStatistics(*store, executor.get());
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
