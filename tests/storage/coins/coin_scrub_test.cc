// The scrub finds what rots in the files of a store that stays open, whoever deletes files beside it.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "storage/coins/page_checksums.h"
#include "tests/storage/coins/coin_world.h"
#include "tests/stress/stress_size.h"

namespace headrace::testing {
namespace {

// Reads are awaited by asking again: how often depends on the disk and on what else the machine does.
absl::Status ScrubRound(FlatCoinStore& store, const std::function<void()>& after_step = [] {}) {
  const StressDeadline deadline;
  store.BeginScrub();
  while (store.scrub_under_way()) {
    const absl::Status status = store.StepScrub();
    if (!status.ok()) return status;
    after_step();
    if (deadline.is_over()) return absl::DeadlineExceededError("the round does not come to an end");
    std::this_thread::yield();
  }
  return absl::OkStatus();
}

class CoinScrubTest : public ::testing::TestWithParam<uint64_t> {
 protected:
  // Several segments, and a store that goes on above its last checkpoint.
  void SetUp() override {
    for (int i = 0; i < 3; ++i) {
      world_.ApplyRandom(3, 100, 4000);
      world_.Checkpoint();
    }
    world_.ApplyRandom(2, 50, 50);
    for (const auto& entry : std::filesystem::directory_iterator(world_.directory())) {
      paths_.push_back(entry.path().string());
    }
  }
  uint64_t BytesOnDisk() const {
    uint64_t bytes = 0;
    for (const std::string& path : paths_) bytes += std::filesystem::file_size(path);
    return bytes;
  }
  static void Flip(const std::string& path, uint64_t at, uint8_t mask) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const auto byte = static_cast<char>(file.get() ^ mask);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte);
    ASSERT_TRUE(file.good());
  }
  void ExpectFound(const std::string& path) {
    const absl::Status status = ScrubRound(world_.store());
    ASSERT_EQ(status.code(), absl::StatusCode::kDataLoss) << path << ": " << status;
    EXPECT_NE(status.message().find(path), absl::string_view::npos) << status;
    EXPECT_NE(status.message().find("-reindex-chainstate"), absl::string_view::npos) << status;
  }

  CoinWorld world_{71, 64 << 20, nullptr, [](CoinStoreOptions& options) { options.scrub_step_bytes = GetParam(); }};
  std::vector<std::string> paths_;
};

TEST_P(CoinScrubTest, ARoundReadsEveryByteOfAnIntactStore) {
  ASSERT_GE(paths_.size(), 4u);
  EXPECT_TRUE(ScrubRound(world_.store()).ok());
  EXPECT_EQ(world_.store().counters().scrub_rounds, 1u);
  EXPECT_EQ(world_.store().counters().scrub_bytes, BytesOnDisk());
  EXPECT_TRUE(ScrubRound(world_.store()).ok());
  EXPECT_EQ(world_.store().counters().scrub_rounds, 2u);
  world_.ExpectEqual(world_.store());
}

TEST_P(CoinScrubTest, ARottenByteIsFoundInEveryFile) {
  constexpr uint64_t kFlips = 8;
  for (const std::string& path : paths_) {
    const uint64_t size = std::filesystem::file_size(path);
    for (uint64_t i = 0; i < kFlips; ++i) {
      // All over the file, its first and last byte among them.
      const uint64_t at = i == 0 ? 0 : i == 1 ? size - 1 : size * i / kFlips + world_.Below(size / kFlips);
      const auto mask = static_cast<uint8_t>(1u << world_.Below(8));
      SCOPED_TRACE(::testing::Message() << path << " byte " << at << " of " << size);
      Flip(path, at, mask);
      ExpectFound(path);
      Flip(path, at, mask);
    }
  }
  EXPECT_TRUE(ScrubRound(world_.store()).ok()) << "what was mended is still damaged";
}

TEST_P(CoinScrubTest, AFileThatIsShorterOrGoneIsFound) {
  for (const std::string& path : paths_) {
    const std::string aside = path + ".aside";
    std::filesystem::rename(path, aside);
    const absl::Status status = ScrubRound(world_.store());
    EXPECT_FALSE(status.ok());
    EXPECT_NE(status.message().find(path), absl::string_view::npos) << status;
    std::filesystem::rename(aside, path);
    // A longer one is not what was written either.
    std::ofstream(path, std::ios::app | std::ios::binary).put(0);
    ExpectFound(path);
    std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
  }
  EXPECT_TRUE(ScrubRound(world_.store()).ok());
}

// Whatever kind of file it is in.
TEST_P(CoinScrubTest, AStepChecksOnePiece) {
  FlatCoinStore& store = world_.store();
  uint64_t most = 0, before = 0;
  const absl::Status status = ScrubRound(store, [&] {
    const uint64_t now = store.counters().scrub_bytes;
    most = std::max(most, now - before);
    before = now;
  });
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_LE(most, GetParam());
}

// Checkpoints delete segments and images under the scrub, which must neither mind nor keep them.
TEST_P(CoinScrubTest, GoesOnBesideCompactionAndCheckpoints) {
  FlatCoinStore& store = world_.store();
  std::unique_ptr<PinnedCoinSet> pin;
  for (int round = 0; round < 40; ++round) {
    world_.ApplyRandom(1 + world_.Below(3), world_.Below(1500), world_.Below(1200));
    ASSERT_FALSE(HasFailure());
    if (round % 7 == 0) pin = store.Pin();
    ASSERT_TRUE(store.BeginCheckpoint().ok());
    for (int step = 0; step < 200 && store.checkpoint_under_way(); ++step) {
      store.BeginScrub();
      const absl::Status scrubbed = store.StepScrub();
      ASSERT_TRUE(scrubbed.ok()) << scrubbed;
      ASSERT_TRUE(store.StepCheckpoint().ok());
    }
    if (round % 10 == 9) {
      world_.Checkpoint();
      world_.UnapplyLast(1);
    }
  }
  EXPECT_GT(store.counters().checkpoints, 4u);
  EXPECT_TRUE(ScrubRound(store).ok());
  EXPECT_GT(store.counters().scrub_rounds, 0u);
  world_.ExpectEqual(store);
}

TEST_P(CoinScrubTest, AStoreMayCloseInTheMiddleOfARound) {
  world_.store().BeginScrub();
  for (int step = 0; step < 3; ++step) ASSERT_TRUE(world_.store().StepScrub().ok());
  EXPECT_TRUE(world_.store().scrub_under_way());
  world_.Restart();
  EXPECT_FALSE(world_.store().scrub_under_way());
  world_.ExpectEqual(world_.store());
}

INSTANTIATE_TEST_SUITE_P(StepBytes, CoinScrubTest,
                         ::testing::Values(uint64_t{4096}, uint64_t{16} << 10, uint64_t{4} << 20));

TEST(CoinScrub, AStoreWithoutAManifestHasNothingToRead) {
  CoinWorld world(72, 8 << 20);
  world.ApplyRandom(2, 0, 50);
  EXPECT_TRUE(ScrubRound(world.store()).ok());
  EXPECT_EQ(world.store().counters().scrub_bytes, 0u);
}

}  // namespace
}  // namespace headrace::testing
