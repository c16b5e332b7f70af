// Every real block under $HEADRACE_DATA: decoded, held to the plain decoder, and proved by its own Merkle root.
#include <gtest/gtest.h>

#include <filesystem>
#include <iostream>
#include <string>

#include "engine/base/endian.h"
#include "engine/primitives/decode.h"
#include "engine/primitives/transaction_hashes.h"
#include "tests/engine/primitives/same_as_plain.h"
#include "tests/support/data.h"

namespace headrace {
namespace {

void ExpectRealBlock(ByteSpan raw, BlockColumns& columns) {
  ASSERT_EQ(DecodeBlock(raw, columns), DecodeError::kNone);
  HashTransactions(columns);
  const auto plain = reference::DecodePlainBlock(raw);
  ASSERT_TRUE(plain.has_value());
  EXPECT_EQ(columns.header.merkle_root, Hash256(plain->MerkleRoot()));
  testing::ExpectSameBlock(columns, *plain);
}

TEST(RealBlocks, SingleBlocks) {
  HR_NEEDS_DATA(".");
  BlockColumns columns;
  int blocks = 0;
  for (const std::string& path : testing::DataFilesEndingWith(".raw")) {
    if (!std::filesystem::path(path).filename().string().starts_with("block-")) continue;
    SCOPED_TRACE(path);
    ExpectRealBlock(testing::ReadFileBytes(path), columns);
    ++blocks;
  }
  EXPECT_GT(blocks, 0);
  std::cout << "blocks=" << blocks << "\n";
}

TEST(RealBlocks, FramedFiles) {
  HR_NEEDS_DATA(".");
  BlockColumns columns;
  int blocks = 0;
  for (const std::string& path : testing::DataFilesEndingWith(".dat")) {
    SCOPED_TRACE(path);
    const std::vector<uint8_t> file = testing::ReadFileBytes(path);
    Hash256 previous;
    size_t at = 0;
    while (at + 8 <= file.size()) {
      const uint32_t size = LoadLittle32(&file[at + 4]);
      ASSERT_LE(size, file.size() - at - 8);
      ExpectRealBlock(ByteSpan(file).subspan(at + 8, size), columns);
      if (HasFatalFailure()) return;
      if (at != 0) {
        EXPECT_EQ(columns.header.previous, previous);
      }
      previous = columns.hash;
      at += 8 + size;
      ++blocks;
    }
    EXPECT_EQ(at, file.size());
  }
  EXPECT_GT(blocks, 0);
  std::cout << "blocks=" << blocks << "\n";
}

}  // namespace
}  // namespace headrace
