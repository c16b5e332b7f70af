// File descriptors that run out: at start, while the node writes, while strangers connect. A sentence or fewer
// connections, never a wrong verdict, and a restart goes on.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>

#include "tests/interruption/environment_fixture.h"
#include "tests/interruption/interrupted_node.h"

namespace headrace::testing {
namespace {

namespace fs = std::filesystem;

uint64_t OpenDescriptors(pid_t pid) {
  uint64_t highest = 0;
  for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) {
    highest = std::max<uint64_t>(highest, std::stoull(entry.path().filename().string()) + 1);
  }
  return highest;
}

void LimitDescriptors(pid_t pid, uint64_t count) {
  rlimit limit;
  ASSERT_EQ(prlimit(pid, RLIMIT_NOFILE, nullptr, &limit), 0);
  limit.rlim_cur = std::min<uint64_t>(count, limit.rlim_max);
  ASSERT_EQ(prlimit(pid, RLIMIT_NOFILE, &limit, nullptr), 0);
}

class DescriptorTest : public EnvironmentTest {
 protected:
  // A sanitizer that searches for leaks at the end needs descriptors itself.
  void SetUp() override {
    EnvironmentTest::SetUp();
    ::setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
  }
  void TearDown() override {
    ::unsetenv("ASAN_OPTIONS");
    EnvironmentTest::TearDown();
  }
};

TEST_F(DescriptorTest, TooFewAtStart) {
  bool any_refused = false;
  bool any_ran = false;
  for (const int count : {5, 7, 8, 9, 14, 47, 48, 64}) {
    SCOPED_TRACE(count);
    NodeProcess node("regtest");
    std::vector<std::string> options = ImportOptions();
    options.insert(options.end(), {"-listen=1", "-bind=127.0.0.1:" + std::to_string(FreePort()),
                                   "-stopatheight=" + std::to_string(SharedChain().height)});
    const std::string limit = std::to_string(count);
    ChildProcess process(Under({"prlimit", "--nofile=" + limit + ":" + limit}, node, options));
    const std::optional<int> status = process.WaitForExit(60);
    ASSERT_TRUE(status == 0 || status == 1 || status == 127) << process.Everything();  // 127: not even the loader
    if (status == 1) {
      any_refused = true;
      EXPECT_THAT(Sentence(process), ::testing::HasSubstr("(ulimit -n)"));
      if (count == 47) ExpectRightEnd(node);
    } else if (status == 0) {
      any_ran = true;
      EXPECT_EQ(node.Coins().value("hash_serialized_3", ""), SharedChain().hash_serialized_3);
    }
  }
  EXPECT_TRUE(any_refused);
  EXPECT_TRUE(any_ran);
}

TEST_F(DescriptorTest, NoneLeftWhileTheNodeWrites) {
  const uint64_t seed = RandomSeed();
  std::mt19937_64 random(seed);
  int stopped = 0;
  const uint32_t runs = KillsPerPhase(3);
  for (uint32_t run = 0; run < runs && !HasFailure(); ++run) {
    NodeProcess node("regtest");
    for (const char* name : {"/coins", "/blocks"}) fs::create_directories(node.network_directory() + name);
    DirectoryEvents events({node.network_directory() + "/coins", node.network_directory() + "/blocks"});
    const KillMoment moment = MomentMenu()
                                  .AtLogLine("the unspent set begins at")
                                  .AtFileEvent("blk", IN_MODIFY, 20)
                                  .AtFileEvent("image-", IN_CREATE, 4)
                                  .AtFileEvent("segment-", IN_MODIFY, 4)
                                  .Pick(random);
    SCOPED_TRACE("HEADRACE_SEED=" + std::to_string(seed) + " run " + std::to_string(run) + " at " +
                 moment.Description());
    std::vector<std::string> options = ImportOptions();
    options.push_back("-checkpointinterval=0");
    ChildProcess& process = node.Start(options);
    WaitForMoment(moment, events, process, 2);
    LimitDescriptors(process.pid(), random() % 2 == 0 ? OpenDescriptors(process.pid()) : 3);
    if (!process.WaitForExit(3)) process.Signal(SIGTERM);
    if (process.WaitForExit(60) != 0) {
      ++stopped;
      EXPECT_THAT(Sentence(process), ::testing::HasSubstr("(ulimit -n)"));
    }
    ExpectRightEnd(node);
  }
  EXPECT_TRUE(runs < kKillsThatMustHit || stopped != 0) << "no run met the limit";
}

// Strangers that find no descriptor wait or are turned away; whoever asks later, when there are some again, is served.
TEST_F(DescriptorTest, NoneLeftForStrangers) {
  NodeProcess node("regtest");
  node.StartListening({"-loadblock=" + SharedChain().file});
  ASSERT_TRUE(node.WaitForHeight(SharedChain().height, 60)) << node.process().Everything();
  LimitDescriptors(node.process().pid(), OpenDescriptors(node.process().pid()));
  std::vector<int> strangers;
  for (int i = 0; i < 20; ++i) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(node.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    strangers.push_back(fd);
  }
  EXPECT_EQ(node.process().WaitForExit(0.5), std::nullopt) << node.process().Everything();
  for (const int fd : strangers) close(fd);
  LimitDescriptors(node.process().pid(), 1024);
  NodeProcess later("regtest");
  EXPECT_EQ(later.RunToEnd({"-connect=" + node.address(), "-stopatheight=" + std::to_string(SharedChain().height)}, 60),
            0)
      << later.process().Everything() << node.process().Everything();
  EXPECT_EQ(later.Coins().value("hash_serialized_3", ""), SharedChain().hash_serialized_3);
  EXPECT_EQ(node.Stop(), 0) << node.process().Everything();
}

}  // namespace
}  // namespace headrace::testing
