// Hexadecimal text, endian loads, checks and log lines.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/endian.h"
#include "engine/base/hex.h"
#include "engine/base/log.h"
#include "engine/base/status_macros.h"

namespace headrace {
namespace {

TEST(Hex, EveryByteThereAndBack) {
  std::vector<uint8_t> all(256);
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<uint8_t>(i);
  const std::string text = HexEncode(all);
  EXPECT_EQ(text.substr(0, 8), "00010203");
  EXPECT_EQ(text.substr(508), "feff");
  EXPECT_EQ(HexDecode(text), all);
  std::string upper = text;
  for (char& digit : upper) digit = static_cast<char>(std::toupper(digit));
  EXPECT_EQ(HexDecode(upper), all);
  EXPECT_EQ(HexDecode(""), std::vector<uint8_t>());
}

TEST(Hex, RefusesWhatIsNoHex) {
  for (const char* text : {"0", "abc", "0g", "g0", " 0", "0x", "0/", "0:", "0@", "0G", "0`", "\xff\xff"}) {
    EXPECT_FALSE(HexDecode(text)) << text;
  }
}

TEST(Endian, LoadsAndStoresAtAnyAlignment) {
  const uint8_t bytes[] = {0xff, 1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_EQ(LoadLittle16(bytes + 1), 0x0201);
  EXPECT_EQ(LoadLittle32(bytes + 1), 0x04030201u);
  EXPECT_EQ(LoadLittle64(bytes + 1), 0x0807060504030201u);
  EXPECT_EQ(LoadBig16(bytes + 1), 0x0102);
  EXPECT_EQ(LoadBig32(bytes + 1), 0x01020304u);
  EXPECT_EQ(LoadBig64(bytes + 1), 0x0102030405060708u);
  uint8_t out[9] = {};
  StoreBig32(out + 1, 0x01020304);
  EXPECT_EQ(LoadLittle32(out + 1), 0x04030201u);
  StoreBig64(out + 1, 0x0102030405060708);
  EXPECT_EQ(LoadBig64(out + 1), 0x0102030405060708u);
  StoreBig16(out + 1, 0x0102);
  EXPECT_EQ(out[1], 1);
}

TEST(Check, BrokenExpectationStopsTheProgramAndNamesItself) {
  HR_CHECK(1 + 1 == 2);
  EXPECT_DEATH(HR_CHECK(1 + 1 == 3), "Internal error: .*text_test.cc.*expected 1 \\+ 1 == 3");
}

class CollectingSink : public LogSink {
 public:
  void Write(LogLevel level, LogCategory category, std::string_view line) override {
    lines.push_back(std::string(LogLevelName(level)) + " " + std::string(LogCategoryName(category)) + " " + std::string(line));
  }
  std::vector<std::string> lines;
};

TEST(Log, GoesToTheSinkAndDebugOnlyWhenAskedFor) {
  const auto unread = []() -> int {
    ADD_FAILURE() << "a line that nobody reads was built";
    return 0;
  };
  HR_LOG(kError, kNode, "without a sink ", unread());
  CollectingSink sink;
  SetLogSink(&sink);
  HR_LOG(kInfo, kNet, "peer connected id=", 7);
  HR_LOG(kDebug, kCoins, "not asked for ", unread());
  EnableDebugCategory(LogCategory::kCoins);
  HR_LOG(kDebug, kCoins, "asked for");
  HR_LOG(kDebug, kDisk, "other category ", unread());
  SetLogSink(nullptr);
  HR_LOG(kInfo, kNet, "after ", unread());
  EXPECT_EQ(sink.lines, (std::vector<std::string>{"info net peer connected id=7", "debug coins asked for"}));
}

absl::StatusOr<int> Positive(int number) {
  if (number <= 0) return absl::InvalidArgumentError("not positive");
  return number;
}

absl::Status SumOf(int a, int b, int& sum) {
  HR_ASSIGN_OR_RETURN(const int first, Positive(a));
  HR_ASSIGN_OR_RETURN(const int second, Positive(b));
  HR_RETURN_IF_ERROR(Positive(first + second).status());
  sum = first + second;
  return absl::OkStatus();
}

TEST(StatusMacros, ReturnTheFirstErrorAndAssignOtherwise) {
  int sum = 0;
  EXPECT_TRUE(SumOf(2, 3, sum).ok());
  EXPECT_EQ(sum, 5);
  EXPECT_EQ(SumOf(2, -3, sum), absl::InvalidArgumentError("not positive"));
  EXPECT_EQ(sum, 5);
}

}  // namespace
}  // namespace headrace
