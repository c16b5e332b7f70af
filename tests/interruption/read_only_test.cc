// Directories and files that may not be written, at start and while the node runs: one sentence, nothing lost.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/fs.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <thread>

#include "tests/interop/counting_proxy.h"
#include "tests/interruption/environment_fixture.h"
#include "tests/interruption/kill_moment.h"
#include "tests/interruption/small_disk.h"

namespace headrace::testing {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kRoom = uint64_t{400} << 20;

// chattr +i as long as it lives: not even root may write, or make a file in the directory. Open files are no exception.
class Immutable {
 public:
  explicit Immutable(std::string path) : path_(std::move(path)) {
    if (!Set(true)) refusal_ = "needs the right and a file system for chattr +i: " + std::string(std::strerror(errno));
  }
  ~Immutable() {
    if (refusal_.empty()) Set(false);
  }
  Immutable(const Immutable&) = delete;
  Immutable& operator=(const Immutable&) = delete;
  const std::string& refusal() const { return refusal_; }

 private:
  bool Set(bool is_immutable) {
    const int fd = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    int flags = 0;
    bool is_set = ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0;
    flags = is_immutable ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
    is_set = is_set && ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;
    const int error = errno;
    close(fd);
    errno = error;
    return is_set;
  }

  const std::string path_;
  std::string refusal_;
};

// An ext4 in a file, mounted over a directory as long as it lives. Aborted, it behaves as after a failure of its disk:
// read-only at once, and what it had not written yet is gone when it is mounted again.
class LoopDisk {
 public:
  LoopDisk(std::string image, std::string directory) : image_(std::move(image)), directory_(std::move(directory)) {
    std::ofstream(image_) << "";
    fs::resize_file(image_, uintmax_t{128} << 20);
    const ProgramResult made = RunProgram({"mkfs.ext4", "-q", "-F", image_}, 60);
    if (made.status != 0) refusal_ = "needs mkfs.ext4: " + made.errors;
    if (refusal_.empty()) Mount();
  }
  ~LoopDisk() {
    if (is_mounted_) RunProgram({"umount", "-l", directory_}, 60);
  }
  LoopDisk(const LoopDisk&) = delete;
  LoopDisk& operator=(const LoopDisk&) = delete;
  const std::string& refusal() const { return refusal_; }

  bool Abort() { return RunProgram({"mount", "-o", "remount,abort", directory_}, 60).status == 0; }
  bool MountAgain() {
    // A killed or stopped process's files are let go a moment after its end: busy until then.
    for (int tries = 0; RunProgram({"umount", directory_}, 60).status != 0; ++tries) {
      if (tries == 200) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    Mount();
    return refusal_.empty();
  }

 private:
  void Mount() {
    const ProgramResult mounted = RunProgram({"mount", "-o", "loop,errors=remount-ro", image_, directory_}, 60);
    is_mounted_ = mounted.status == 0;
    if (!is_mounted_) refusal_ = "needs the right to mount an ext4: " + mounted.errors;
  }

  const std::string image_;
  const std::string directory_;
  bool is_mounted_ = false;
  std::string refusal_;
};

class ReadOnlyTest : public EnvironmentTest {
 protected:
  static void Fill(NodeProcess& node, uint32_t height) {
    std::vector<std::string> options = ImportOptions();
    options.push_back("-stopatheight=" + std::to_string(height));
    ASSERT_EQ(node.RunToEnd(options, 60), 0) << node.process().Everything();
  }
};

TEST_F(ReadOnlyTest, FileSystemAtStart) {
  NodeProcess node("regtest");
  SmallDisk disk(node.directory(), kRoom);
  if (!disk.refusal().empty()) GTEST_SKIP() << disk.refusal();
  Fill(node, 100);
  ASSERT_TRUE(disk.SetReadOnly(true)) << "nobody runs on it";
  const std::string sentence = Sentence(node.Start(ImportOptions()));
  EXPECT_THAT(sentence, ::testing::HasSubstr("Read-only file system"));
  EXPECT_THAT(sentence, ::testing::HasSubstr(node.network_directory()));
  ASSERT_TRUE(disk.SetReadOnly(false));
  ExpectRightEnd(node);
}

TEST_F(ReadOnlyTest, DirectoriesOfSomebodyElse) {
  NodeProcess node("regtest");
  Fill(node, 50);
  ASSERT_EQ(chmod(node.directory().c_str(), 0755), 0);
  const std::vector<std::string> nobody =
      geteuid() == 0 ? std::vector<std::string>{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"}
                     : std::vector<std::string>{"env"};
  const ProgramResult probe = RunProgram({nobody[0], "--version"}, 20);
  if (probe.status != 0) GTEST_SKIP() << "needs " << nobody[0];
  for (const char* part : {"", "/blocks", "/coins"}) {
    const std::string directory = node.network_directory() + part;
    SCOPED_TRACE(directory);
    ASSERT_EQ(chmod(directory.c_str(), 0500), 0);
    ChildProcess process(Under(nobody, node, {"-connect=0"}));
    if (process.WaitForExit(60) == 127) GTEST_SKIP() << "the program is in a place that only its owner reads";
    EXPECT_THAT(Sentence(process), ::testing::HasSubstr(node.network_directory()));
    ASSERT_EQ(chmod(directory.c_str(), 0700), 0);
  }
  ExpectRightEnd(node);
}

TEST_F(ReadOnlyTest, AFileWhereTheDirectoryShouldBe) {
  NodeProcess node("regtest");
  std::ofstream(node.directory() + "/regtest") << "a file";
  EXPECT_THAT(Sentence(node.Start({"-connect=0"})), ::testing::HasSubstr(node.network_directory()));
  fs::remove(node.directory() + "/regtest");
  ExpectRightEnd(node);
}

// The file system turns read-only under the node and forgets what it had not written: one sentence, and after the next
// mount the node mends what is there.
TEST_F(ReadOnlyTest, FileSystemThatIsAborted) {
  std::mt19937_64 random(std::random_device{}());
  for (int run = 0; run < 2 && !HasFailure(); ++run) {
    NodeProcess node("regtest");
    const TemporaryDirectory elsewhere;
    LoopDisk disk(elsewhere.File("disk.img"), node.directory());
    if (!disk.refusal().empty()) GTEST_SKIP() << disk.refusal();
    for (const char* name : {"/coins", "/blocks"}) fs::create_directories(node.network_directory() + name);
    DirectoryEvents events({node.network_directory() + "/coins", node.network_directory() + "/blocks"});
    std::vector<std::string> options = ImportOptions();
    options.insert(options.end(), {"-checkpointinterval=0", "-debug=all"});
    ChildProcess& process = node.Start(options);
    const KillMoment moment = MomentMenu()
                                  .AtFileEvent("rev", IN_MODIFY, 20)
                                  .AtFileEvent("image-", IN_MODIFY, 300)
                                  .AtLogLine("checkpoint published")
                                  .Pick(random);
    SCOPED_TRACE(moment.Description());
    WaitForMoment(moment, events, process, 3);
    if (!disk.Abort()) GTEST_SKIP() << "the file system cannot be aborted here";
    if (!process.WaitForExit(3)) process.Signal(SIGTERM);
    const std::string sentence = Sentence(process);
    EXPECT_THAT(sentence, ::testing::HasSubstr(node.directory()));
    ASSERT_TRUE(disk.MountAgain()) << disk.refusal();
    ExpectRightEnd(node);
  }
}

// While blocks are downloaded, slowly, and checkpoints follow one another: every file is being written.
TEST_F(ReadOnlyTest, FilesAndDirectoriesWhileTheNodeRuns) {
  NodeProcess peer("regtest");
  peer.StartListening({"-loadblock=" + SharedChain().file});
  ASSERT_TRUE(peer.WaitForHeight(SharedChain().height, 60)) << peer.process().Everything();
  CountingProxy proxy(peer.port(), 400'000);
  for (const char* part :
       {"/blocks/blk00000.dat", "/blocks/rev00000.dat", "/blocks/index.dat", "/coins", "/debug.log"}) {
    SCOPED_TRACE(part);
    NodeProcess node("regtest");
    for (const char* name : {"/coins", "/blocks"}) fs::create_directories(node.network_directory() + name);
    DirectoryEvents events({node.network_directory() + "/coins", node.network_directory() + "/blocks"});
    ChildProcess& process = node.Start({"-connect=" + proxy.address(), "-checkpointinterval=0", "-debug=all"});
    const KillMoment undo_written{KillMoment::Trigger::kFileEvent, "rev", IN_MODIFY, 3, 0};
    ASSERT_TRUE(WaitForMoment(undo_written, events, process, 30)) << process.Everything();
    {
      const Immutable immutable(node.network_directory() + part);
      if (!immutable.refusal().empty()) GTEST_SKIP() << immutable.refusal();
      const std::string sentence = Sentence(process);
      EXPECT_THAT(sentence, ::testing::HasSubstr(node.network_directory()));
      EXPECT_THAT(sentence, ::testing::HasSubstr("Give this user the right to read and write there"));
    }
    ExpectRightEnd(node);
  }
}

}  // namespace
}  // namespace headrace::testing
