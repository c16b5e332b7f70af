#include "engine/runtime/span_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "absl/strings/str_cat.h"

namespace headrace {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

size_t Occurrences(const std::string& text, const std::string& word) {
  size_t count = 0;
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++count;
  return count;
}

uint64_t TotalOf(const SpanLog& log, SpanKind kind) { return log.Totals()[static_cast<size_t>(kind)]; }

class RecordingTo {
 public:
  explicit RecordingTo(SpanRecorder* recorder) { SetSpanRecorder(recorder); }
  ~RecordingTo() { SetSpanRecorder(nullptr); }
};

TEST(SpanTest, WithoutARecorderNothingHappens) {
  ASSERT_EQ(CurrentSpanRecorder(), nullptr);
  const Span span(SpanKind::kParse);
}

TEST(SpanTest, EveryKindHasItsName) {
  std::vector<std::string> names;
  for (size_t kind = 0; kind < kSpanKindCount; ++kind) names.emplace_back(SpanKindName(static_cast<SpanKind>(kind)));
  for (const std::string& name : names) {
    EXPECT_FALSE(name.empty());
    EXPECT_EQ(std::count(names.begin(), names.end(), name), 1) << name;
  }
}

TEST(SpanTest, ASpanIsRecordedWhenItEndsAndHoldsWhatIsInside) {
  SpanLog log(10);
  const RecordingTo recording(&log);
  {
    const Span outer(SpanKind::kResolve);
    { const Span inner(SpanKind::kPlan); }
    EXPECT_EQ(TotalOf(log, SpanKind::kResolve), 0u);
  }
  EXPECT_GE(TotalOf(log, SpanKind::kResolve), TotalOf(log, SpanKind::kPlan));
  const std::string trace = log.ToTrace();
  // The inner one ended first.
  EXPECT_LT(trace.find("\"plan\""), trace.find("\"resolve\""));
}

TEST(SpanLogTest, TotalsAreOverAllThreads) {
  SpanLog log(0);
  constexpr int kThreads = 4;
  constexpr int kSpans = 10'000;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&] {
      for (int span = 0; span < kSpans; ++span) log.Record(SpanKind::kVerify, 1000, 1007);
    });
  }
  // Read beside the writers: never more than there is.
  while (TotalOf(log, SpanKind::kVerify) == 0) std::this_thread::yield();
  EXPECT_LE(TotalOf(log, SpanKind::kVerify), 7u * kThreads * kSpans);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(TotalOf(log, SpanKind::kVerify), 7u * kThreads * kSpans);
  EXPECT_EQ(TotalOf(log, SpanKind::kParse), 0u);
  EXPECT_EQ(Occurrences(log.ToTrace(), "\"ph\":\"X\""), 0u) << "no spans were asked for";
}

TEST(SpanLogTest, LengthsAreCountedByTheirBounds) {
  SpanLog log(0);
  constexpr int64_t kMs = 1'000'000;
  const auto record = [&](int64_t length_ns) { log.Record(SpanKind::kResolve, 5, 5 + length_ns); };
  record(0);
  record(kMs);
  record(kMs + 1);
  record(50 * kMs);
  record(1000 * kMs);
  record(1000 * kMs + 1);
  std::thread([&] { record(2000 * kMs); }).join();
  const SpanLengths lengths = log.Lengths()[static_cast<size_t>(SpanKind::kResolve)];
  EXPECT_THAT(lengths.count, ::testing::ElementsAre(2, 1, 0, 0, 0, 1, 0, 0, 0, 1, 2));
  EXPECT_EQ(lengths.longest_ns, uint64_t{2000 * kMs});
  EXPECT_EQ(log.Lengths()[static_cast<size_t>(SpanKind::kParse)].longest_ns, 0u);
}

TEST(SpanLogTest, AFullLaneCountsOnAndSaysWhatItDropped) {
  SpanLog log(1);  // kept in chunks of 4096
  constexpr int kSpans = 5000;
  for (int span = 0; span < kSpans; ++span) log.Record(SpanKind::kParse, span, span + 1);
  EXPECT_EQ(TotalOf(log, SpanKind::kParse), uint64_t{kSpans});
  const std::string trace = log.ToTrace();
  const size_t kept = Occurrences(trace, "\"ph\":\"X\"");
  EXPECT_EQ(kept, 4096u);
  EXPECT_EQ(log.dropped(), kSpans - kept);
  EXPECT_THAT(trace, HasSubstr(absl::StrCat("\"spans_dropped\":", kSpans - kept)));
}

TEST(SpanLogTest, ThreadsHaveLanesAndNames) {
  SpanLog log(10);
  std::thread named([&] {
    pthread_setname_np(pthread_self(), "a \"name\"");
    log.Record(SpanKind::kApply, log.NowNs(), log.NowNs() + 2500);
  });
  named.join();
  log.Record(SpanKind::kApply, log.NowNs(), log.NowNs());
  const std::string trace = log.ToTrace();
  EXPECT_EQ(Occurrences(trace, "thread_name"), 2u);
  EXPECT_THAT(trace, HasSubstr("{\"name\":\"a name\"}"));
  EXPECT_THAT(trace, HasSubstr("\"tid\":1"));
  EXPECT_THAT(trace, HasSubstr("\"tid\":2"));
  EXPECT_THAT(trace, Not(HasSubstr("\"tid\":3")));
}

// A thread outlives logs: its lane of one is never taken for its lane of the next, wherever that one lies in memory.
TEST(SpanLogTest, ANewLogStartsEmpty) {
  for (int round = 0; round < 3; ++round) {
    SpanLog log(10);
    log.Record(SpanKind::kCheck, 0, 5);
    EXPECT_EQ(TotalOf(log, SpanKind::kCheck), 5u);
  }
}

}  // namespace
}  // namespace headrace
