// The reader over generated files full of padding, garbage and cut frames, and over real block files.
#include "storage/blocks/block_file_reader.h"

#include <algorithm>

#include "tests/storage/blocks/store_fixture.h"
#include "tests/support/data.h"

namespace headrace::testing {
namespace {

class BlockFileReaderTest : public StoreTest {
 protected:
  void AppendFrame(std::vector<uint8_t>& file, ByteSpan payload, uint32_t length) {
    file.resize(file.size() + kFrameHeaderBytes);
    StoreFrameHeader(&file[file.size() - kFrameHeaderBytes], kTestMagic, length);
    file.insert(file.end(), payload.begin(), payload.end());
  }

  std::unique_ptr<BlockFileReader> Read(const std::vector<uint8_t>& bytes, const std::string& name = "blk.dat") {
    EXPECT_TRUE(files_->ReplaceFile(directory_.File(name), bytes).ok());
    return BlockFileReader::Open(*files_, directory_.File(name), kTestMagic).value();
  }
};

TEST_F(BlockFileReaderTest, GarbageAndPaddingBetweenBlocksAreSkipped) {
  for (const bool obfuscated : {false, true}) {
    for (int round = 0; round < 100; ++round) {
      std::vector<uint8_t> file;
      std::vector<std::vector<uint8_t>> want;
      for (uint64_t i = 0; i < random_() % 20; ++i) {
        switch (random_() % 5) {
          case 0:
            file.resize(file.size() + random_() % 1000);
            break;
          case 1: {
            // Bytes that never look like a frame.
            for (uint64_t n = random_() % 300; n > 0; --n) file.push_back(static_cast<uint8_t>(1 + random_() % 200));
            break;
          }
          case 2:
            AppendFrame(file, {}, random_() % 2 == 0 ? 80 : 4'000'001);
            break;
          case 3:
            file.insert(file.end(), kTestMagic.begin(), kTestMagic.begin() + 1 + random_() % 3);
            break;
          default:
            want.push_back(Bytes(81 + random_() % 2000));
            AppendFrame(file, want.back(), static_cast<uint32_t>(want.back().size()));
        }
      }
      if (obfuscated) {
        const std::vector<uint8_t> key = Bytes(8);
        ASSERT_TRUE(files_->ReplaceFile(directory_.File("xor.dat"), key).ok());
        for (size_t i = 0; i < file.size(); ++i) file[i] ^= key[i % 8];
      }
      const auto reader = Read(file);
      size_t found = 0;
      while (const auto block = reader->Next()) {
        ASSERT_LT(found, want.size());
        ASSERT_TRUE(std::equal(block->bytes.bytes.begin(), block->bytes.bytes.end(), want[found].begin(),
                               want[found].end()));
        ++found;
      }
      ASSERT_EQ(found, want.size());
      ASSERT_EQ(reader->offset(), file.size());
    }
  }
}

TEST_F(BlockFileReaderTest, ALastFrameCutAnywhereIsReported) {
  const std::vector<uint8_t> first = Bytes(100);
  const std::vector<uint8_t> second(90, 0x11);
  std::vector<uint8_t> file;
  AppendFrame(file, first, 100);
  const size_t begin = file.size();
  AppendFrame(file, second, 90);
  for (size_t cut = begin; cut <= file.size(); ++cut) {
    const auto reader = Read({file.begin(), file.begin() + static_cast<ptrdiff_t>(cut)});
    size_t blocks = 0;
    while (reader->Next()) ++blocks;
    ASSERT_EQ(blocks, cut == file.size() ? 2u : 1u);
    const bool visible = cut >= begin + 4 && cut < file.size();
    ASSERT_EQ(reader->truncated_offset(), visible ? std::optional<uint64_t>(begin) : std::nullopt) << cut;
  }
}

// What is not decoded says the same, whatever the place of a block against the key.
TEST_F(BlockFileReaderTest, MaskedBlocksDecodeToTheSame) {
  const std::vector<uint8_t> key = Bytes(8);
  ASSERT_TRUE(files_->ReplaceFile(directory_.File("xor.dat"), key).ok());
  std::vector<uint8_t> file;
  for (uint32_t i = 0; i < 20; ++i) AppendFrame(file, Bytes(81 + i), 81 + i);
  for (size_t i = 0; i < file.size(); ++i) file[i] ^= key[i % 8];
  const auto clear = Read(file);
  const auto masked = Read(file, "same.dat");
  size_t blocks = 0;
  while (const auto block = clear->Next()) {
    MaskedBytes same;
    ASSERT_EQ(masked->NextMaskedWithin(masked->size(), same), BlockFileReader::Found::kBlock);
    const SlabRef slab = same.ToSlab();
    EXPECT_TRUE(std::equal(block->bytes.bytes.begin(), block->bytes.bytes.end(), slab->bytes().begin(), slab->bytes().end()));
    ++blocks;
  }
  EXPECT_EQ(blocks, 20u);
  MaskedBytes none;
  EXPECT_EQ(masked->NextMaskedWithin(masked->size(), none), BlockFileReader::Found::kEnd);
}

// A length that damage made too large costs its own block and not those behind it.
TEST_F(BlockFileReaderTest, ALengthThatIsTooLargeHidesNoOtherBlock) {
  std::vector<std::vector<uint8_t>> blocks;
  std::vector<uint8_t> file;
  for (size_t i = 0; i < 6; ++i) {
    blocks.push_back(std::vector<uint8_t>(100 + i, static_cast<uint8_t>(0x30 + i)));
    AppendFrame(file, blocks.back(), static_cast<uint32_t>(blocks.back().size()));
  }
  for (const uint32_t more : {1u, 7u, 50u, 120u, 250u}) {
    std::vector<uint8_t> damaged = file;
    StoreLittle(&damaged[4], 100 + more);
    const auto reader = Read(damaged);
    size_t found = 0;
    while (const auto block = reader->Next()) {
      const ByteSpan bytes = block->bytes.bytes;
      found += std::any_of(blocks.begin() + 1, blocks.end(),
                           [&](const auto& one) { return std::equal(one.begin(), one.end(), bytes.begin(), bytes.end()); });
    }
    EXPECT_EQ(found, 5u) << more;
    EXPECT_EQ(reader->skipped_bytes(), 0u);
  }
}

TEST_F(BlockFileReaderTest, SizesAtTheLimits) {
  for (const uint32_t size : {80u, 81u, 4'000'000u, 4'000'001u}) {
    std::vector<uint8_t> file;
    AppendFrame(file, std::vector<uint8_t>(size, 0x22), size);
    EXPECT_EQ(Read(file)->Next().has_value(), size == 81 || size == 4'000'000) << size;
  }
  EXPECT_FALSE(Read({})->Next().has_value());
}

TEST_F(BlockFileReaderTest, MissingFilesAndBadKeysAreSentences) {
  const auto missing = BlockFileReader::Open(*files_, directory_.File("absent.dat"), kTestMagic);
  EXPECT_TRUE(absl::IsNotFound(missing.status()));
  ASSERT_TRUE(files_->ReplaceFile(directory_.File("blk.dat"), Bytes(100)).ok());
  ASSERT_TRUE(files_->ReplaceFile(directory_.File("xor.dat"), Bytes(7)).ok());
  const auto bad_key = BlockFileReader::Open(*files_, directory_.File("blk.dat"), kTestMagic);
  EXPECT_TRUE(absl::IsDataLoss(bad_key.status()));
  ExpectNames(bad_key.status(), "xor.dat");
}

// In small steps the same blocks come, and no step goes further than it may.
TEST_F(BlockFileReaderTest, StepsAreBounded) {
  std::vector<uint8_t> file;
  size_t want = 0;
  for (int i = 0; i < 60; ++i) {
    if (i % 3 == 0) file.resize(file.size() + random_() % 5000);
    for (uint64_t n = i % 3 == 1 ? random_() % 700 : 0; n > 0; --n) file.push_back(static_cast<uint8_t>(1 + random_() % 200));
    if (i % 4 == 0) AppendFrame(file, {}, 80);  // a magic, and no frame
    if (i % 2 == 0) continue;
    const std::vector<uint8_t> block = Bytes(81 + random_() % 300);
    AppendFrame(file, block, static_cast<uint32_t>(block.size()));
    ++want;
  }
  file.resize(file.size() + 10'000);
  for (const uint64_t bytes_max : {1u, 2u, 31u, 32u, 33u, 1000u}) {
    SCOPED_TRACE(bytes_max);
    const auto whole = Read(file);
    const auto stepped = Read(file);
    size_t found = 0;
    for (BlockFileReader::Block block; true;) {
      const uint64_t before = stepped->offset();
      const BlockFileReader::Found step = stepped->NextWithin(bytes_max, block);
      if (step == BlockFileReader::Found::kEnd) break;
      if (step == BlockFileReader::Found::kNothingYet) {
        ASSERT_GT(stepped->offset(), before);
        ASSERT_LE(stepped->offset(), before + bytes_max);
        continue;
      }
      const auto plain = whole->Next();
      ASSERT_TRUE(plain.has_value());
      ASSERT_EQ(plain->offset, block.offset);
      ++found;
    }
    EXPECT_EQ(found, want);
    EXPECT_FALSE(whole->Next().has_value());
    EXPECT_EQ(stepped->skipped_bytes(), whole->skipped_bytes());
    EXPECT_EQ(stepped->offset(), stepped->size());
  }
}

// Real blocks: every frame is found, nothing is skipped, and each header names the one before it.
TEST_F(BlockFileReaderTest, RealBlockFiles) {
  if (DataDirectory().empty()) GTEST_SKIP() << "needs outside data: block files under $HEADRACE_DATA";
  size_t files = 0;
  size_t blocks = 0;
  for (const std::string& path : DataFilesEndingWith(".dat")) {
    const std::vector<uint8_t> start = ReadFileBytes(path);
    ASSERT_GE(start.size(), kFrameHeaderBytes) << path;
    NetworkMagic magic;
    std::copy_n(start.begin(), magic.size(), magic.begin());
    const auto reader = BlockFileReader::Open(*files_, path, magic).value();
    Hash256 previous;
    size_t in_file = 0;
    while (const auto block = reader->Next()) {
      const BlockHeader header = BlockHeader::Load(block->bytes.bytes.data());
      if (in_file != 0) {
        ASSERT_EQ(header.previous, previous) << path << " block " << in_file;
      }
      previous = header.Hash();
      ++in_file;
    }
    EXPECT_GT(in_file, 0u) << path;
    EXPECT_EQ(reader->skipped_bytes(), 0u) << path;
    EXPECT_FALSE(reader->truncated_offset().has_value()) << path;
    ++files;
    blocks += in_file;
  }
  std::printf("read %zu blocks of %zu files\n", blocks, files);
  EXPECT_GT(files, 0u);
}

}  // namespace
}  // namespace headrace::testing
