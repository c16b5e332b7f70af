// Damaged, foreign and newer files: one sentence that names the file and the remedy, never a wrong coin, never a crash.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "engine/crypto/small_hashes.h"
#include "storage/coins/page_checksums.h"
#include "tests/storage/coins/coin_world.h"
#include "tests/support/data.h"

namespace headrace::testing {
namespace {

namespace fs = std::filesystem;

class CoinDamage : public ::testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 5; ++i) world_.ApplyRandom(4, 50, 100);
    world_.Checkpoint();
    fs::copy(world_.directory(), copy_.path(), fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    for (const auto& entry : fs::directory_iterator(copy_.path())) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with("segment-")) segment_ = entry.path().string();
      if (name.starts_with("image-")) image_ = entry.path().string();
    }
    manifest_ = copy_.path() + "/" + kManifestFileName;
    ASSERT_FALSE(segment_.empty());
    ASSERT_FALSE(image_.empty());
  }

  // Opens the copy and reads everything; the first failure is the answer.
  absl::Status OpenAndReadAll() {
    auto store = OpenCoinStore(world_.Options(copy_.path()));
    if (!store.ok()) return store.status();
    std::vector<uint8_t> script;
    for (const auto& [outpoint, expected] : world_.naive().coins()) {
      Coin coin;
      const auto found = (*store)->Find(outpoint, coin, script);
      if (!found.ok()) return found.status();
      EXPECT_TRUE(*found) << "damage made a coin disappear";
      EXPECT_EQ(coin.amount, expected.amount);
      EXPECT_EQ(script, expected.script);
    }
    for (const auto& verdict : (*store)->VerifyAll()) {
      if (!verdict.status.ok()) return verdict.status;
    }
    return absl::OkStatus();
  }
  void ExpectSentence(const std::string& path) {
    const absl::Status status = OpenAndReadAll();
    ASSERT_FALSE(status.ok()) << "unnoticed damage of " << path;
    EXPECT_NE(status.message().find(path), absl::string_view::npos) << status;
    EXPECT_NE(status.message().find("-reindex-chainstate"), absl::string_view::npos) << status;
  }
  // Flips bits all over a file, one at a time.
  void FlipAllOver(const std::string& path, size_t count) {
    const std::vector<uint8_t> good = ReadFileBytes(path);
    for (size_t i = 0; i < count; ++i) {
      std::vector<uint8_t> bad = good;
      bad[good.size() * i / count + world_.Below(good.size() / count)] ^= 1u << world_.Below(8);
      WriteFileBytes(path, bad);
      ExpectSentence(path);
    }
    WriteFileBytes(path, good);
  }
  void TruncateAllOver(const std::string& path) {
    const std::vector<uint8_t> good = ReadFileBytes(path);
    for (const size_t size : {size_t{0}, size_t{1}, size_t{11}, size_t{64}, good.size() / 2, good.size() - 1}) {
      WriteFileBytes(path, {good.begin(), good.begin() + size});
      ExpectSentence(path);
    }
    std::vector<uint8_t> longer = good;
    longer.push_back(0);
    WriteFileBytes(path, longer);
    ExpectSentence(path);
    WriteFileBytes(path, good);
  }

  CoinWorld world_{31, 8 << 20};
  TemporaryDirectory copy_;
  std::string segment_, image_, manifest_;
};

TEST_F(CoinDamage, IntactCopyIsFine) { EXPECT_TRUE(OpenAndReadAll().ok()); }
TEST_F(CoinDamage, ManifestFlipped) { FlipAllOver(manifest_, 60); }
TEST_F(CoinDamage, ManifestTruncated) { TruncateAllOver(manifest_); }
TEST_F(CoinDamage, SegmentFlipped) { FlipAllOver(segment_, 60); }
// As a file of another time has it: each page agrees with the checksum beside it, and the manifest knows better.
TEST_F(CoinDamage, SegmentWhosePagesAgreeWithTheirOwnChecksumsAlone) {
  std::vector<uint8_t> bytes = ReadFileBytes(segment_);
  const size_t body_bytes = bytes.size() / (kPageBytes + 4) * kPageBytes;
  bytes[body_bytes - 1] ^= 1;
  const PageChecksums checksums = PageChecksums::Of({bytes.data(), body_bytes});
  ASSERT_EQ(checksums.bytes().size(), bytes.size() - body_bytes);
  std::copy(checksums.bytes().begin(), checksums.bytes().end(), bytes.begin() + static_cast<ptrdiff_t>(body_bytes));
  WriteFileBytes(segment_, bytes);
  ExpectSentence(segment_);
}
TEST_F(CoinDamage, SegmentTruncated) { TruncateAllOver(segment_); }
TEST_F(CoinDamage, ImageTruncated) { TruncateAllOver(image_); }
TEST_F(CoinDamage, ImageFlipped) {
  // Only tables and their checksums: the rest of a shard's last page is never read.
  const std::vector<uint8_t> good = ReadFileBytes(image_);
  size_t flipped = 0;
  for (size_t page = 0; page < good.size(); page += kPageBytes * 7) {
    std::vector<uint8_t> bad = good;
    bad[page + world_.Below(4)] ^= 1;
    WriteFileBytes(image_, bad);
    ExpectSentence(image_);
    ++flipped;
  }
  EXPECT_GT(flipped, 10u);
}

TEST_F(CoinDamage, FilesMissing) {
  const std::vector<uint8_t> segment = ReadFileBytes(segment_);
  fs::remove(segment_);
  ExpectSentence(segment_);
  WriteFileBytes(segment_, segment);
  fs::remove(image_);
  ExpectSentence(image_);
}

TEST_F(CoinDamage, NewerFormat) {
  std::vector<uint8_t> bytes = ReadFileBytes(manifest_);
  bytes[8] = kCoinFormatVersion + 1;
  WriteFileBytes(manifest_, bytes);
  ExpectSentence(manifest_);
  EXPECT_NE(OpenAndReadAll().message().find("newer"), absl::string_view::npos);
}

TEST_F(CoinDamage, OlderFormat) {
  std::vector<uint8_t> bytes = ReadFileBytes(manifest_);
  bytes[8] = kOldestCoinFormatVersion - 1;
  WriteFileBytes(manifest_, bytes);
  ExpectSentence(manifest_);
  EXPECT_NE(OpenAndReadAll().message().find("no longer reads"), absl::string_view::npos);
}

TEST_F(CoinDamage, OtherNetwork) {
  CoinStoreOptions options = world_.Options(copy_.path());
  options.network_magic = 0xd9b4bef9;
  const absl::Status status = OpenCoinStore(options).status();
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.message().find("another network (magic fabfb5da, expected f9beb4d9)"), absl::string_view::npos) << status;
}

TEST_F(CoinDamage, StrayFilesAreDeletedAndOthersKept) {
  WriteFileBytes(copy_.path() + "/segment-99999999.dat", {1, 2, 3});
  WriteFileBytes(copy_.path() + "/image-99999999.dat", {1, 2, 3});
  WriteFileBytes(copy_.path() + "/notes.txt", {1, 2, 3});
  EXPECT_TRUE(OpenAndReadAll().ok());
  EXPECT_FALSE(fs::exists(copy_.path() + "/segment-99999999.dat"));
  EXPECT_FALSE(fs::exists(copy_.path() + "/image-99999999.dat"));
  EXPECT_TRUE(fs::exists(copy_.path() + "/notes.txt"));
}

// A rotten page must never make a valid block look invalid.
TEST_F(CoinDamage, RottenRecordIsNoVerdict) {
  std::vector<uint8_t> bytes = ReadFileBytes(segment_);
  for (size_t page = 1; page * kPageBytes < bytes.size() - kPageBytes; ++page) {
    for (size_t i = 0; i < kPageBytes; ++i) bytes[page * kPageBytes + i] ^= 0x55;
  }
  WriteFileBytes(segment_, bytes);
  auto store = OpenCoinStore(world_.Options(copy_.path()));
  ASSERT_TRUE(store.ok()) << store.status();
  NaiveBlock naive = world_.MakeBlock(0, 1);
  naive.transactions.push_back({RandomHash(world_.random()), {}, {{1, {0x51}}}});
  for (const auto& [outpoint, coin] : world_.naive().coins()) naive.transactions.back().inputs.push_back(outpoint);
  const auto block = world_.Finish(naive, world_.tip());
  std::vector<Coin> spent(block->columns.input_count());
  Arena arena;
  WindowBlock window[] = {{naive.height, &block->columns, spent, &arena, false}};
  const auto outcome = (*store)->Apply(window);
  ASSERT_FALSE(outcome.ok()) << "a damaged disk became a verdict";
  EXPECT_NE(outcome.status().message().find(segment_), absl::string_view::npos) << outcome.status();
}

TEST_F(CoinDamage, ReadingAnEmptyDirectorySaysSo) {
  TemporaryDirectory empty;
  CoinStoreOptions options = world_.Options(empty.path());
  options.is_read_only = true;
  EXPECT_EQ(OpenCoinStore(options).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace headrace::testing
