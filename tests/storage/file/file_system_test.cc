// Everything of the port beside batches: errors and their sentences, mappings, locks, replacement, directories.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
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

// Whole pages in memory, which large writes past the cache go to the disk from.
class PagesInMemory {
 public:
  explicit PagesInMemory(size_t size) : size_(size), at_(static_cast<uint8_t*>(std::aligned_alloc(4096, size))) {
    for (size_t i = 0; i < size; ++i) at_[i] = static_cast<uint8_t>(i * 31 >> 7);
  }
  ~PagesInMemory() { std::free(at_); }
  MutableByteSpan bytes() const { return {at_, size_}; }

 private:
  const size_t size_;
  uint8_t* const at_;
};

void SubmitPastTheCache(FileSystem& files, const FileRef& file, uint64_t offset, ByteSpan bytes) {
  const auto batch = std::make_shared<FileBatch>();
  FileOperation write{FileOperation::Kind::kWrite, file, offset};
  write.write_from = bytes;
  write.passes_cache = true;
  batch->operations.push_back(std::move(write));
  files.Submit(batch);
  batch->Wait();
  ASSERT_TRUE(batch->status().ok()) << batch->status();
}

// Sizes, offsets and addresses in whole pages and not; over what is there, beyond the end, and into a file whose name is another's.
TEST_P(FileSystemCallsTest, LargeWritesThatPassTheCacheAreWrittenLikeOthers) {
  const std::string mount_point = directory_.File("memory");
  ASSERT_TRUE(files_->MakeDirectories(mount_point).ok());
  const bool is_mounted = ::mount("none", mount_point.c_str(), "tmpfs", 0, "size=64m") == 0;
  constexpr size_t kMiB = 1 << 20;
  const PagesInMemory source(4 * kMiB);
  struct {
    size_t from, size, offset;
  } constexpr kWrites[] = {
      {0, 2 * kMiB, 0},           {4096, kMiB, kMiB},      {8192, kMiB + 4096, 3 * kMiB}, {512, kMiB, 5 * kMiB},
      {0, kMiB + 100, 512 << 10}, {0, kMiB, 6 * kMiB + 8}, {12288, 3 * kMiB, 4096},       {0, 4096, 2 * kMiB},
  };
  for (const std::string& path : {directory_.File("file"), mount_point + "/file"}) {
    const FileRef file = files_->Open(path, OpenMode::kTruncate).value();
    ASSERT_TRUE(files_->Rename(path, path + ".renamed").ok());
    const FileRef other = files_->Open(path, OpenMode::kTruncate).value();
    std::vector<uint8_t> expected;
    for (const auto& write : kWrites) {
      const ByteSpan bytes = source.bytes().subspan(write.from, write.size);
      ASSERT_NO_FATAL_FAILURE(SubmitPastTheCache(*files_, file, write.offset, bytes));
      expected.resize(std::max(expected.size(), write.offset + write.size));
      std::ranges::copy(bytes, expected.begin() + static_cast<ptrdiff_t>(write.offset));
    }
    ASSERT_TRUE(files_->Sync(file).ok());
    std::vector<uint8_t> read(expected.size());
    ASSERT_TRUE(files_->ReadAt(file, 0, read).ok());
    EXPECT_TRUE(read == expected) << path;
    EXPECT_EQ(file->Size().value(), expected.size());
    EXPECT_EQ(other->Size().value(), 0u);
  }
  if (is_mounted) {
    EXPECT_TRUE(UnmountsSoon(mount_point)) << std::strerror(errno);
  }
}

// Pages of the file's first `size` bytes that are in memory.
size_t ResidentPages(FileSystem& files, const FileRef& file, size_t size) {
  const SharedBytes mapped = files.MapReadOnly(file, 0, size).value();
  size_t count = 0;
  for (size_t at = 0; at < size; at += 4096) count += files.IsResident(mapped.bytes.subspan(at, 4096)) ? 1 : 0;
  return count;
}

TEST_P(FileSystemCallsTest, LargeWritesOfWholePagesAreNeverInThePageCache) {
  if (files_->name() != "io_uring") GTEST_SKIP() << "pwrite goes through the page cache";
  const PagesInMemory source(4 << 20);
  // By hand, to find out whether this file system can.
  const std::string path = directory_.File("by_hand");
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_DIRECT | O_CLOEXEC, 0600);
  if (descriptor < 0) GTEST_SKIP() << "this file system has no way past the page cache";
  const ssize_t written = ::pwrite(descriptor, source.bytes().data(), source.bytes().size(), 0);
  ::close(descriptor);
  const FileRef by_hand = files_->Open(path, OpenMode::kRead).value();
  if (written != static_cast<ssize_t>(source.bytes().size()) || ResidentPages(*files_, by_hand, source.bytes().size()) > 0) {
    GTEST_SKIP() << "this file system keeps in memory what is written past it";
  }
  const FileRef file = files_->Open(directory_.File("file"), OpenMode::kTruncate).value();
  ASSERT_NO_FATAL_FAILURE(SubmitPastTheCache(*files_, file, 0, source.bytes()));
  EXPECT_EQ(ResidentPages(*files_, file, source.bytes().size()), 0u);
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
