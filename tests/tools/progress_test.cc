#include "tools/headraced/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/base/log.h"

namespace headrace {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kSecond = 1'000'000'000;

// A node that applies 10 blocks of 100 kB with 200 transactions and 500 inputs a second, of 1000.
NodeStatus StatusAt(int64_t seconds) {
  NodeStatus status;
  status.chain = "regtest";
  status.header_height = 1000;
  status.applied_height = static_cast<uint32_t>(10 * seconds);
  status.blocks_applied = status.applied_height;
  status.block_bytes = static_cast<uint64_t>(seconds) * 1'000'000;
  status.transactions = static_cast<uint64_t>(seconds) * 2000;
  status.inputs = static_cast<uint64_t>(seconds) * 5000;
  status.progress = static_cast<double>(seconds) / 100;
  status.coin_store.coins = 77;
  status.blocks_in_check = 3;
  status.blocks_ready = 4;
  status.blocks_ahead = 5;
  // One core and a half in all.
  status.span_ns[static_cast<size_t>(SpanKind::kParse)] = static_cast<uint64_t>(seconds * kSecond / 4);
  status.span_ns[static_cast<size_t>(SpanKind::kVerify)] = static_cast<uint64_t>(seconds * kSecond / 4 * 5);
  status.waiting_on = WaitReason::kCpu;
  return status;
}

class CapturingSink final : public LogSink {
 public:
  CapturingSink() { SetLogSink(this); }
  ~CapturingSink() override { SetLogSink(nullptr); }
  void Write(LogLevel, LogCategory, std::string_view line) override { lines.emplace_back(line); }
  std::vector<std::string> lines;
};

TEST(RateWindowTest, RatesAreOverTheLastTenSecondsAndTimeLeftOverTheLastMinute) {
  RateWindow window;
  EXPECT_EQ(window.Rates().seconds_left, std::nullopt);
  for (int64_t second = 0; second <= 50; ++second) window.Add(StatusAt(second), second * kSecond);
  const ProgressRates rates = window.Rates();
  EXPECT_DOUBLE_EQ(rates.megabytes_per_second, 1.0);
  EXPECT_DOUBLE_EQ(rates.transactions_per_second, 2000.0);
  EXPECT_DOUBLE_EQ(rates.inputs_per_second, 5000.0);
  ASSERT_TRUE(rates.seconds_left.has_value());
  EXPECT_NEAR(static_cast<double>(*rates.seconds_left), 50, 1);
}

TEST(ProgressReporterTest, TheSearchSaysHowFarItIsAndHowLongItWillTake) {
  const BlockScanProgress half{1, 4, 50'000'000, 200'000'000, 321};
  EXPECT_EQ(ProgressReporter::ScanLine(half, 2),
            "searching block files file=2 of=4 blocks_found=321 mb=50 percent=25.0 mb_s=25 eta_s=6");
  EXPECT_EQ(ProgressReporter::ScanLine({}, 0),
            "searching block files file=0 of=0 blocks_found=0 mb=0 percent=100.0 mb_s=0 eta_s=unknown");
}

TEST(RateWindowTest, AStandstillHasNoRateAndAfterAMinuteNoEstimate) {
  RateWindow window;
  for (int64_t second = 0; second <= 10; ++second) window.Add(StatusAt(second), second * kSecond);
  for (int64_t second = 11; second <= 75; ++second) window.Add(StatusAt(10), second * kSecond);
  EXPECT_EQ(window.Rates().megabytes_per_second, 0);
  EXPECT_EQ(window.Rates().seconds_left, std::nullopt);
}

TEST(RateWindowTest, AtTheTipNothingIsLeft) {
  RateWindow window;
  window.Add(StatusAt(0), 0);
  window.Add(StatusAt(100), 10 * kSecond);
  EXPECT_EQ(window.Rates().seconds_left, 0);
}

TEST(ProgressTest, LogLineHasEveryWord) {
  RateWindow window;
  for (int64_t second = 0; second <= 50; ++second) window.Add(StatusAt(second), second * kSecond);
  const std::string line = ProgressReporter::LogLine(StatusAt(50), window.Rates(), 123'000'000);
  for (const char* word : {" height=500 ", " headers=1000 ", " percent=50.00 ", " mb_s=1.00 ", " tx_s=2000 ", " inputs_s=5000 ",
                           " coins=77 ", " memory_mb=123 ", " in_check=3 ", " ready=4 ", " ahead=5 ", " eta_s=50", " waiting_on=cpu",
                           " busy=verify:1.25,parse:0.25"}) {
    EXPECT_THAT(line, HasSubstr(word));
  }
}

TEST(ProgressTest, BarFitsItsTerminal) {
  for (const size_t columns : {20u, 80u, 120u, 200u}) {
    for (const int64_t second : {0, 50, 100}) {
      EXPECT_LE(ProgressReporter::BarLine(StatusAt(second), ProgressRates(), 1, columns).size(), columns);
    }
  }
  NodeStatus odd = StatusAt(50);
  odd.progress = 1.5;
  EXPECT_LE(ProgressReporter::BarLine(odd, ProgressRates(), 1, 200).size(), 200u);
  EXPECT_THAT(ProgressReporter::BarLine(StatusAt(50), ProgressRates(), 1, 200), HasSubstr("[====================                    ]"));
  EXPECT_THAT(ProgressReporter::BarLine(StatusAt(50), ProgressRates(), 1, 200), HasSubstr("500/1000"));
}

TEST(ProgressTest, OneLineEveryFiveSecondsAndSilenceAtTheTip) {
  CapturingSink sink;
  ProgressReporter reporter(nullptr);
  for (int64_t tenth = 0; tenth < 100; ++tenth) reporter.Update(StatusAt(tenth / 10), 1, tenth * kSecond / 10);
  EXPECT_THAT(sink.lines, SizeIs(2));
  for (int64_t second = 100; second < 700; ++second) reporter.Update(StatusAt(100), 1, second * kSecond);
  EXPECT_THAT(sink.lines, SizeIs(3)) << "one for the arrival, then quiet";
  EXPECT_THAT(sink.lines.back(), HasSubstr(" height=1000 "));
  reporter.Finish(StatusAt(100), 1, 701 * kSecond);
  EXPECT_THAT(sink.lines, SizeIs(4));
}

TEST(ProgressTest, ANarrowTerminalKeepsWhatMattersMost) {
  NodeStatus status = StatusAt(50);
  status.waiting_on = WaitReason::kPeer;
  const std::string wide = ProgressReporter::BarLine(status, ProgressRates(), 1, 200);
  const std::string usual = ProgressReporter::BarLine(status, ProgressRates(), 1, 79);
  const std::string narrow = ProgressReporter::BarLine(status, ProgressRates(), 1, 50);
  for (const std::string& line : {wide, usual, narrow}) {
    EXPECT_THAT(line, ::testing::AllOf(HasSubstr("["), HasSubstr("%"), HasSubstr("left")));
  }
  EXPECT_THAT(wide, ::testing::AllOf(HasSubstr("coins"), HasSubstr("MB/s"), HasSubstr("waits for peer")));
  EXPECT_THAT(usual, ::testing::AllOf(::testing::Not(HasSubstr("coins")), HasSubstr("MB/s"), HasSubstr("waits for peer")));
  EXPECT_THAT(narrow, ::testing::AllOf(::testing::Not(HasSubstr("MB/s")), ::testing::Not(HasSubstr("coins"))));
}

TEST(ProgressTest, TheTerminalGetsTheBarAndTheLogNothing) {
  CapturingSink sink;
  std::FILE* const terminal = std::tmpfile();
  ASSERT_NE(terminal, nullptr);
  ProgressReporter reporter(terminal);
  for (int64_t tenth = 0; tenth < 10; ++tenth) reporter.Update(StatusAt(0), 1, tenth * kSecond / 10);
  reporter.Finish(StatusAt(1), 1, kSecond);
  std::rewind(terminal);
  std::string text(10000, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), terminal));
  std::fclose(terminal);
  EXPECT_THAT(sink.lines, IsEmpty());
  EXPECT_EQ(std::count(text.begin(), text.end(), '\r'), 6) << "five redraws in a second, and the last";
  EXPECT_TRUE(text.ends_with("\n"));
}

}  // namespace
}  // namespace headrace
