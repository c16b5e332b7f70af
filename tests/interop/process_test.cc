// The support that end-to-end tests stand on: children, deadlines, ports, directories.
#include "tests/support/process.h"
#include "tests/support/temporary_directory.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>

namespace headrace::testing {
namespace {

TEST(ProcessTest, OutputErrorsAndStatusAreCaptured) {
  const ProgramResult result = RunProgram({"sh", "-c", "echo out; echo err >&2; exit 7"}, 20);
  EXPECT_EQ(result.status, 7);
  EXPECT_EQ(result.output, "out\n");
  EXPECT_EQ(result.errors, "err\n");
}

TEST(ProcessTest, AProgramThatIsNotThereFails) {
  EXPECT_EQ(RunProgram({"/nonexistent/program"}, 20).status, 127);
}

TEST(ProcessTest, LargeOutputIsWhole) {
  EXPECT_EQ(RunProgram({"sh", "-c", "head -c 3000000 /dev/zero"}, 20).output.size(), 3'000'000u);
}

TEST(ProcessTest, DeadlinesEndWaiting) {
  ChildProcess child({"sleep", "1000"});
  EXPECT_EQ(child.WaitForExit(0.05), std::nullopt);
  EXPECT_FALSE(child.WaitForText("never", 0.05));
  child.Signal(SIGKILL);
  EXPECT_EQ(child.WaitForExit(20), 128 + SIGKILL);
  EXPECT_FALSE(child.WaitForText("never", 1000)) << "an ended child says nothing more";
}

TEST(ProcessTest, OutputIsSeenWhileTheChildRuns) {
  ChildProcess child({"sh", "-c", "echo ready; exec sleep 1000"});
  EXPECT_TRUE(child.WaitForText("ready", 20));
}

TEST(ProcessTest, PortsAreOccupiedAndFree) {
  const OccupiedPort occupied;
  EXPECT_NE(occupied.port(), 0);
  const uint16_t port = FreePort();
  EXPECT_NE(port, 0);
  EXPECT_NE(port, occupied.port());
}

TEST(ProcessTest, ADirectoryGoesWithItsObject) {
  std::string path;
  {
    const TemporaryDirectory directory;
    path = directory.path();
    std::ofstream(path + "/file") << "x";
    EXPECT_TRUE(std::filesystem::exists(path + "/file"));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace headrace::testing
