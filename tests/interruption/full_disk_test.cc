// A disk without room, and files that may not grow: the node stops with one sentence that names the file or the disk
// and what to do, and goes on to the right end when there is room.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/inotify.h>

#include <map>

#include "tests/interruption/environment_fixture.h"
#include "tests/interruption/interrupted_node.h"
#include "tests/interruption/small_disk.h"

namespace headrace::testing {
namespace {

constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kRoom = 400 * kMiB;

class FullDiskTest : public EnvironmentTest {};

TEST_F(FullDiskTest, NoRoomForBlocks) {
  NodeProcess node("regtest");
  SmallDisk disk(node.directory(), 8 * kMiB);
  if (!disk.refusal().empty()) GTEST_SKIP() << disk.refusal();
  const std::string sentence = Sentence(node.Start(ImportOptions()));
  EXPECT_THAT(sentence, ::testing::HasSubstr("blocks/blk00000.dat"));
  EXPECT_THAT(sentence, ::testing::HasSubstr("The disk is full: free some space"));
  disk.Resize(kRoom);
  ExpectRightEnd(node);
}

// Block and undo files reserve 16 MiB each and fit; what a checkpoint needs beside its spare does not.
TEST_F(FullDiskTest, NoRoomForACheckpointIsSeenBeforeItBegins) {
  NodeProcess node("regtest");
  SmallDisk disk(node.directory(), 36 * kMiB);
  if (!disk.refusal().empty()) GTEST_SKIP() << disk.refusal();
  std::vector<std::string> options = ImportOptions();
  options.push_back("-checkpointinterval=0");
  const std::string sentence = Sentence(node.Start(options));
  EXPECT_THAT(sentence, ::testing::HasSubstr("MiB free, and the next checkpoint"));
  EXPECT_THAT(sentence, ::testing::HasSubstr(node.network_directory() + "/coins"));
  disk.Resize(kRoom);
  ExpectRightEnd(node);
}

// The disk fills at a random moment with a few pages left, so that any file may be the one that finds no room: blocks,
// undo, index, segments, images, the log.
TEST_F(FullDiskTest, NoRoomAtARandomMoment) {
  const uint64_t seed = RandomSeed();
  std::mt19937_64 random(seed);
  const MomentMenu menu = MomentMenu()
                              .AtFileEvent("rev", IN_CREATE)
                              .AtFileEvent("rev", IN_MODIFY, 40)
                              .AtFileEvent("index.dat", IN_MODIFY, 40)
                              .AtFileEvent("image-", IN_CREATE, 3)
                              .AtFileEvent("image-", IN_MODIFY, 500)
                              .AtFileEvent("segment-", IN_CREATE, 3)
                              .AtFileEvent("coins.manifest.new", IN_CREATE, 3)
                              .AtLogLine("the unspent set begins at");
  std::map<std::string, int> named;
  const uint32_t runs = KillsPerPhase(4);
  for (uint32_t run = 0; run < runs && !HasFailure(); ++run) {
    NodeProcess node("regtest");
    SmallDisk disk(node.directory(), kRoom);
    if (!disk.refusal().empty()) GTEST_SKIP() << disk.refusal();
    for (const char* name : {"/coins", "/blocks"}) std::filesystem::create_directories(node.network_directory() + name);
    DirectoryEvents events({node.network_directory() + "/coins", node.network_directory() + "/blocks"});
    const KillMoment moment = menu.Pick(random);
    SCOPED_TRACE("HEADRACE_SEED=" + std::to_string(seed) + " run " + std::to_string(run) + " at " +
                 moment.Description());
    std::vector<std::string> options = ImportOptions();
    options.insert(options.end(), {"-checkpointinterval=0", "-debug=all"});
    ChildProcess& process = node.Start(options);
    WaitForMoment(moment, events, process, 2);
    disk.Fill(random() % 3 == 0 ? random() % (2 * kMiB) : 0);
    // At the tip nothing needs room any more: a clean stop then finds none, or needs none.
    if (!process.WaitForExit(3)) process.Signal(SIGTERM);
    if (process.WaitForExit(60) == 0) {
      ++named["(needed no more room)"];
    } else {
      const std::string sentence = Sentence(process);
      EXPECT_THAT(sentence, ::testing::HasSubstr(node.directory()));
      EXPECT_THAT(sentence, ::testing::AnyOf(::testing::HasSubstr("The disk is full: free some space"),
                                             ::testing::HasSubstr("make room and start again"),
                                             ::testing::HasSubstr("check its directory and the free space")));
      for (const char* file : {"blk", "rev", "index.dat", "segment-", "image-", "coins.manifest", "debug.log",
                               "next checkpoint", "summary"}) {
        if (sentence.find(file) == std::string::npos) continue;
        ++named[file];
        break;
      }
    }
    disk.Resize(kRoom);
    ExpectRightEnd(node);
  }
  for (const auto& [file, count] : named) std::printf("  %3d  no room for %s\n", count, file.c_str());
  EXPECT_TRUE(runs < 4 || named.size() > 1);
}

// Without the right to mount the same is seen of a limit on the size of files: the write fails, and the signal that
// comes with it ends nothing.
TEST_F(FullDiskTest, FilesThatMayNotGrow) {
  for (const uint64_t bytes_max :
       {uint64_t{300}, uint64_t{4096}, uint64_t{20} << 10, uint64_t{1} << 20, uint64_t{10} << 20}) {
    for (const char* backend : {"-filebackend=auto", "-filebackend=pread"}) {
      SCOPED_TRACE(std::string(backend) + " bytes_max=" + std::to_string(bytes_max));
      NodeProcess node("regtest");
      std::vector<std::string> options = ImportOptions();
      options.insert(options.end(), {"-checkpointinterval=0", backend});
      ChildProcess process(Under({"prlimit", "--fsize=" + std::to_string(bytes_max)}, node, options));
      const std::string sentence = Sentence(process);
      EXPECT_THAT(sentence, ::testing::HasSubstr(node.directory()));
      EXPECT_THAT(sentence, ::testing::HasSubstr("ulimit -f"));
      if (bytes_max == uint64_t{1} << 20) ExpectRightEnd(node);
    }
  }
}

}  // namespace
}  // namespace headrace::testing
