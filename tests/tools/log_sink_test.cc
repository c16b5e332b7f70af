#include "tools/headraced/log_sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/support/data.h"
#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"

namespace headrace {
namespace {

using ::testing::HasSubstr;

std::string ReadText(const std::string& path) {
  const std::vector<uint8_t> bytes = testing::ReadFileBytes(path);
  return {bytes.begin(), bytes.end()};
}

TEST(LogSinkTest, TextLinesCarryTimeCategoryAndLevel) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory.path() + "/debug.log";
  auto sink = DaemonLogSink::Open(path, LogFormat::kText, false);
  ASSERT_TRUE(sink.ok()) << sink.status();
  (*sink)->Write(LogLevel::kInfo, LogCategory::kNet, "peer connected id=1");
  (*sink)->Write(LogLevel::kDebug, LogCategory::kCoins, "100% {} %s");
  const std::string text = ReadText(path);
  EXPECT_THAT(text, ::testing::ContainsRegex("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{12}Z \\[net:info\\] peer connected id=1\n"));
  EXPECT_THAT(text, HasSubstr("[coins:debug] 100% {} %s\n")) << "the line is no format string";
}

TEST(LogSinkTest, WhatAPeerSaysStaysOnOneLine) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory.path() + "/debug.log";
  auto sink = DaemonLogSink::Open(path, LogFormat::kText, false);
  ASSERT_TRUE(sink.ok());
  (*sink)->Write(LogLevel::kInfo, LogCategory::kNet, "agent=a\nforged\x1b[2J\x7f");
  EXPECT_THAT(ReadText(path), HasSubstr("agent=a\\x0aforged\\x1b[2J\\x7f\n"));
  EXPECT_EQ(EscapeControls("p\xc3\xa4r\t"), "p\xc3\xa4r\\x09");
}

TEST(LogSinkTest, JsonLinesParseEvenWithBadUtf8) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory.path() + "/debug.log";
  auto sink = DaemonLogSink::Open(path, LogFormat::kJson, false);
  ASSERT_TRUE(sink.ok());
  (*sink)->Write(LogLevel::kWarning, LogCategory::kDisk, "file=\"a\\b\" \xff");
  const nlohmann::json line = nlohmann::json::parse(ReadText(path));
  EXPECT_EQ(line["level"], "warning");
  EXPECT_EQ(line["category"], "disk");
  EXPECT_THAT(line["message"].get<std::string>(), HasSubstr("file=\"a\\b\" "));
  EXPECT_THAT(line["time"].get<std::string>(), ::testing::MatchesRegex("[0-9]{4}-[0-9-]{5}T[0-9:.]{12}Z"));
}

TEST(LogSinkTest, ReopensUnderTheSameName) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory.path() + "/debug.log";
  auto sink = DaemonLogSink::Open(path, LogFormat::kText, false);
  ASSERT_TRUE(sink.ok());
  (*sink)->Write(LogLevel::kInfo, LogCategory::kNode, "before");
  std::filesystem::rename(path, path + ".1");
  (*sink)->Write(LogLevel::kInfo, LogCategory::kNode, "between");
  (*sink)->RequestReopen();
  (*sink)->Write(LogLevel::kInfo, LogCategory::kNode, "after");
  EXPECT_THAT(ReadText(path + ".1"), HasSubstr("between"));
  EXPECT_THAT(ReadText(path), HasSubstr("after"));
  EXPECT_THAT(ReadText(path), ::testing::Not(HasSubstr("between")));
}

TEST(LogSinkTest, AppendsToWhatIsThereAndRefusesADirectory) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory.path() + "/debug.log";
  for (int run = 0; run < 2; ++run) {
    auto sink = DaemonLogSink::Open(path, LogFormat::kText, false);
    ASSERT_TRUE(sink.ok());
    (*sink)->Write(LogLevel::kInfo, LogCategory::kNode, "run " + std::to_string(run));
  }
  EXPECT_THAT(ReadText(path), HasSubstr("run 0"));
  EXPECT_THAT(ReadText(path), HasSubstr("run 1"));
  auto refused = DaemonLogSink::Open(directory.path(), LogFormat::kText, false);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr(directory.path()));
}

TEST(LogSinkTest, TheFirstFailedWriteIsKeptAsASentence) {
  auto sink = DaemonLogSink::Open("/dev/full", LogFormat::kText, false);
  ASSERT_TRUE(sink.ok()) << sink.status();
  EXPECT_TRUE((*sink)->failure().ok());
  for (int i = 0; i < 3; ++i) (*sink)->Write(LogLevel::kInfo, LogCategory::kNode, "no room");
  EXPECT_TRUE(absl::IsResourceExhausted((*sink)->failure())) << (*sink)->failure();
  EXPECT_THAT(std::string((*sink)->failure().message()), HasSubstr("/dev/full: No space left on device. The disk is full"));
}

TEST(LogSinkTest, WhereNoNewFileCanBeOpenedTheOldOneGoesOn) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory.path() + "/debug.log";
  auto sink = DaemonLogSink::Open(path, LogFormat::kText, false);
  ASSERT_TRUE(sink.ok());
  std::filesystem::rename(path, path + ".1");
  std::filesystem::create_directory(path);
  (*sink)->RequestReopen();
  (*sink)->Write(LogLevel::kInfo, LogCategory::kNode, "after");
  EXPECT_THAT(ReadText(path + ".1"), HasSubstr("the log goes on in the old file: Cannot open " + path));
  EXPECT_THAT(ReadText(path + ".1"), HasSubstr("after"));
  EXPECT_TRUE((*sink)->failure().ok());
}

TEST(LogSinkTest, ManyThreadsWriteWholeLines) {
  const testing::TemporaryDirectory directory;
  const std::string path = directory.path() + "/debug.log";
  constexpr int kThreads = 4;
  constexpr int kLines = 200;
  {
    auto sink = DaemonLogSink::Open(path, LogFormat::kText, false);
    ASSERT_TRUE(sink.ok());
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < kLines; ++i) (*sink)->Write(LogLevel::kInfo, LogCategory::kSync, "whole line");
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  const std::string text = ReadText(path);
  int whole = 0;
  for (size_t at = text.find("whole line\n"); at != std::string::npos; at = text.find("whole line\n", at + 1)) ++whole;
  EXPECT_EQ(whole, kThreads * kLines);
}

}  // namespace
}  // namespace headrace
