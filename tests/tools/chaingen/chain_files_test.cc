// Block files: framing, the limit of each file, folders that are taken, disks that are full.
#include "tools/chaingen/chain_files.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/data.h"
#include "tests/support/temporary_directory.h"
#include "tests/tools/chaingen/plain_chain.h"

namespace headrace::chaingen {
namespace {

using testing::ReadFileBytes;

TEST(ChainFiles, OneFileHoldsAllBlocksFramed) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory.File("chain.dat");
  auto files = ChainFiles::InFile(path);
  ASSERT_TRUE(files.ok()) << files.status();
  for (const uint8_t block : {1, 2, 3}) ASSERT_TRUE(files->Append(Bytes(100, block)).ok());
  ASSERT_TRUE(files->Close().ok());
  const Bytes bytes = ReadFileBytes(path);
  EXPECT_EQ(Bytes(bytes.begin(), bytes.begin() + 9), (Bytes{0xfa, 0xbf, 0xb5, 0xda, 100, 0, 0, 0, 1}));
  EXPECT_EQ(testing::FramedBlocks(bytes).size(), 3u);
}

TEST(ChainFiles, FolderIsSplitAtTheLimit) {
  const testing::TemporaryDirectory directory;
  const std::string folder = directory.File("made/blocks");
  // Two framed blocks fit exactly; a block that is larger than a file gets one of its own.
  auto files = ChainFiles::InFolder(folder, 216);
  ASSERT_TRUE(files.ok()) << files.status();
  for (const size_t size : {100, 100, 101, 100, 500, 1}) ASSERT_TRUE(files->Append(Bytes(size, 7)).ok());
  ASSERT_TRUE(files->Close().ok());
  std::vector<std::vector<size_t>> sizes;
  for (uint32_t i = 0; std::filesystem::exists(folder + "/blk0000" + std::to_string(i) + ".dat"); ++i) {
    sizes.emplace_back();
    const Bytes bytes = ReadFileBytes(folder + "/blk0000" + std::to_string(i) + ".dat");
    for (const ByteSpan block : testing::FramedBlocks(bytes)) sizes.back().push_back(block.size());
  }
  EXPECT_EQ(sizes, (std::vector<std::vector<size_t>>{{100, 100}, {101}, {100}, {500}, {1}}));
}

TEST(ChainFiles, TakenFoldersAndBadPathsAreRefused) {
  const testing::TemporaryDirectory directory;
  {
    auto files = ChainFiles::InFolder(directory.path());
    ASSERT_TRUE(files.ok()) << files.status();
    ASSERT_TRUE(files->Close().ok());
  }
  EXPECT_FALSE(ChainFiles::InFolder(directory.path()).ok());
  EXPECT_FALSE(ChainFiles::InFile(directory.File("missing/chain.dat")).ok());
  EXPECT_FALSE(ChainFiles::InFolder(directory.File("blk00000.dat/folder")).ok());
}

TEST(ChainFiles, FullDiskIsSaidAtTheLatestOnClosing) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "there is no /dev/full";
  for (const size_t size : {10, 10'000'000}) {
    auto files = ChainFiles::InFile("/dev/full");
    ASSERT_TRUE(files.ok()) << files.status();
    absl::Status status = files->Append(Bytes(size, 7));
    if (status.ok()) status = files->Close();
    ASSERT_FALSE(status.ok());
    EXPECT_NE(status.message().find("No space left"), std::string::npos) << status;
  }
}

}  // namespace
}  // namespace headrace::chaingen
