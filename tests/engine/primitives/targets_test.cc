#include "engine/primitives/targets.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/reference/big_integer.h"

namespace headrace {
namespace {

using testing::BigInteger;

struct CompactCase {
  uint32_t bits;
  const char* value;
  bool is_negative;
  bool overflows;
  uint32_t encoded;  // of the value, without its sign
};

TEST(CompactTarget, DecodesAndEncodesEdges) {
  const CompactCase cases[] = {
      {0x00000000, "0", false, false, 0},
      {0x00123456, "0", false, false, 0},
      {0x01003456, "0", false, false, 0},
      {0x02000056, "0", false, false, 0},
      {0x03000000, "0", false, false, 0},
      {0x04000000, "0", false, false, 0},
      {0x00923456, "0", false, false, 0},
      {0x01803456, "0", false, false, 0},
      {0x02800056, "0", false, false, 0},
      {0x03800000, "0", false, false, 0},
      {0x01123456, "12", false, false, 0x01120000},
      {0x01fedcba, "7e", true, false, 0x017e0000},
      {0x02123456, "1234", false, false, 0x02123400},
      {0x03123456, "123456", false, false, 0x03123456},
      {0x04123456, "12345600", false, false, 0x04123456},
      {0x04923456, "12345600", true, false, 0x04123456},
      {0x05009234, "92340000", false, false, 0x05009234},
      {0x20123456, "1234560000000000000000000000000000000000000000000000000000000000", false, false, 0x20123456},
      {0x1d00ffff, "ffff0000000000000000000000000000000000000000000000000000", false, false, 0x1d00ffff},
      {0x207fffff, "7fffff0000000000000000000000000000000000000000000000000000000000", false, false, 0x207fffff},
      // The widest that fit, and one byte more.
      {0x2100ffff, "ffff000000000000000000000000000000000000000000000000000000000000", false, false, 0x2100ffff},
      {0x220000ff, "ff00000000000000000000000000000000000000000000000000000000000000", false, false, 0x2100ff00},
  };
  for (const CompactCase& c : cases) {
    const CompactTarget target = DecodeCompact(c.bits);
    EXPECT_EQ(target.value, *Uint256::FromHex(c.value)) << std::hex << c.bits;
    EXPECT_EQ(target.is_negative, c.is_negative) << std::hex << c.bits;
    EXPECT_EQ(target.overflows, c.overflows) << std::hex << c.bits;
    EXPECT_EQ(EncodeCompact(target.value), c.encoded) << std::hex << c.bits;
  }
  for (const uint32_t bits : {0xff123456u, 0x21010000u, 0x22000100u, 0x23000001u}) {
    EXPECT_TRUE(DecodeCompact(bits).overflows) << std::hex << bits;
  }
  EXPECT_FALSE(DecodeCompact(0xff000000).overflows) << "zero is zero at any exponent";
  EXPECT_EQ(EncodeCompact(0x80), 0x02008000u) << "a mantissa never reaches the sign bit";
}

TEST(CompactTarget, MayBeClaimedOnlyWithinTheLimit) {
  const Uint256 limit = DecodeCompact(0x1d00ffff).value;
  EXPECT_EQ(TargetFromBits(0x1d00ffff, limit), limit);
  EXPECT_FALSE(TargetFromBits(0x1d010000, limit));
  EXPECT_FALSE(TargetFromBits(0, limit));
  EXPECT_FALSE(TargetFromBits(0x04923456, limit));
  EXPECT_FALSE(TargetFromBits(0xff123456, limit));
}

TEST(CompactTarget, WorkEqualsPaperArithmetic) {
  std::vector<uint8_t> digits(33, 0);
  digits[32] = 1;
  const BigInteger whole(digits);
  std::mt19937 random(1);
  uint32_t cases = 0;
  for (int i = 0; i < 2000; ++i) {
    const uint32_t bits = (random() % 0x21) << 24 | (random() & 0x7fffff);
    const CompactTarget target = DecodeCompact(bits);
    if (target.value.IsZero() || target.overflows) continue;
    const Hash256 bytes = target.value.ToHash();
    const BigInteger divisor = BigInteger({bytes.bytes.begin(), bytes.bytes.end()}) + BigInteger(1);
    const Hash256 work = WorkFromBits(bits).ToHash();
    ASSERT_EQ(BigInteger({work.bytes.begin(), work.bytes.end()}), whole / divisor) << std::hex << bits;
    ++cases;
  }
  EXPECT_GT(cases, 0u);
  EXPECT_EQ(WorkFromBits(0x1d00ffff), Uint256(0x100010001));
  EXPECT_EQ(WorkFromBits(0x207fffff), Uint256(2));
  EXPECT_EQ(WorkFromBits(0), Uint256(0));
  EXPECT_EQ(WorkFromBits(0x04923456), Uint256(0));
  EXPECT_EQ(WorkFromBits(0xff123456), Uint256(0));
}

}  // namespace
}  // namespace headrace
