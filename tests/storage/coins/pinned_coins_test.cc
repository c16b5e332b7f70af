#include "storage/coins/pinned_coins.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "engine/runtime/tbb_executor.h"
#include "tests/reference/naive_coin_sums.h"
#include "tests/storage/coins/coin_world.h"

namespace headrace::testing {
namespace {

// A pin with what must be found in it, whatever happens meanwhile.
struct ExpectedPin {
  std::unique_ptr<PinnedCoinSet> set;
  BlockPoint best;
  CoinSetStatistics expected;
};

std::set<std::string> NamesIn(const std::string& directory) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) names.insert(entry.path().filename());
  return names;
}

std::set<std::string> NamesOf(const CoinManifest& manifest) {
  std::set<std::string> names{kManifestFileName, ImageFileName(manifest.image_serial)};
  for (const SegmentEntry& segment : manifest.segments) names.insert(SegmentFileName(segment.serial));
  return names;
}

const CoinManifest& ManifestOf(const PinnedCoinSet& pin) { return static_cast<const PinnedCoins&>(pin).manifest(); }

// Whether the world's chain has the block.
bool IsOnChain(const CoinWorld& world, const BlockPoint& point) {
  return point.height == 0 || (point.height <= world.height() && world.chain()[point.height - 1]->hash == point.hash);
}

void Forward(const CoinWorld& world, PinnedCoinSet& pin, uint32_t to_height) {
  for (uint32_t height = pin.lowest().height + 1; height <= to_height; ++height) {
    const WorldBlock& block = *world.chain()[height - 1];
    ASSERT_TRUE(
        pin.Forward({.height = height, .columns = &block.columns, .may_overwrite = block.naive.may_overwrite}).ok());
  }
}

// The published manifest, brought to the world's tip.
ExpectedPin PinTip(CoinWorld& world) {
  ExpectedPin pin{world.store().Pin(), world.store().resolved(), SumsOf(world.naive())};
  Forward(world, *pin.set, world.height());
  return pin;
}

void ExpectHolds(const ExpectedPin& pin) {
  const auto statistics = pin.set->Statistics({}, kNeverStop);
  ASSERT_TRUE(statistics.ok()) << statistics.status();
  EXPECT_EQ(statistics->best, pin.best);
  ExpectSameSums(*statistics, pin.expected);
}

class PinnedHistory : public ::testing::TestWithParam<uint64_t> {
 protected:
  static constexpr uint64_t kSeeds = 12;

  // How far a checkpoint comes in a step depends on the disk, so what one history meets is not certain; what all of them meet
  // is.
  static void TearDownTestSuite() {
    if (histories_ != kSeeds) return;
    EXPECT_GT(compared_, kSeeds);
    EXPECT_GT(fuzzy_, 0u) << "every manifest was of one block, so nothing was brought forward";
    EXPECT_GT(parts_most_, 1u);
  }

  static inline uint64_t histories_ = 0;
  static inline uint64_t compared_ = 0;
  static inline uint64_t fuzzy_ = 0;
  static inline size_t parts_most_ = 0;
};

// Pins are taken at random moments, of manifests whose shards mostly stand at different blocks; they are read after
// windows, disconnections, checkpoints and compactions have gone on, several at a time, in parts of a few coins or all
// at once.
TEST_P(PinnedHistory, SetsAreThoseOfTheirBlocks) {
  const std::unique_ptr<Executor> executor = MakeTbbExecutor(2);
  CoinWorld world(GetParam(), 200 << 10, executor.get(), [](CoinStoreOptions& options) {
    options.checkpoint_step_bytes = 1 << 19;
    options.whole_set_part_bytes = 20'000;
  });
  std::vector<ExpectedPin> pins;
  for (int step = 0; step < 200; ++step) {
    switch (world.Below(24)) {
      case 0:
        if (world.height() <= 8) break;
        ASSERT_NO_FATAL_FAILURE(world.UnapplyLast(1 + world.Below(4)));
        break;
      case 1:
      case 2:
      case 3:
      case 4:
        ASSERT_TRUE(world.store().BeginCheckpoint().ok());
        break;
      case 5:
      case 6:
      case 7: {
        const std::optional<BlockPoint> through = world.store().durable_through();
        if (!through || !IsOnChain(world, *through)) break;
        if (pins.size() == 3) pins.erase(pins.begin() + static_cast<ptrdiff_t>(world.Below(3)));
        pins.push_back(PinTip(world));
        fuzzy_ += pins.back().set->lowest() == pins.back().set->highest() ? 0 : 1;
        break;
      }
      case 8:
      case 9:
        if (pins.empty()) break;
        ASSERT_NO_FATAL_FAILURE(ExpectHolds(pins[world.Below(pins.size())]));
        ++compared_;
        break;
      default:
        ASSERT_NO_FATAL_FAILURE(world.ApplyRandom(1 + world.Below(4), world.Below(120), 1 + world.Below(120)));
    }
    // Of a checkpoint's steps some only compact, or wait for the disk.
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(world.store().StepCheckpoint().ok());
  }
  for (const ExpectedPin& pin : pins) {
    ASSERT_NO_FATAL_FAILURE(ExpectHolds(pin));
    parts_most_ = std::max(parts_most_, static_cast<PinnedCoins&>(*pin.set).part_count());
    ++compared_;
  }
  ++histories_;
  // With the last pin goes all that no manifest names.
  pins.clear();
  ASSERT_NO_FATAL_FAILURE(world.Checkpoint());
  EXPECT_EQ(NamesIn(world.directory()), NamesOf(ManifestOf(*world.store().Pin())));
}

INSTANTIATE_TEST_SUITE_P(Seeds, PinnedHistory, ::testing::Range<uint64_t>(1, 13));

TEST(PinnedCoins, KeepFilesUntilTheLastPinGoes) {
  CoinWorld world(31, 64 << 20);
  world.ApplyRandom(4, 0, 400);
  world.Checkpoint();
  auto first = world.store().Pin();
  auto second = world.store().Pin();
  const std::set<std::string> pinned = NamesOf(ManifestOf(*first));
  const CoinSetStatistics expected = SumsOf(world.naive());
  // Nearly all of it dies: the segments that the pins name are compacted away.
  for (int round = 0; round < 3; ++round) {
    world.ApplyRandom(4, 300, 100);
    world.Checkpoint();
  }
  const std::set<std::string> published = NamesOf(ManifestOf(*world.store().Pin()));
  const auto contains = [&](const std::set<std::string>& wanted) {
    const std::set<std::string> files = NamesIn(world.directory());
    return std::includes(files.begin(), files.end(), wanted.begin(), wanted.end());
  };
  ASSERT_FALSE(std::includes(published.begin(), published.end(), pinned.begin(), pinned.end()));
  EXPECT_TRUE(contains(pinned));
  first.reset();
  EXPECT_TRUE(contains(pinned)) << "there is a second pin";
  const auto statistics = second->Statistics({}, kNeverStop);
  ASSERT_TRUE(statistics.ok()) << statistics.status();
  ExpectSameSums(*statistics, expected);
  second.reset();
  world.store().state().pins->WaitForRemovals();
  EXPECT_EQ(NamesIn(world.directory()), published);
}

TEST(PinnedCoins, WhatAPinLeftBehindGoesAtTheNextStart) {
  CoinWorld world(32, 64 << 20);
  world.ApplyRandom(4, 0, 400);
  world.Checkpoint();
  const auto pin = world.store().Pin();
  for (int round = 0; round < 3; ++round) {
    world.ApplyRandom(4, 300, 100);
    world.Checkpoint();
  }
  const std::set<std::string> published = NamesOf(ManifestOf(*world.store().Pin()));
  // A process that is killed with a pin leaves what a copy of the directory holds now.
  TemporaryDirectory copy;
  std::filesystem::copy(world.directory(), copy.path(), std::filesystem::copy_options::recursive);
  EXPECT_NE(NamesIn(copy.path()), published);
  const auto opened = OpenCoinStore(world.Options(copy.path()));
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(NamesIn(copy.path()), published);
}

TEST(PinnedCoins, OutliveTheirStore) {
  CoinWorld world(33, 64 << 20);
  world.ApplyRandom(4, 0, 400);
  world.Checkpoint();
  TemporaryDirectory copy;
  std::filesystem::copy(world.directory(), copy.path(), std::filesystem::copy_options::recursive);
  auto store = OpenCoinStore(world.Options(copy.path())).value();
  const auto pin = store->Pin();
  store.reset();
  const auto statistics = pin->Statistics({}, kNeverStop);
  ASSERT_TRUE(statistics.ok()) << statistics.status();
  ExpectSameSums(*statistics, SumsOf(world.naive()));
}

// Of an empty set too there is a manifest to pin, when one is asked for.
TEST(PinnedCoins, HoldNothingAtGenesis) {
  CoinWorld world(34, 64 << 20);
  EXPECT_FALSE(world.store().durable_through().has_value());
  ASSERT_TRUE(world.store().BeginCheckpoint().ok());
  while (world.store().checkpoint_under_way()) ASSERT_TRUE(world.store().StepCheckpoint().ok());
  const auto statistics = world.store().Pin()->Statistics({}, kNeverStop);
  ASSERT_TRUE(statistics.ok()) << statistics.status();
  EXPECT_EQ(statistics->coins, 0u);
  ExpectSameSums(*statistics, SumsOf(world.naive()));
}

TEST(PinnedCoins, RefuseASetOfNoBlock) {
  CoinWorld world(35, 64 << 20, nullptr, [](CoinStoreOptions& options) { options.checkpoint_step_bytes = 1; });
  world.ApplyRandom(4, 0, 400);
  ASSERT_TRUE(world.store().BeginCheckpoint().ok());
  while (world.store().checkpoint_under_way()) {
    ASSERT_TRUE(world.store().StepCheckpoint().ok());
    if (world.height() < 8) world.ApplyRandom(1, 20, 20);
  }
  const auto pin = world.store().Pin();
  ASSERT_LT(pin->lowest().height, pin->highest().height);
  EXPECT_EQ(pin->Statistics({}, kNeverStop).status().code(), absl::StatusCode::kFailedPrecondition);
  Forward(world, *pin, pin->highest().height);
  EXPECT_TRUE(pin->Statistics({}, kNeverStop).ok());
}

// A coinbase that has the txid of an older one whose coin is unspent: the older coin is gone for good (BIP30's
// exceptions).
TEST(PinnedCoins, AnOverwrittenCoinIsGone) {
  CoinWorld world(36, 64 << 20);
  world.ApplyRandom(2, 0, 50);
  world.Checkpoint();
  for (int twice = 0; twice < 2; ++twice) {
    // The first overwrites a coin of the manifest, the second one of a block above it.
    NaiveBlock block;
    block.height = world.height() + 1;
    block.may_overwrite = true;
    const auto& [outpoint, coin] = *world.naive().coins().begin();
    block.transactions.emplace_back().txid = outpoint.txid;
    block.transactions[0].inputs.push_back({Hash256(), OutPoint::kNullIndex});
    block.transactions[0].outputs.resize(outpoint.index + 1, {coin.amount + 1, {0x51, static_cast<uint8_t>(twice)}});
    world.ApplyBlock(std::move(block));
  }
  const ExpectedPin pin = PinTip(world);
  ExpectHolds(pin);
  world.Checkpoint();
  ExpectHolds(PinTip(world));
}

TEST(PinnedCoins, EndWhenTheyAreToldTo) {
  CoinWorld world(37, 64 << 20);
  world.ApplyRandom(4, 0, 400);
  world.Checkpoint();
  const auto pin = world.store().Pin();
  const std::atomic<bool> must_stop{true};
  EXPECT_EQ(pin->Statistics({}, must_stop).status().code(), absl::StatusCode::kCancelled);
  // And nothing is lost by it.
  const auto statistics = pin->Statistics({}, kNeverStop);
  ASSERT_TRUE(statistics.ok()) << statistics.status();
  ExpectSameSums(*statistics, SumsOf(world.naive()));
}

// One flipped bit in any file that the manifest names, in turn, is a sentence that names the file; never another set.
TEST(PinnedCoins, NameTheFileThatIsDamaged) {
  CoinWorld world(38, 64 << 20);
  world.ApplyRandom(4, 0, 400);
  world.Checkpoint();
  world.ApplyRandom(4, 10, 400);
  world.Checkpoint();
  const std::set<std::string> names = NamesOf(ManifestOf(*world.store().Pin()));
  ASSERT_GT(names.size(), 3u);
  for (const std::string& name : names) {
    if (name == kManifestFileName) continue;
    // The first byte, and one in the middle: of an image the first of a table.
    for (const double place : {0.0, 0.5}) {
      TemporaryDirectory copy;
      std::filesystem::copy(world.directory(), copy.path(), std::filesystem::copy_options::recursive);
      const std::string path = copy.path() + "/" + name;
      {
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        const auto at = static_cast<std::streamoff>(place * static_cast<double>(std::filesystem::file_size(path)));
        file.seekg(at);
        const int byte = file.get();
        file.seekp(at);
        file.put(static_cast<char>(byte ^ 0x10));
      }
      CoinStoreOptions options = world.Options(copy.path());
      auto coins = PinnedCoins::OpenPublished(options);
      const absl::Status status = coins.ok() ? (*coins)->Statistics({}, kNeverStop).status() : coins.status();
      EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << name << " " << place << " " << status;
      EXPECT_NE(status.message().find(name), std::string::npos) << status;
    }
    TemporaryDirectory copy;
    std::filesystem::copy(world.directory(), copy.path(), std::filesystem::copy_options::recursive);
    std::filesystem::remove(copy.path() + "/" + name);
    const absl::Status status = PinnedCoins::OpenPublished(world.Options(copy.path())).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  }
}

}  // namespace
}  // namespace headrace::testing
