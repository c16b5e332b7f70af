// Signals at any moment: SIGTERM and SIGINT end the node cleanly, the others leave it as it was.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/inotify.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/interruption/environment_fixture.h"
#include "tests/interruption/interrupted_node.h"

namespace headrace::testing {
namespace {

namespace fs = std::filesystem;

// For one that has nothing to wait for but the end of what it is doing.
constexpr double kStopSecondsMax = 30;

class SignalTest : public EnvironmentTest {};

TEST_F(SignalTest, StopsAreCleanAtAnyMoment) {
  const uint64_t seed = RandomSeed();
  std::mt19937_64 random(seed);
  const MomentMenu menu = MomentMenu()
                              .After(0.005, 0.15)
                              .After(0.1, 0.8)
                              .AtLogLine("posture=")
                              .AtLogLine("the unspent set begins at")
                              .AtLogLine("rebuilding")
                              .AtLogLine("blocks taken up")
                              .AtFileEvent("image-", IN_CREATE, 3)
                              .AtFileEvent("image-", IN_MODIFY, 300)
                              .AtFileEvent("coins.manifest.new", IN_CREATE, 3)
                              .AtFileEvent("rev", IN_MODIFY, 30)
                              .AtFileEvent("index.dat", IN_MODIFY, 30);
  NodeProcess node("regtest");
  for (const char* name : {"/coins", "/blocks"}) fs::create_directories(node.network_directory() + name);
  const uint32_t runs = KillsPerPhase(10);
  for (uint32_t run = 0; run < runs && !HasFailure(); ++run) {
    DirectoryEvents events({node.network_directory() + "/coins", node.network_directory() + "/blocks"});
    const KillMoment moment = menu.Pick(random);
    SCOPED_TRACE("HEADRACE_SEED=" + std::to_string(seed) + " run " + std::to_string(run) + " at " +
                 moment.Description());
    std::vector<std::string> options = ImportOptions();
    options.push_back("-checkpointinterval=" + std::to_string(random() % 2));
    // Now and then everything anew, so that there is work to interrupt.
    if (run % 3 == 2) options.push_back(random() % 2 == 0 ? "-reindex" : "-reindex-chainstate");
    ChildProcess& process = node.Start(options);
    WaitForMoment(moment, events, process, 1);
    const int signal = random() % 2 == 0 ? SIGTERM : SIGINT;
    process.Signal(signal);
    const std::optional<int> status = process.WaitForExit(kStopSecondsMax);
    // Before the handlers stand the signal's own end is the right one.
    if (process.Output().empty() && status == 128 + signal) continue;
    ASSERT_EQ(status, 0) << process.Everything();
    EXPECT_EQ(process.Errors(), "");
  }
  ExpectRightEnd(node);
}

// A file of nothing but a hole takes minutes to read; nobody waits for that.
TEST_F(SignalTest, AFileOfHolesIsLeftAtOnce) {
  NodeProcess node("regtest");
  const std::string holes = node.directory() + "/holes.dat";
  std::ofstream(holes) << "";
  std::error_code error;
  fs::resize_file(holes, uintmax_t{1} << 40, error);
  if (error) GTEST_SKIP() << "needs a file system with sparse files of 1 TiB: " << error.message();
  ChildProcess& process = node.Start({"-connect=0", "-loadblock=" + holes});
  ASSERT_TRUE(process.WaitForText("the unspent set begins at", 30)) << process.Everything();
  EXPECT_EQ(process.WaitForExit(0.3), std::nullopt) << process.Everything();
  process.Signal(SIGTERM);
  EXPECT_EQ(process.WaitForExit(kStopSecondsMax), 0) << process.Everything();
}

TEST_F(SignalTest, OtherSignalsDisturbNothing) {
  NodeProcess node("regtest");
  std::vector<std::string> options = ImportOptions();
  options.insert(options.end(), {"-checkpointinterval=0", "-stopatheight=" + std::to_string(SharedChain().height)});
  ChildProcess& process = node.Start(options);
  const std::string log = node.network_directory() + "/debug.log";
  for (int i = 0; i < 10 && !process.WaitForExit(0.02); ++i) {
    if (i == 5 && fs::exists(log)) fs::rename(log, log + ".1");
    if (process.Output().empty()) continue;  // what stands before the handlers is the system's own answer
    for (const int signal : {SIGHUP, SIGPIPE, SIGXFSZ}) process.Signal(signal);
  }
  process.Signal(SIGSTOP);
  EXPECT_EQ(process.WaitForExit(0.5), std::nullopt);
  process.Signal(SIGCONT);
  EXPECT_EQ(process.WaitForExit(60), 0) << process.Everything();
  EXPECT_EQ(node.Coins().value("hash_serialized_3", ""), SharedChain().hash_serialized_3);
}

// The log cannot be opened anew: the node says so in the old file and goes on.
TEST_F(SignalTest, ALogThatCannotBeOpenedAnewGoesOnInTheOldFile) {
  NodeProcess node("regtest");
  node.StartListening({});
  ASSERT_TRUE(node.WaitForHeight(0, 30)) << node.process().Everything();
  const std::string log = node.network_directory() + "/debug.log";
  fs::rename(log, log + ".1");
  fs::create_directory(log);
  node.process().Signal(SIGHUP);
  EXPECT_EQ(node.process().WaitForExit(0.3), std::nullopt) << node.process().Everything();
  EXPECT_EQ(node.Stop(), 0) << node.process().Everything();
  std::ifstream old(log + ".1");
  const std::string text(std::istreambuf_iterator<char>(old), {});
  EXPECT_THAT(text, ::testing::HasSubstr("the log goes on in the old file"));
  EXPECT_THAT(text, ::testing::HasSubstr("stopped height=0"));
}

}  // namespace
}  // namespace headrace::testing
