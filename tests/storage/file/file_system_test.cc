// Everything of the port beside batches: errors and their sentences, mappings, locks, replacement, directories.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/storage/file/file_system_fixture.h"

namespace headrace::testing {
namespace {

class FileSystemCallsTest : public FileSystemTest {};

void ExpectNames(const absl::Status& status, std::string_view word) {
  EXPECT_NE(std::string(status.message()).find(word), std::string::npos) << status;
}

// The kernel lets go of the files of finished ring operations a moment after the last descriptor is closed, and says EBUSY until
// then. A descriptor that leaks says so for ever.
bool UnmountsSoon(const std::string& mount_point) {
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (::umount(mount_point.c_str()) != 0) {
    if (errno != EBUSY || absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(5));
  }
  return true;
}

TEST_P(FileSystemCallsTest, MissingFilesAndDirectoriesAreNotFound) {
  for (const OpenMode mode : {OpenMode::kRead, OpenMode::kReadWrite}) {
    const absl::Status status = files_->Open(directory_.File("absent"), mode).status();
    EXPECT_TRUE(absl::IsNotFound(status)) << status;
    ExpectNames(status, directory_.File("absent"));
  }
  EXPECT_TRUE(absl::IsNotFound(files_->Open(directory_.File("no/such"), OpenMode::kCreate).status()));
  EXPECT_TRUE(absl::IsNotFound(files_->List(directory_.File("no")).status()));
  EXPECT_TRUE(absl::IsNotFound(files_->Remove(directory_.File("absent"))));
  EXPECT_TRUE(absl::IsNotFound(files_->Rename(directory_.File("absent"), directory_.File("other"))));
  EXPECT_TRUE(absl::IsNotFound(files_->SyncDirectory(directory_.File("no"))));
  EXPECT_TRUE(absl::IsNotFound(files_->FreeBytes(directory_.File("no")).status()));
  EXPECT_TRUE(absl::IsNotFound(files_->LockDirectory(directory_.File("no")).status()));
  EXPECT_TRUE(absl::IsNotFound(files_->ReadWholeFile(directory_.File("absent"), 100).status()));
}

TEST_P(FileSystemCallsTest, ModesDoWhatTheySay) {
  const std::string path = directory_.File("modes");
  {
    const FileRef file = files_->Open(path, OpenMode::kCreate).value();
    ASSERT_TRUE(files_->WriteAt(file, 0, AsBytes("hello")).ok());
    EXPECT_EQ(file->path(), path);
  }
  EXPECT_EQ(files_->Open(path, OpenMode::kCreate).value()->Size().value(), 5u);
  EXPECT_EQ(files_->Open(path, OpenMode::kReadWrite).value()->Size().value(), 5u);
  const FileRef reader = files_->Open(path, OpenMode::kRead).value();
  const absl::Status status = files_->WriteAt(reader, 0, AsBytes("x"));
  EXPECT_FALSE(status.ok());
  ExpectNames(status, path);
  EXPECT_EQ(files_->Open(path, OpenMode::kTruncate).value()->Size().value(), 0u);
}

TEST_P(FileSystemCallsTest, PreallocationDoesNotChangeWhatIsRead) {
  const FileRef file = files_->Open(directory_.File("reserved"), OpenMode::kCreate).value();
  ASSERT_TRUE(files_->WriteAt(file, 0, AsBytes("abc")).ok());
  ASSERT_TRUE(file->Preallocate(1 << 20).ok());
  EXPECT_EQ(file->Size().value(), 3u);
  ASSERT_TRUE(file->Truncate(2).ok());
  EXPECT_EQ(AsText(files_->ReadWholeFile(file->path(), 10).value()), "ab");
  ASSERT_TRUE(file->Truncate(4).ok());
  EXPECT_EQ(AsText(files_->ReadWholeFile(file->path(), 10).value()), std::string_view("ab\0\0", 4));
}

TEST_P(FileSystemCallsTest, AFullDeviceIsExhaustion) {
  const FileRef full = files_->Open("/dev/full", OpenMode::kReadWrite).value();
  const absl::Status status = files_->WriteAt(full, 0, AsBytes("anything"));
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  ExpectNames(status, "/dev/full");
  ExpectNames(status, "free some space");
}

TEST_P(FileSystemCallsTest, AFullDiskIsExhaustionAndLosesNothingWritten) {
  const std::string mount_point = directory_.File("small");
  ASSERT_TRUE(files_->MakeDirectories(mount_point).ok());
  if (::mount("none", mount_point.c_str(), "tmpfs", 0, "size=256k") != 0) {
    GTEST_SKIP() << "cannot mount a small tmpfs here (needs root)";
  }
  {
    const FileRef file = files_->Open(mount_point + "/file", OpenMode::kCreate).value();
    const std::vector<uint8_t> page(4096, 0x5a);
    absl::Status status;
    uint64_t written = 0;
    while (status.ok() && written < 1 << 20) {
      status = files_->WriteAt(file, written, page);
      if (status.ok()) written += page.size();
    }
    EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
    EXPECT_GT(written, 0u);
    std::vector<uint8_t> read(written);
    EXPECT_TRUE(files_->ReadAt(file, 0, read).ok());
    EXPECT_EQ(read, std::vector<uint8_t>(written, 0x5a));
    EXPECT_TRUE(absl::IsResourceExhausted(file->Preallocate(1 << 20)));
    EXPECT_LT(files_->FreeBytes(mount_point).value(), 256u << 10);
    const absl::Status replaced = files_->ReplaceFile(mount_point + "/other", std::vector<uint8_t>(1 << 20));
    EXPECT_TRUE(absl::IsResourceExhausted(replaced)) << replaced;
    EXPECT_EQ(files_->List(mount_point).value(), std::vector<std::string>{"file"});
  }
  EXPECT_TRUE(UnmountsSoon(mount_point)) << std::strerror(errno);
}

// Whether the file system knows how to or not; a tmpfs does not.
TEST_P(FileSystemCallsTest, WritesThatPassTheCacheAreWrittenLikeOthers) {
  const std::string mount_point = directory_.File("memory");
  ASSERT_TRUE(files_->MakeDirectories(mount_point).ok());
  const bool is_mounted = ::mount("none", mount_point.c_str(), "tmpfs", 0, "size=16m") == 0;
  for (const std::string& path : {directory_.File("file"), mount_point + "/file", directory_.File("another")}) {
    constexpr size_t kPieceBytes = 64 << 10;
    constexpr size_t kPieces = 64;
    std::vector<uint8_t> bytes(kPieces * kPieceBytes);
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * 31 >> 7);
    const FileRef file = files_->Open(path, OpenMode::kTruncate).value();
    const auto batch = std::make_shared<FileBatch>();
    for (size_t piece = 0; piece < kPieces; ++piece) {
      FileOperation write{FileOperation::Kind::kWrite, file, piece * kPieceBytes};
      write.write_from = ByteSpan(bytes).subspan(piece * kPieceBytes, kPieceBytes);
      write.passes_cache = piece % 8 != 0;
      batch->operations.push_back(std::move(write));
    }
    batch->operations.push_back({FileOperation::Kind::kSync, file});
    files_->Submit(batch);
    batch->Wait();
    ASSERT_TRUE(batch->status().ok()) << batch->status();
    std::vector<uint8_t> read(bytes.size());
    ASSERT_TRUE(files_->ReadAt(file, 0, read).ok());
    EXPECT_TRUE(read == bytes) << path;
  }
  if (is_mounted) {
    EXPECT_TRUE(UnmountsSoon(mount_point)) << std::strerror(errno);
  }
}

TEST_P(FileSystemCallsTest, MappingsOutliveTheFileAndStayInsideIt) {
  const std::string path = directory_.File("mapped");
  std::vector<uint8_t> bytes(20'000);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * 7);
  FileRef file = files_->Open(path, OpenMode::kCreate).value();
  ASSERT_TRUE(files_->WriteAt(file, 0, bytes).ok());
  for (const uint64_t offset : {0, 1, 4095, 4096, 4097, 19'999}) {
    const SharedBytes mapped = files_->MapReadOnly(file, offset, bytes.size() - offset).value();
    EXPECT_TRUE(std::equal(mapped.bytes.begin(), mapped.bytes.end(), bytes.begin() + static_cast<ptrdiff_t>(offset),
                           bytes.end()));
  }
  EXPECT_EQ(files_->MapReadOnly(file, 20'000, 0).value().bytes.size(), 0u);
  EXPECT_TRUE(absl::IsOutOfRange(files_->MapReadOnly(file, 0, 20'001).status()));
  EXPECT_TRUE(absl::IsOutOfRange(files_->MapReadOnly(file, 20'001, 0).status()));
  EXPECT_TRUE(absl::IsOutOfRange(files_->MapReadOnly(file, 10, UINT64_MAX - 5).status()));

  const SharedBytes kept = files_->MapReadOnly(file, 100, 19'000).value();
  const uint8_t other = 0xee;
  ASSERT_TRUE(files_->WriteAt(file, 100, {&other, 1}).ok());
  EXPECT_EQ(kept.bytes[0], 0xee) << "a mapping shows later writes";
  file.reset();
  ASSERT_TRUE(files_->Remove(path).ok());
  EXPECT_EQ(kept.bytes[18'999], bytes[19'099]);
}

TEST_P(FileSystemCallsTest, ReplaceFileLeavesTheOldOrTheNew) {
  const std::string path = directory_.File("replaced");
  ASSERT_TRUE(files_->ReplaceFile(path, AsBytes("first")).ok());
  ASSERT_TRUE(files_->ReplaceFile(path, AsBytes("second, longer")).ok());
  ASSERT_TRUE(files_->ReplaceFile(path, AsBytes("3")).ok());
  EXPECT_EQ(AsText(files_->ReadWholeFile(path, 100).value()), "3");
  EXPECT_EQ(files_->List(directory_.path()).value(), std::vector<std::string>{"replaced"});
  EXPECT_TRUE(absl::IsOutOfRange(files_->ReadWholeFile(path, 0).status()));
  EXPECT_FALSE(files_->ReplaceFile(directory_.File("no/file"), AsBytes("x")).ok());
  EXPECT_TRUE(files_->ReplaceFile(path, {}).ok());
  EXPECT_TRUE(files_->ReadWholeFile(path, 0).value().empty());
}

TEST_P(FileSystemCallsTest, DirectoriesAreMadeListedAndSynced) {
  const std::string deep = directory_.File("a/b/c");
  EXPECT_FALSE(files_->Exists(deep));
  ASSERT_TRUE(files_->MakeDirectories(deep).ok());
  ASSERT_TRUE(files_->MakeDirectories(deep).ok()) << "making what exists is fine";
  EXPECT_TRUE(files_->Exists(deep));
  for (const char* name : {"z", "b", "a10", "a9"}) {
    ASSERT_TRUE(files_->Open(deep + "/" + name, OpenMode::kCreate).ok());
  }
  EXPECT_EQ(files_->List(deep).value(), (std::vector<std::string>{"a10", "a9", "b", "z"}));
  EXPECT_TRUE(files_->SyncDirectory(deep).ok());
  EXPECT_FALSE(files_->MakeDirectories(deep + "/z/under-a-file").ok());
  EXPECT_GT(files_->FreeBytes(deep).value(), 0u);
}

TEST_P(FileSystemCallsTest, ADirectoryIsLockedByOneHolder) {
  absl::StatusOr<std::unique_ptr<DirectoryLock>> lock = files_->LockDirectory(directory_.path());
  ASSERT_TRUE(lock.ok()) << lock.status();
  const absl::Status second = files_->LockDirectory(directory_.path()).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(second)) << second;
  ExpectNames(second, directory_.path());
  lock->reset();
  EXPECT_TRUE(files_->LockDirectory(directory_.path()).ok());
}

TEST_P(FileSystemCallsTest, AnotherProcessHoldsTheLockUntilItEnds) {
  int ready[2];
  int finish[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(finish), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // Locking needs no storage thread, which the fork did not bring along.
    const auto lock = files_->LockDirectory(directory_.path());
    char byte = lock.ok() ? 'y' : 'n';
    ssize_t ignored = ::write(ready[1], &byte, 1);
    ignored += ::read(finish[0], &byte, 1);
    ::_exit(ignored == 2 ? 0 : 1);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'y');
  EXPECT_TRUE(absl::IsFailedPrecondition(files_->LockDirectory(directory_.path()).status()));
  ASSERT_EQ(::write(finish[1], &byte, 1), 1);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(files_->LockDirectory(directory_.path()).ok());
  for (const int descriptor : {ready[0], ready[1], finish[0], finish[1]}) ::close(descriptor);
}

TEST(OpenFileSystemTest, TheEnvironmentForcesTheTwin) {
  ASSERT_EQ(::setenv("HEADRACE_FILES", "plain", 1), 0);
  EXPECT_EQ(OpenFileSystem().value()->name(), "pread/pwrite");
  ::unsetenv("HEADRACE_FILES");
  const auto uring = OpenFileSystem(FileSystemChoice::kUring);
  EXPECT_EQ(OpenFileSystem().value()->name(), uring.ok() ? "io_uring" : "pread/pwrite");
}

INSTANTIATE_TEST_SUITE_P(Both, FileSystemCallsTest,
                         ::testing::Values(FileSystemChoice::kUring, FileSystemChoice::kPlain),
                         [](const auto& info) { return info.param == FileSystemChoice::kUring ? "Uring" : "Plain"; });

}  // namespace
}  // namespace headrace::testing
