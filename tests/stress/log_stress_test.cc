// Many threads log while the file is moved away and opened anew, again and again: every line is whole, in one of the
// files, once, and each thread's lines are in order.

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/stress/stress_size.h"
#include "tests/support/temporary_directory.h"
#include "tools/headraced/log_sink.h"

namespace headrace::testing {
namespace {

TEST(LogStress, RotationLosesAndDoublesNoLine) {
  constexpr int kWriters = 4;
  constexpr int kFilesMin = 4;
  const int lines = StressRounds(3000);
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/debug.log";
  auto opened = DaemonLogSink::Open(path, LogFormat::kText, false);
  ASSERT_TRUE(opened.ok()) << opened.status();
  const std::unique_ptr<DaemonLogSink> sink = *std::move(opened);
  SetLogSink(sink.get());
  const StressDeadline deadline;
  std::atomic<int> files{0};
  std::atomic<int> writing{kWriters};
  std::vector<int> written(kWriters, 0);
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] {
      // More than was asked for, where whoever moves the file away does not get its turn.
      const auto is_done = [&](int line) { return line >= lines && (files >= kFilesMin || deadline.is_over()); };
      int line = 0;
      for (; !is_done(line); ++line) HR_LOG(kInfo, kNode, "writer=", writer, " line=", line, " end");
      written[static_cast<size_t>(writer)] = line;
      --writing;
    });
  }
  while (writing > 0 && !deadline.is_over()) {
    std::filesystem::rename(path, path + "." + std::to_string(files++));
    sink->RequestReopen();
    // Until a line has come to the new file; the last writer may have ended.
    EXPECT_TRUE(deadline.Await([&] { return std::filesystem::exists(path) || writing == 0; }));
    if (!std::filesystem::exists(path)) break;
    EXPECT_TRUE(sink->failure().ok()) << sink->failure();
    sink->Flush();
  }
  for (std::thread& writer : writers) writer.join();
  SetLogSink(nullptr);
  sink->Flush();

  std::vector<int> next(kWriters, 0);
  for (int file = 0; file <= files; ++file) {
    std::ifstream in(file < files ? path + "." + std::to_string(file) : path);
    std::string text;
    while (std::getline(in, text)) {
      int writer = -1;
      int line = -1;
      const size_t at = text.find("] writer=");
      if (at == std::string::npos) continue;
      ASSERT_EQ(std::sscanf(text.c_str() + at, "] writer=%d line=%d end", &writer, &line), 2) << text;
      ASSERT_TRUE(text.ends_with(" end")) << text;
      ASSERT_EQ(line, next.at(static_cast<size_t>(writer))++) << text;
    }
  }
  EXPECT_EQ(next, written);
  EXPECT_GE(files, kFilesMin);
}

}  // namespace
}  // namespace headrace::testing
