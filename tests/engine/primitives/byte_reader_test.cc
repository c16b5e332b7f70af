// The byte reader: compact sizes at every limit, sticky failure, and the writer as its counterpart.
#include "engine/primitives/byte_reader.h"

#include <gtest/gtest.h>

#include <vector>

#include "engine/primitives/byte_writer.h"

namespace headrace {
namespace {

struct SizeCase {
  Bytes bytes;
  uint64_t value;
  DecodeError limited;
  DecodeError unlimited;
};

TEST(ByteReader, CompactSizeLimits) {
  constexpr DecodeError kNone = DecodeError::kNone, kLong = DecodeError::kNonCanonicalCompactSize,
                        kLarge = DecodeError::kOversizedCount, kShort = DecodeError::kTruncated;
  const SizeCase cases[] = {
      {{0}, 0, kNone, kNone},
      {{0xfc}, 0xfc, kNone, kNone},
      {{0xfd, 0xfc, 0}, 0, kLong, kLong},
      {{0xfd, 0xfd, 0}, 0xfd, kNone, kNone},
      {{0xfd, 0xff, 0xff}, 0xffff, kNone, kNone},
      {{0xfe, 0xff, 0xff, 0, 0}, 0, kLong, kLong},
      {{0xfe, 0, 0, 1, 0}, 0x10000, kNone, kNone},
      {{0xfe, 0, 0, 0, 2}, 0x02000000, kNone, kNone},
      {{0xfe, 1, 0, 0, 2}, 0x02000001, kLarge, kNone},
      {{0xfe, 0xff, 0xff, 0xff, 0xff}, 0xffffffff, kLarge, kNone},
      {{0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}, 0, kLong, kLong},
      {{0xff, 0, 0, 0, 0, 1, 0, 0, 0}, 0x100000000, kLarge, kNone},
      {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, UINT64_MAX, kLarge, kNone},
      {{}, 0, kShort, kShort},
      {{0xfd, 1}, 0, kShort, kShort},
      {{0xfe, 1, 2, 3}, 0, kShort, kShort},
      {{0xff, 1, 2, 3, 4, 5, 6, 7}, 0, kShort, kShort},
  };
  for (const SizeCase& it : cases) {
    ByteReader limited(it.bytes);
    const uint32_t small = limited.CompactSize();
    EXPECT_EQ(limited.error(), it.limited);
    EXPECT_EQ(small, it.limited == DecodeError::kNone ? it.value : 0);
    ByteReader unlimited(it.bytes);
    const uint64_t value = unlimited.CompactSize64();
    EXPECT_EQ(unlimited.error(), it.unlimited);
    EXPECT_EQ(value, it.unlimited == DecodeError::kNone ? it.value : 0);
    if (it.unlimited == DecodeError::kNone) {
      EXPECT_EQ(unlimited.remaining(), 0u);
      Bytes written;
      ByteWriter(written).CompactSize(it.value);
      EXPECT_EQ(written, it.bytes);
    }
  }
}

TEST(ByteReader, FailureSticksAndTheFirstOneCounts) {
  const Bytes bytes = {1, 2, 3};
  ByteReader reader(bytes);
  EXPECT_EQ(reader.U8(), 1);
  EXPECT_EQ(reader.U32(), 0u);
  EXPECT_EQ(reader.error(), DecodeError::kTruncated);
  EXPECT_EQ(reader.U8(), 0) << "a reader that failed gives nothing more";
  EXPECT_TRUE(reader.Bytes(0).empty());
  EXPECT_EQ(reader.offset(), 1u);
  reader.Fail(DecodeError::kTrailingBytes);
  EXPECT_EQ(reader.error(), DecodeError::kTruncated);
}

TEST(ByteReader, BytesAndRangesStayInside) {
  const Bytes bytes = {2, 8, 9, 3, 7};
  ByteReader reader(bytes);
  const ByteRange range = reader.VarRange();
  EXPECT_EQ(range.offset, 1u);
  EXPECT_EQ(range.size, 2u);
  EXPECT_EQ(range.In(bytes)[1], 9);
  EXPECT_TRUE(reader.VarBytes().empty()) << "three bytes promised, one there";
  EXPECT_EQ(reader.error(), DecodeError::kTruncated);
  ByteReader huge(bytes);
  EXPECT_TRUE(huge.Bytes(SIZE_MAX).empty());
  EXPECT_FALSE(huge.ok());
  ByteReader failed_range(bytes);
  failed_range.Skip(3);
  EXPECT_EQ(failed_range.VarRange().size, 0u);
}

TEST(ByteWriter, WritesWhatTheReaderReads) {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.U8(1);
  writer.U16(0x0203);
  writer.U32(0x04050607);
  writer.U64(0x08090a0b0c0d0e0f);
  writer.VarBytes(Bytes{5, 6});
  ByteReader reader(bytes);
  EXPECT_EQ(reader.U8(), 1);
  EXPECT_EQ(reader.U16(), 0x0203);
  EXPECT_EQ(reader.U32(), 0x04050607u);
  EXPECT_EQ(reader.U64(), 0x08090a0b0c0d0e0fu);
  EXPECT_EQ(reader.VarBytes().size(), 2u);
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(reader.remaining(), 0u);
}

}  // namespace
}  // namespace headrace
