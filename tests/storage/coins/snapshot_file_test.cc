#include "storage/coins/snapshot_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "engine/base/hex.h"
#include "engine/runtime/tbb_executor.h"
#include "storage/coins/snapshot_coding.h"
#include "tests/reference/block_builder.h"
#include "tests/reference/naive_coin_sums.h"
#include "tests/reference/plain_snapshot.h"
#include "tests/storage/coins/coin_world.h"
#include "tests/support/chain_builder.h"
#include "tests/support/data.h"
#include "tests/support/node/failing_file_system.h"

namespace headrace::testing {
namespace {

std::string VarintHex(uint64_t value) {
  std::vector<uint8_t> bytes;
  AppendSnapshotVarint(value, bytes);
  return HexEncode(bytes);
}

TEST(SnapshotCoding, VarintsHaveOneFormEach) {
  EXPECT_EQ(VarintHex(0), "00");
  EXPECT_EQ(VarintHex(127), "7f");
  EXPECT_EQ(VarintHex(128), "8000");
  EXPECT_EQ(VarintHex(255), "807f");
  EXPECT_EQ(VarintHex(256), "8100");
  EXPECT_EQ(VarintHex(16'383), "fe7f");
  EXPECT_EQ(VarintHex(16'384), "ff00");
  EXPECT_EQ(VarintHex(16'511), "ff7f");
  EXPECT_EQ(VarintHex(16'512), "808000");
  EXPECT_EQ(VarintHex(65'535), "82fe7f");
  EXPECT_EQ(VarintHex(uint64_t{1} << 32), "8efefeff00");
  EXPECT_EQ(VarintHex(~uint64_t{0}), "80fefefefefefefefe7f");
}

TEST(SnapshotCoding, AmountsThatTheFieldPublishes) {
  EXPECT_EQ(SnapshotAmountCode(0), 0u);
  EXPECT_EQ(SnapshotAmountCode(1), 1u);
  EXPECT_EQ(SnapshotAmountCode(1'000'000), 7u);
  EXPECT_EQ(SnapshotAmountCode(kCoin), 9u);
  EXPECT_EQ(SnapshotAmountCode(50 * kCoin), 50u);
  EXPECT_EQ(SnapshotAmountCode(kMaxMoney), 21'000'000u);
}

// Writes what the world's store has published, reads it back plainly, and compares with the naive set, in the order of
// a map.
void ExpectFileOfTheTip(CoinWorld& world, const std::string& path) {
  const auto pin = world.store().Pin();
  const auto written = pin->WriteSnapshot(path, kNeverStop);
  ASSERT_TRUE(written.ok()) << written.status();
  CoinSetStatistics expected = SumsOf(world.naive());
  expected.muhash = Hash256();
  ExpectSameSums(*written, expected);
  EXPECT_EQ(written->best, world.store().resolved());
  EXPECT_FALSE(std::filesystem::exists(path + ".incomplete"));
  const PlainSnapshot snapshot(ReadFileBytes(path));
  EXPECT_EQ(snapshot.version, 2);
  EXPECT_EQ(snapshot.magic, kTestMagic);
  EXPECT_EQ(snapshot.base, world.tip());
  ASSERT_EQ(snapshot.coins.size(), world.naive().coins().size());
  auto wanted = world.naive().coins().begin();
  for (const auto& [outpoint, coin] : snapshot.coins) {
    ASSERT_EQ(outpoint, wanted->first);
    ASSERT_EQ(coin, wanted->second);
    ++wanted;
  }
}

TEST(SnapshotFile, HoldsTheNaiveSet) {
  const std::unique_ptr<Executor> executor = MakeTbbExecutor(2);
  for (const uint64_t part_bytes : {uint64_t{1}, uint64_t{30'000}, uint64_t{512} << 20}) {
    CoinWorld world(41, 300 << 10, executor.get(),
                    [&](CoinStoreOptions& options) { options.whole_set_part_bytes = part_bytes; });
    TemporaryDirectory directory;
    // A part for each prefix of a txid is slow.
    for (int round = 0; round < (part_bytes == 1 ? 1 : 3); ++round) {
      ASSERT_NO_FATAL_FAILURE(world.ApplyRandom(5, 150, 400));
      world.Checkpoint();
      ASSERT_NO_FATAL_FAILURE(ExpectFileOfTheTip(world, directory.path() + "/" + std::to_string(round) + ".dat"));
    }
  }
}

TEST(SnapshotFile, OfAnEmptySetIsAHeader) {
  CoinWorld world(42, 1 << 20);
  ASSERT_TRUE(world.store().BeginCheckpoint().ok());
  while (world.store().checkpoint_under_way()) ASSERT_TRUE(world.store().StepCheckpoint().ok());
  TemporaryDirectory directory;
  const std::string path = directory.path() + "/empty.dat";
  ASSERT_TRUE(world.store().Pin()->WriteSnapshot(path, kNeverStop).ok());
  EXPECT_EQ(std::filesystem::file_size(path), 51u);
}

// The field's files have a transaction's outputs in the order of their keys in its database, where 16,512 comes before
// 256; its hash of the set has them in the order of numbers.
TEST(SnapshotFile, OutputsOfOneTransactionInTheFieldsOrder) {
  constexpr uint32_t kOutputs = 17'000;
  CoinWorld world(43, 64 << 20);
  NaiveBlock block;
  block.height = 1;
  block.transactions.emplace_back().txid = RandomHash(world.random());
  block.transactions[0].inputs.push_back({Hash256(), OutPoint::kNullIndex});
  for (uint32_t i = 0; i < kOutputs; ++i) block.transactions[0].outputs.push_back({Amount{i} * 1000 + 1, {0x51}});
  ASSERT_NO_FATAL_FAILURE(world.ApplyBlock(std::move(block)));
  world.Checkpoint();
  TemporaryDirectory directory;
  const std::string path = directory.path() + "/wide.dat";
  const auto written = world.store().Pin()->WriteSnapshot(path, kNeverStop);
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(written->hash_serialized, SumsOf(world.naive()).hash_serialized);
  const PlainSnapshot snapshot(ReadFileBytes(path));
  std::vector<uint32_t> expected;
  for (uint32_t i = 0; i < 256; ++i) expected.push_back(i);
  for (uint32_t i = 16'512; i < kOutputs; ++i) expected.push_back(i);
  for (uint32_t i = 256; i < 16'512; ++i) expected.push_back(i);
  ASSERT_EQ(snapshot.coins.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_EQ(snapshot.coins[i].first.index, expected[i]);
    ASSERT_EQ(snapshot.coins[i].second, world.naive().coins().at(snapshot.coins[i].first));
  }
}

// The hundred blocks that Bitcoin Core's own test of dumptxoutset makes (rpc_dumptxoutset.py, version 31.99), and the
// three hashes that it expects: of the block, of the set, and of every byte of the file.
TEST(SnapshotFile, IsByteForByteTheFieldsOwn) {
  constexpr uint32_t kGenesisTime_s = 1'296'688'602;
  const auto to = HexDecode("76a9142b4569203694fc997e13f2c0a1383b9e16c77a0d88ac");
  ASSERT_TRUE(to.has_value());
  const BlockPoint genesis{Hash256::FromHex("0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206").value(),
                           0};
  CoinWorld world(44, 64 << 20);
  TemporaryDirectory directory;
  CoinStoreOptions options = world.Options(directory.path());
  options.network_magic = 0xdab5bffa;
  options.origin = genesis;
  const auto store = OpenCoinStore(options).value();

  BlockPoint tip = genesis;
  std::vector<uint32_t> times{kGenesisTime_s};
  for (uint32_t height = 1; height <= 100; ++height) {
    BuiltBlock block;
    MutableTransaction& coinbase = block.transactions.emplace_back(CoinbaseAt(height, 50 * kCoin));
    coinbase.inputs[0].sequence = 0xfffffffe;
    coinbase.lock_time = height - 1;
    coinbase.outputs[0].script = *to;
    std::vector<uint8_t> commitment{0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed};
    const Digest256 of_nothing = Sha256d(std::vector<uint8_t>(64));
    commitment.insert(commitment.end(), of_nothing.begin(), of_nothing.end());
    coinbase.outputs.push_back({0, commitment});
    block.header.version = 0x20000000;
    block.header.previous = tip.hash;
    block.header.bits = 0x207fffff;
    block.FixMerkleRoot();
    // The clock stands still a second after genesis; times must be above the median of the last eleven.
    std::vector<uint32_t> last(times.end() - std::min<ptrdiff_t>(11, std::ssize(times)), times.end());
    std::sort(last.begin(), last.end());
    block.header.time_s = std::max(last[last.size() / 2], kGenesisTime_s) + 1;
    times.push_back(block.header.time_s);
    MineHeader(block.header);
    const DecodedBlock decoded(block.Serialize());
    std::vector<Coin> spent(decoded.columns.input_count());
    Arena arena;
    std::vector<WindowBlock> window{{height, &decoded.columns, spent, &arena, false}};
    ASSERT_EQ(store->Apply(window).value(), WindowOutcome::kApplied);
    tip = {decoded.columns.hash, height};
  }
  EXPECT_EQ(tip.hash.ToHex(), "220aee93f0f5409631f35488898258f0930952bd620063cb4d7d87f7c28a8f50");
  store->SetApplied(tip);
  ASSERT_TRUE(store->FinishCheckpoint().ok());
  const std::string path = directory.path() + "/txoutset.dat";
  const auto written = store->Pin()->WriteSnapshot(path, kNeverStop);
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_EQ(written->coins, 100u);
  EXPECT_EQ(written->hash_serialized.ToHex(), "771d773b5c27b6f35f598ce764652a2cf28fbc268341eb1827844e416c629c7d");
  EXPECT_EQ(HexEncode(Sha256(ReadFileBytes(path))), "e8c59b1bc1f19061c67eb7a392f4ea17eea83af58646ea2909e270546699c36c");
}

class SnapshotFailure : public ::testing::Test {
 protected:
  SnapshotFailure() {
    world_.ApplyRandom(4, 0, 400);
    world_.Checkpoint();
  }

  CoinWorld world_{45, 64 << 20};
  TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/set.dat";
};

TEST_F(SnapshotFailure, NothingIsOverwritten) {
  std::ofstream(path_) << "mine";
  const absl::Status status = world_.store().Pin()->WriteSnapshot(path_, kNeverStop).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists) << status;
  EXPECT_NE(status.message().find(path_ + " already exists"), std::string::npos) << status;
  EXPECT_EQ(std::filesystem::file_size(path_), 4u);
  EXPECT_EQ(world_.store().CheckSnapshotPath(path_), status);
  EXPECT_TRUE(world_.store().CheckSnapshotPath(path_ + "2").ok());
}

TEST_F(SnapshotFailure, APathThatCannotBeWrittenIsNamed) {
  const std::string path = directory_.path() + "/none/set.dat";
  const absl::Status status = world_.store().Pin()->WriteSnapshot(path, kNeverStop).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_NE(status.message().find("Couldn't open file " + path + ".incomplete for writing"), std::string::npos)
      << status;
}

TEST_F(SnapshotFailure, WhatWasBrokenOffLeavesNothing) {
  const std::atomic<bool> must_stop{true};
  EXPECT_EQ(world_.store().Pin()->WriteSnapshot(path_, must_stop).status().code(), absl::StatusCode::kCancelled);
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
}

// Every file of this process is full at a page: what a full disk is, but for the number of the error.
TEST_F(SnapshotFailure, AFileThatIsFullSaysSoAndGoes) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit page{4096, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &page), 0);
  const absl::Status status = world_.store().Pin()->WriteSnapshot(path_, kNeverStop).status();
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, ignored);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_NE(status.message().find(path_ + ".incomplete"), std::string::npos) << status;
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
  EXPECT_TRUE(world_.store().Pin()->WriteSnapshot(path_, kNeverStop).ok());
}

// The disk takes nothing more from some change on: whichever it is, the file is whole or not there.
TEST_F(SnapshotFailure, AFullDiskLeavesTheWholeFileOrNone) {
  FailingFileSystem files(OpenFileSystem().value());
  CoinStoreOptions options = world_.Options(world_.directory());
  options.files = &files;
  int failed = 0;
  for (uint64_t changes = 0; changes < 20; ++changes) {
    TemporaryDirectory directory;
    const std::string path = directory.path() + "/set.dat";
    auto coins = PinnedCoins::OpenPublished(options).value();
    files.FailAfter(changes);
    const absl::Status status = coins->WriteSnapshot(path, kNeverStop).status();
    if (status.ok()) {
      EXPECT_EQ(PlainSnapshot(ReadFileBytes(path)).coins.size(), world_.naive().coins().size());
      EXPECT_GT(failed, 3);
      return;
    }
    ++failed;
    // Durable or not is all that is left open when the directory's sync fails.
    if (std::filesystem::exists(path)) {
      EXPECT_EQ(PlainSnapshot(ReadFileBytes(path)).coins.size(), world_.naive().coins().size());
    }
  }
  FAIL() << "no number of changes was enough";
}

}  // namespace
}  // namespace headrace::testing
