#include "engine/script/script_number.h"

#include <gtest/gtest.h>

#include "tests/engine/script/spend_fixture.h"

namespace headrace {
namespace {

TEST(ScriptNumberTest, EncodesAndDecodesAroundEveryBoundary) {
  for (int shift = 0; shift <= 40; ++shift) {
    for (int64_t offset = -2; offset <= 2; ++offset) {
      for (const int64_t number : {(int64_t{1} << shift) + offset, -(int64_t{1} << shift) + offset}) {
        const EncodedScriptNumber encoded(number);
        int64_t decoded = 0;
        ASSERT_TRUE(DecodeScriptNumber(encoded.span(), true, 8, decoded));
        EXPECT_EQ(decoded, number);
        const bool fits = number >= -0x7fffffff && number <= 0x7fffffff;
        EXPECT_EQ(DecodeScriptNumber(encoded.span(), true, kScriptNumberBytes, decoded), fits) << number;
      }
    }
  }
}

TEST(ScriptNumberTest, MinimalEncodingIsRequiredOnDemand) {
  const std::vector<Bytes> wasteful = {{0x00}, {0x80}, {0x01, 0x00}, {0x01, 0x80}, {0x7f, 0x00}, {0xff, 0x00, 0x00}};
  for (const Bytes& bytes : wasteful) {
    int64_t number;
    EXPECT_TRUE(DecodeScriptNumber(bytes, false, kScriptNumberBytes, number));
    EXPECT_FALSE(DecodeScriptNumber(bytes, true, kScriptNumberBytes, number));
  }
  int64_t number;
  EXPECT_TRUE(DecodeScriptNumber(Bytes{0x80, 0x00}, true, kScriptNumberBytes, number));
  EXPECT_EQ(number, 128);
  EXPECT_TRUE(DecodeScriptNumber(Bytes{0x80, 0x80}, true, kScriptNumberBytes, number));
  EXPECT_EQ(number, -128);
}

TEST(ScriptNumberTest, TruthOfBytes) {
  EXPECT_FALSE(CastToBool(Bytes{}));
  EXPECT_FALSE(CastToBool(Bytes{0, 0, 0}));
  EXPECT_FALSE(CastToBool(Bytes{0, 0x80}));
  EXPECT_TRUE(CastToBool(Bytes{0x80, 0}));
  EXPECT_TRUE(CastToBool(Bytes{0, 1}));
}

}  // namespace
}  // namespace headrace
