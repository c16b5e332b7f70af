// What was sent within a day, against a target: a window that moves, and a reserve for what is new.
#include "net/peer/upload_target.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <utility>

#include "tests/sim/sim_clock.h"

namespace headrace {
namespace {

constexpr int64_t kDay = 24 * 3600;

class UploadTargetTest : public ::testing::Test {
 protected:
  void Pass(int64_t seconds) { clock_.AdvanceTo(clock_.now_ns() + seconds * sim::kNsPerSecond); }
  sim::SimClock clock_;
};

TEST_F(UploadTargetTest, WithoutOneEverythingIsSent) {
  UploadTarget target(0, clock_);
  target.Count(UINT64_MAX / 2);
  EXPECT_TRUE(target.MaySendHistory());
  const UploadTarget::Facts facts = target.facts();
  EXPECT_EQ(facts.target_bytes, 0u);
  EXPECT_FALSE(facts.is_reached);
  EXPECT_EQ(facts.seconds_left, 0);
}

TEST_F(UploadTargetTest, HistoryEndsWhereTheReserveBegins) {
  constexpr uint64_t kTarget = UploadTarget::kReserveBytes + 1'000;
  UploadTarget target(kTarget, clock_);
  EXPECT_TRUE(target.MaySendHistory());
  target.Count(999);
  EXPECT_TRUE(target.MaySendHistory());
  target.Count(1);
  EXPECT_FALSE(target.MaySendHistory());
  EXPECT_FALSE(target.facts().is_reached);
  EXPECT_EQ(target.facts().bytes_left, UploadTarget::kReserveBytes);
  target.Count(UploadTarget::kReserveBytes - 1);
  EXPECT_FALSE(target.facts().is_reached);
  target.Count(1);
  EXPECT_TRUE(target.facts().is_reached);
  target.Count(5);
  EXPECT_EQ(target.facts().bytes_left, 0u);
}

TEST_F(UploadTargetTest, ATargetBelowTheReserveServesNoHistory) {
  EXPECT_FALSE(UploadTarget(UploadTarget::kReserveBytes, clock_).MaySendHistory());
  EXPECT_TRUE(UploadTarget(UploadTarget::kReserveBytes + 1, clock_).MaySendHistory());
}

TEST_F(UploadTargetTest, WhatWasSentADayAgoCountsNoMore) {
  UploadTarget target(UploadTarget::kReserveBytes + 1'000, clock_);
  target.Count(1'000);
  const int64_t left = target.facts().seconds_left;
  EXPECT_GT(left, kDay);
  EXPECT_LE(left, kDay + UploadTarget::kSliceSeconds);
  Pass(left - 1);
  EXPECT_FALSE(target.MaySendHistory());
  Pass(1);
  EXPECT_TRUE(target.MaySendHistory());
  EXPECT_EQ(target.facts().seconds_left, 0);
  // Also when nobody looked for long.
  target.Count(1'000);
  Pass(100 * kDay);
  EXPECT_TRUE(target.MaySendHistory());
}

TEST_F(UploadTargetTest, NothingIsForgottenBeforeADayAndEverythingSoonAfter) {
  std::mt19937_64 random(7);
  constexpr uint64_t kTarget = 1'000'000'000;
  UploadTarget target(kTarget, clock_);
  std::deque<std::pair<int64_t, uint64_t>> sent;  // second, bytes
  for (int i = 0; i < 5'000; ++i) {
    Pass(static_cast<int64_t>(random() % 200));
    const uint64_t bytes = random() % 100'000;
    target.Count(bytes);
    const int64_t now_s = clock_.now_ns() / sim::kNsPerSecond;
    sent.emplace_back(now_s, bytes);
    uint64_t surely = 0, perhaps = 0;
    for (const auto& [second, count] : sent) {
      if (second > now_s - kDay) surely += count;
      if (second > now_s - kDay - UploadTarget::kSliceSeconds) perhaps += count;
    }
    const uint64_t counted = kTarget - target.facts().bytes_left;
    ASSERT_GE(counted, surely);
    ASSERT_LE(counted, perhaps);
    while (sent.front().first < now_s - 2 * kDay) sent.pop_front();
  }
}

}  // namespace
}  // namespace headrace
