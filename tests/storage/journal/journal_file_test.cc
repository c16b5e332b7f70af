// Small files on the real disk and on one that fails: the old content or the new one, and never something else unnoticed.
#include "storage/journal/journal_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "storage/file/open_file_system.h"
#include "tests/sim/sim_disk.h"
#include "tests/sim/sim_file_system.h"
#include "tests/support/temporary_directory.h"

namespace headrace {
namespace {

constexpr std::array<uint8_t, 4> kNetwork = {0xfa, 0xbf, 0xb5, 0xda};
constexpr uint64_t kContentMax = 100'000;

std::vector<uint8_t> Content(size_t size, uint8_t seed) {
  std::vector<uint8_t> content(size);
  for (size_t i = 0; i < size; ++i) content[i] = static_cast<uint8_t>(seed + i * 7);
  return content;
}

class JournalFileTest : public ::testing::Test {
 protected:
  std::vector<uint8_t> RawBytes() const {
    std::ifstream stream(path_, std::ios::binary);
    return std::vector<uint8_t>(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
  }
  void WriteRaw(const std::vector<uint8_t>& bytes) const {
    std::ofstream stream(path_, std::ios::binary | std::ios::trunc);
    stream.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }

  testing::TemporaryDirectory directory_;
  const std::string path_ = directory_.File("small.dat");
  std::unique_ptr<FileSystem> files_ = OpenFileSystem().value();
  JournalFile file_{*files_, path_, kNetwork, kContentMax};
};

TEST_F(JournalFileTest, WrittenIsRead) {
  const auto absent = file_.Read();
  ASSERT_TRUE(absent.ok());
  EXPECT_FALSE(absent->has_value());
  for (const size_t size : {size_t{0}, size_t{1}, size_t{4096}, size_t{kContentMax}}) {
    ASSERT_TRUE(file_.Replace(Content(size, 1)).ok());
    const auto read = file_.Read();
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(*read, Content(size, 1));
    EXPECT_EQ(std::filesystem::file_size(path_), size + JournalFile::kHeaderBytes);
  }
  EXPECT_FALSE(std::filesystem::exists(path_ + ".new"));
}

TEST_F(JournalFileTest, EveryFlippedBitIsNoticed) {
  ASSERT_TRUE(file_.Replace(Content(60, 3)).ok());
  const std::vector<uint8_t> good = RawBytes();
  for (size_t i = 0; i < good.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::vector<uint8_t> bad = good;
      bad[i] ^= static_cast<uint8_t>(1 << bit);
      WriteRaw(bad);
      EXPECT_FALSE(file_.Read().ok()) << "byte " << i << " bit " << bit;
    }
  }
}

TEST_F(JournalFileTest, EveryOtherSizeIsNoticed) {
  ASSERT_TRUE(file_.Replace(Content(60, 3)).ok());
  const std::vector<uint8_t> good = RawBytes();
  for (size_t size = 0; size < good.size(); ++size) {
    WriteRaw({good.begin(), good.begin() + static_cast<ptrdiff_t>(size)});
    EXPECT_TRUE(absl::IsDataLoss(file_.Read().status())) << size;
  }
  std::vector<uint8_t> longer = good;
  longer.push_back(0);
  WriteRaw(longer);
  EXPECT_TRUE(absl::IsDataLoss(file_.Read().status()));
  WriteRaw(std::vector<uint8_t>(kContentMax + JournalFile::kHeaderBytes + 1));
  EXPECT_TRUE(absl::IsDataLoss(file_.Read().status()));
}

TEST_F(JournalFileTest, OtherNetworksAndVersionsAreNamed) {
  JournalFile other(*files_, path_, {1, 2, 3, 4}, kContentMax);
  ASSERT_TRUE(other.Replace(Content(60, 3)).ok());
  const absl::Status foreign = file_.Read().status();
  EXPECT_TRUE(absl::IsFailedPrecondition(foreign)) << foreign;
  EXPECT_NE(std::string(foreign.message()).find("another network"), std::string::npos) << foreign;
  std::vector<uint8_t> newer = RawBytes();
  newer[8] = 2;
  WriteRaw(newer);
  const absl::Status version = file_.Read().status();
  EXPECT_TRUE(absl::IsFailedPrecondition(version)) << version;
  EXPECT_NE(std::string(version.message()).find("version 2"), std::string::npos) << version;
}

TEST_F(JournalFileTest, KeptAsideIsNotLost) {
  ASSERT_TRUE(file_.Replace(Content(60, 3)).ok());
  const std::vector<uint8_t> bytes = RawBytes();
  const auto aside = file_.KeepAside();
  ASSERT_TRUE(aside.ok()) << aside.status();
  EXPECT_EQ(std::filesystem::file_size(*aside), bytes.size());
  const auto read = file_.Read();
  ASSERT_TRUE(read.ok());
  EXPECT_FALSE(read->has_value());
  EXPECT_FALSE(file_.KeepAside().ok()) << "there is nothing to keep";
}

// The power fails, or the process is killed, at each operation in turn: the file is what one of the last two writes made it,
// and the last one that reported success when nothing came after it.
class JournalCrashTest : public ::testing::TestWithParam<bool> {};

TEST_P(JournalCrashTest, TheOldContentOrTheNew) {
  int cut_short = 0;
  for (uint64_t operation = 1; operation <= 40; ++operation) {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      sim::Wakeup wakeup;
      sim::SimDisk disk(sim::SimEntropy(seed * 1'000 + operation), wakeup);
      uint8_t succeeded = 0;
      uint8_t begun = 0;
      {
        sim::SimFileSystem files(disk);
        ASSERT_TRUE(files.MakeDirectories("/data").ok());
        JournalFile file(files, "/data/small.dat", kNetwork, kContentMax);
        if (GetParam()) {
          disk.FailPowerAfter(operation);
        } else {
          disk.KillAfter(operation);
        }
        for (uint8_t round = 1; round <= 8; ++round) {
          begun = round;
          if (!file.Replace(Content(1'500 + round, round)).ok()) break;
          succeeded = round;
        }
        cut_short += succeeded != 8 ? 1 : 0;
      }
      disk.FailPower();
      disk.FailPowerAfter(0);
      sim::SimFileSystem files(disk);
      JournalFile file(files, "/data/small.dat", kNetwork, kContentMax);
      const auto read = file.Read();
      ASSERT_TRUE(read.ok()) << read.status() << " operation " << operation << " seed " << seed;
      const bool is_old = succeeded == 0 ? !read->has_value() : *read == Content(1'500u + succeeded, succeeded);
      const bool is_new = *read == Content(1'500u + begun, begun);
      ASSERT_TRUE(is_old || is_new) << "operation " << operation << " seed " << seed << " succeeded " << int{succeeded};
      disk.Kill();
    }
  }
  EXPECT_GT(cut_short, 100);
}

INSTANTIATE_TEST_SUITE_P(Ends, JournalCrashTest, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "PowerFails" : "Killed"; });

TEST(JournalFailureTest, AFullOrFailingDiskLeavesTheOldContent) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    sim::Wakeup wakeup;
    sim::SimDisk disk(sim::SimEntropy(seed), wakeup);
    sim::SimFileSystem files(disk);
    ASSERT_TRUE(files.MakeDirectories("/data").ok());
    JournalFile file(files, "/data/small.dat", kNetwork, kContentMax);
    ASSERT_TRUE(file.Replace(Content(2'000, 1)).ok());
    disk.FillUp(true);
    EXPECT_FALSE(file.Replace(Content(50'000, 2)).ok());
    disk.FillUp(false);
    EXPECT_EQ(file.Read().value(), Content(2'000, 1));
    disk.FailAt(1 + seed % 5);
    const bool is_replaced = file.Replace(Content(3'000, 3)).ok();
    disk.FailOneIn(0);
    disk.FailAt(0);
    const auto read = file.Read();
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_TRUE(*read == Content(3'000, 3) || (!is_replaced && *read == Content(2'000, 1))) << seed;
    EXPECT_TRUE(file.Replace(Content(4'000, 4)).ok()) << "and the next attempt works";
    EXPECT_EQ(file.Read().value(), Content(4'000, 4));
    disk.FailPower();
  }
}

}  // namespace
}  // namespace headrace
