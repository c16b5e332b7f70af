#include "net/rpc/json_text.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace headrace {
namespace {

TEST(JsonTextTest, AmountsHaveEightDecimals) {
  EXPECT_EQ(WriteJson(JsonAmount(50 * kCoin)), "50.00000000");
  EXPECT_EQ(WriteJson(JsonAmount(0)), "0.00000000");
  EXPECT_EQ(WriteJson(JsonAmount(1)), "0.00000001");
  EXPECT_EQ(WriteJson(JsonAmount(-1)), "-0.00000001");
  EXPECT_EQ(WriteJson(JsonAmount(kMaxMoney)), "21000000.00000000");
  EXPECT_EQ(WriteJson(JsonAmount(std::numeric_limits<Amount>::min())), "-92233720368.54775808");
}

TEST(JsonTextTest, RealsHaveSixteenDigits) {
  EXPECT_EQ(WriteJson(JsonReal(1)), "1");
  EXPECT_EQ(WriteJson(JsonReal(0.5)), "0.5");
  EXPECT_EQ(WriteJson(JsonReal(4.6565423739069247e-10)), "4.656542373906925e-10");
  EXPECT_EQ(WriteJson(JsonReal(83148355189239.77)), "83148355189239.77");
}

TEST(JsonTextTest, ReadNumbersKeepTheirDigits) {
  for (const char* text : {"50.00000000", "1.10", "1e3", "-0.0", "123456789012345678901234567890",
                           "18446744073709551615", "-9223372036854775808", "0"}) {
    const std::optional<Json> value = ParseJson(text);
    ASSERT_TRUE(value.has_value()) << text;
    EXPECT_TRUE(IsJsonNumber(*value)) << text;
    EXPECT_EQ(JsonTypeName(*value), "number");
    EXPECT_EQ(WriteJson(*value), text);
  }
}

TEST(JsonTextTest, FieldsKeepOrderAndDuplicates) {
  const std::string text = R"({"z":1,"a":{"y":[],"b":null},"z":2})";
  const std::optional<Json> value = ParseJson(text);
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ(WriteJson(*value), text);
  EXPECT_EQ(*value->find("z"), 1) << "the first counts";
}

TEST(JsonTextTest, LayoutIsTheFields) {
  const std::optional<Json> value = ParseJson(R"({"a":[1,{"b":"c"}],"empty":[],"none":{}})");
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ(
      WriteJson(*value, 2),
      "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"c\"\n    }\n  ],\n  \"empty\": [\n  ],\n  \"none\": {\n  }\n}");
}

TEST(JsonTextTest, InvalidUtf8DoesNotBreakADocument) {
  Json object = Json::object();
  object["subver"] = "/ok\xff\xc3(\xed\xa0\x80/";
  object["\xfe"] = "control \x01 \"quoted\" \\ \x7f";
  const std::string text = WriteJson(object);
  const std::optional<Json> again = ParseJson(text);
  ASSERT_TRUE(again.has_value()) << text;
  EXPECT_EQ(again->size(), 2u);
  EXPECT_FALSE(ParseJson("\"\xff\"").has_value()) << "what comes in must be UTF-8";
}

TEST(JsonTextTest, NestingIsLimited) {
  auto nested = [](size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(ParseJson(nested(kJsonDepthMax)).has_value());
  EXPECT_FALSE(ParseJson(nested(kJsonDepthMax + 1)).has_value());
  EXPECT_FALSE(ParseJson(std::string(32 << 20, '[')).has_value());
}

TEST(JsonTextTest, AnObjectOfAMillionFields) {
  std::string text = "{";
  for (int i = 0; i < 1'000'000; ++i) text += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":0";
  const std::optional<Json> value = ParseJson(text + "}");
  ASSERT_TRUE(value.has_value()) << "and within the test's time limit";
  EXPECT_EQ(value->size(), 1'000'000u);
}

TEST(JsonTextTest, NoDocuments) {
  for (const char* text : {"", " ", "this is bad", "{", "[1,]", "{\"a\"}", "1 2", "nul", "\"a", "01", "+1", ".5", "1.",
                           "NaN", "{a:1}", "[1]]", "\"\\ud800\"", "1e400"}) {
    EXPECT_FALSE(ParseJson(text).has_value()) << text;
  }
}

// Whatever is accepted can be written and read again, and means the same.
TEST(JsonTextTest, RandomDamage) {
  std::mt19937 random(20260601);
  const std::string seed =
      R"({"jsonrpc":"2.0","id":[1,-2.5e3,"x\u00e9\n"],"method":"m","params":{"a":[true,false,null,{}]}})";
  int accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text = seed;
    for (uint32_t edits = random() % 4; edits > 0; --edits) {
      const size_t at = random() % text.size();
      if (random() % 2 == 0) {
        text[at] = static_cast<char>(random());
      } else {
        text.erase(at, random() % 8);
      }
      if (text.empty()) text = "0";
    }
    const std::optional<Json> value = ParseJson(text);
    if (!value) continue;
    ++accepted;
    const std::string written = WriteJson(*value);
    const std::optional<Json> again = ParseJson(written);
    ASSERT_TRUE(again.has_value()) << text;
    ASSERT_EQ(WriteJson(*again), written) << text;
    ASSERT_EQ(WriteJson(*ParseJson(WriteJson(*value, 2))), written) << text;
  }
  EXPECT_GT(accepted, 1000);
}

}  // namespace
}  // namespace headrace
