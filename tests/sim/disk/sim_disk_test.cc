// The simulated disk itself: a simulator that loses nothing finds nothing.
#include "tests/sim/sim_disk.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/sim/sim_file_system.h"

namespace headrace::sim {
namespace {

constexpr int kSeeds = 200;

std::vector<uint8_t> Filled(size_t size, uint8_t value) { return std::vector<uint8_t>(size, value); }

struct Machine {
  explicit Machine(uint64_t seed) : disk(SimEntropy(seed), wakeup) { Restart(); }

  void Restart() {
    files.reset();
    files = std::make_unique<SimFileSystem>(disk);
    EXPECT_TRUE(files->MakeDirectories("/d").ok());
  }
  void FailPower() {
    disk.FailPower();
    Restart();
  }
  FileRef Make(const std::string& path) { return files->Open(path, OpenMode::kCreate).value(); }
  std::vector<uint8_t> Read(const std::string& path) { return files->ReadWholeFile(path, 1 << 20).value(); }

  Wakeup wakeup;
  SimDisk disk;
  std::unique_ptr<SimFileSystem> files;
};

TEST(SimDiskTest, WhatWasSyncedSurvives) {
  for (int seed = 0; seed < kSeeds; ++seed) {
    Machine machine(seed);
    const FileRef file = machine.Make("/d/a");
    ASSERT_TRUE(machine.files->WriteAt(file, 0, Filled(3000, 7)).ok());
    ASSERT_TRUE(machine.files->Sync(file).ok());
    ASSERT_TRUE(machine.files->SyncDirectory("/d").ok());
    machine.FailPower();
    EXPECT_EQ(machine.Read("/d/a"), Filled(3000, 7));
  }
}

TEST(SimDiskTest, UnsyncedSectorsSurviveWhollyOrNotAtAllAndEachByItself) {
  std::set<int> survivors_seen;
  for (int seed = 0; seed < kSeeds; ++seed) {
    Machine machine(seed);
    const FileRef file = machine.Make("/d/a");
    ASSERT_TRUE(machine.files->WriteAt(file, 0, Filled(2048, 1)).ok());
    ASSERT_TRUE(machine.files->Sync(file).ok());
    ASSERT_TRUE(machine.files->SyncDirectory("/d").ok());
    ASSERT_TRUE(machine.files->WriteAt(file, 0, Filled(2048, 2)).ok());
    machine.FailPower();
    const std::vector<uint8_t> left = machine.Read("/d/a");
    ASSERT_EQ(left.size(), 2048u);
    int pattern = 0;
    for (size_t sector = 0; sector < 4; ++sector) {
      const std::set<uint8_t> values(left.begin() + sector * 512, left.begin() + (sector + 1) * 512);
      ASSERT_EQ(values.size(), 1u);
      if (*values.begin() == 2) pattern |= 1 << sector;
    }
    survivors_seen.insert(pattern);
  }
  EXPECT_EQ(survivors_seen.size(), 16u);
}

TEST(SimDiskTest, NamesWaitForTheirDirectory) {
  bool old_seen = false;
  bool new_seen = false;
  for (int seed = 0; seed < kSeeds; ++seed) {
    Machine machine(seed);
    ASSERT_TRUE(machine.files->ReplaceFile("/d/a", Filled(10, 1)).ok());
    const FileRef aside = machine.Make("/d/b");
    ASSERT_TRUE(machine.files->WriteAt(aside, 0, Filled(10, 2)).ok());
    ASSERT_TRUE(machine.files->Sync(aside).ok());
    ASSERT_TRUE(machine.files->Rename("/d/b", "/d/a").ok());
    machine.FailPower();
    const std::vector<uint8_t> left = machine.Read("/d/a");
    old_seen |= left == Filled(10, 1);
    new_seen |= left == Filled(10, 2);
    EXPECT_TRUE(left == Filled(10, 1) || left == Filled(10, 2));
  }
  EXPECT_TRUE(old_seen && new_seen);
}

TEST(SimDiskTest, ReplacedFilesAreTheOldOrTheNewOneAtAnyOperation) {
  for (int seed = 0; seed < kSeeds; ++seed) {
    Machine machine(seed);
    ASSERT_TRUE(machine.files->ReplaceFile("/d/a", Filled(2000, 1)).ok());
    machine.disk.FailPowerAfter(1 + seed % 8);
    const bool is_replaced = machine.files->ReplaceFile("/d/a", Filled(2000, 2)).ok();
    machine.disk.FailPowerAfter(0);
    if (machine.files->is_alive()) machine.disk.FailPower();
    machine.Restart();
    const std::vector<uint8_t> left = machine.Read("/d/a");
    EXPECT_TRUE(left == Filled(2000, 2) || (!is_replaced && left == Filled(2000, 1)));
  }
}

// Between a rename and the sync of its directory the new name may be lost, or survive what was renamed before it.
TEST(SimDiskTest, ThePowerFailsWhereNamesChange) {
  std::set<std::pair<bool, bool>> survivors_seen;
  for (int seed = 0; seed < kSeeds; ++seed) {
    Machine machine(seed);
    for (const char* name : {"/d/a", "/d/b"}) {
      const FileRef file = machine.Make(name);
      ASSERT_TRUE(machine.files->Sync(file).ok());
    }
    ASSERT_TRUE(machine.files->SyncDirectory("/d").ok());
    machine.disk.FailPowerAfterNameChange(2);
    ASSERT_TRUE(machine.files->Rename("/d/a", "/d/c").ok());
    ASSERT_TRUE(machine.files->Remove("/d/b").ok());
    EXPECT_FALSE(machine.files->SyncDirectory("/d").ok());
    EXPECT_FALSE(machine.files->is_alive());
    machine.Restart();
    survivors_seen.emplace(machine.files->Exists("/d/c"), machine.files->Exists("/d/b"));
  }
  EXPECT_EQ(survivors_seen.size(), 4u);
}

TEST(SimDiskTest, AKilledProcessLeavesWhatItHadWritten) {
  Machine machine(1);
  const FileRef file = machine.Make("/d/a");
  ASSERT_TRUE(machine.files->WriteAt(file, 0, Filled(3000, 7)).ok());
  machine.disk.Kill();
  machine.Restart();
  EXPECT_EQ(machine.Read("/d/a"), Filled(3000, 7));
}

TEST(SimDiskTest, AFailedSyncIsNotMadeUpForByTheNext) {
  bool lost = false;
  for (int seed = 0; seed < kSeeds; ++seed) {
    Machine machine(seed);
    const FileRef file = machine.Make("/d/a");
    ASSERT_TRUE(machine.files->SyncDirectory("/d").ok());
    ASSERT_TRUE(machine.files->WriteAt(file, 0, Filled(2048, 5)).ok());
    machine.disk.FailOneIn(1);
    EXPECT_FALSE(machine.files->Sync(file).ok());
    machine.disk.FailOneIn(0);
    EXPECT_TRUE(machine.files->Sync(file).ok());
    machine.FailPower();
    lost |= machine.Read("/d/a") != Filled(2048, 5);
  }
  EXPECT_TRUE(lost);
}

TEST(SimDiskTest, MappingsStayAndShowLaterWrites) {
  Machine machine(1);
  const FileRef file = machine.Make("/d/a");
  ASSERT_TRUE(machine.files->WriteAt(file, 0, Filled(1000, 1)).ok());
  const SharedBytes mapped = machine.files->MapReadOnly(file, 0, 1000).value();
  ASSERT_TRUE(machine.files->WriteAt(file, 500, Filled(1, 9)).ok());
  EXPECT_EQ(mapped.bytes[500], 9);
  // A file that grows does not move.
  ASSERT_TRUE(machine.files->WriteAt(file, 1 << 20, Filled(1, 9)).ok());
  EXPECT_EQ(mapped.bytes[500], 9);
  EXPECT_FALSE(machine.files->MapReadOnly(file, 0, 2 << 20).ok());
}

TEST(SimDiskTest, AFullDiskTakesNothingMore) {
  Machine machine(1);
  const FileRef file = machine.Make("/d/a");
  ASSERT_TRUE(machine.files->WriteAt(file, 0, Filled(1000, 1)).ok());
  machine.disk.FillUp(true);
  EXPECT_TRUE(absl::IsResourceExhausted(machine.files->WriteAt(file, 1000, Filled(1, 1))));
  EXPECT_TRUE(machine.files->WriteAt(file, 0, Filled(1000, 2)).ok()) << "what is there already has its place";
}

}  // namespace
}  // namespace headrace::sim
