#include "storage/file/posix_file_system.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/base/status_macros.h"
#include "storage/file/directory_lock.h"
#include "storage/file/file_error.h"
#include "storage/file/posix_file.h"

namespace headrace {
namespace {

// Unmaps when the last piece of the mapping is let go. The file may be closed long before.
class Mapping {
 public:
  Mapping(void* base, size_t size) : base_(base), size_(size) {}
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() { ::munmap(base_, size_); }

 private:
  void* const base_;
  const size_t size_;
};

// The whole pages that some mapped bytes touch.
struct PageSpan {
  static size_t PageBytes() {
    static const size_t bytes = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
    return bytes;
  }
  explicit PageSpan(ByteSpan mapped) {
    const auto first = reinterpret_cast<uintptr_t>(mapped.data());
    const uintptr_t aligned = first / PageBytes() * PageBytes();
    begin = reinterpret_cast<uint8_t*>(aligned);
    size = (first + mapped.size() - aligned + PageBytes() - 1) / PageBytes() * PageBytes();
  }

  uint8_t* begin;
  size_t size;
};

}  // namespace

absl::StatusOr<FileRef> PosixFileSystem::Open(const std::string& path, OpenMode mode) {
  return PosixFile::Open(path, mode);
}

absl::StatusOr<SharedBytes> PosixFileSystem::MapReadOnly(const FileRef& file, uint64_t offset, uint64_t size) {
  HR_ASSIGN_OR_RETURN(const uint64_t file_size, file->Size());
  // Touching a page past the end of the file would be a SIGBUS, so the end is checked here.
  if (offset > file_size || size > file_size - offset) return ReadPastEnd(file->path(), offset, size);
  if (size == 0) return SharedBytes{{}, file};
  const uint64_t page_size = PageSpan::PageBytes();
  const uint64_t lead = offset % page_size;
  void* base = ::mmap(nullptr, lead + size, PROT_READ, MAP_SHARED, AsPosixFile(file).descriptor(),
                      static_cast<off_t>(offset - lead));
  if (base == MAP_FAILED) return FileError("map", file->path(), errno);
  return SharedBytes{{static_cast<const uint8_t*>(base) + lead, size}, std::make_shared<Mapping>(base, lead + size)};
}

absl::Status PosixFileSystem::MapReadOnlyAt(const FileRef& file, uint64_t size, uint8_t* at) {
  HR_CHECK(reinterpret_cast<uintptr_t>(at) % PageSpan::PageBytes() == 0);
  HR_ASSIGN_OR_RETURN(const uint64_t file_size, file->Size());
  if (size > file_size) return ReadPastEnd(file->path(), 0, size);
  if (size == 0) return absl::OkStatus();
  if (::mmap(at, size, PROT_READ, MAP_SHARED | MAP_FIXED, AsPosixFile(file).descriptor(), 0) == MAP_FAILED) {
    return FileError("map", file->path(), errno);
  }
  return absl::OkStatus();
}

void PosixFileSystem::ExpectRandomReads(ByteSpan mapped) {
  const PageSpan pages(mapped);
  ::madvise(pages.begin, pages.size, MADV_RANDOM);
}

bool PosixFileSystem::IsResident(ByteSpan mapped) {
  // Pages asked about at once.
  constexpr size_t kPagesMax = 64;
  PageSpan pages(mapped);
  while (pages.size > 0) {
    unsigned char is_in_memory[kPagesMax];
    const size_t size = std::min(pages.size, kPagesMax * PageSpan::PageBytes());
    // A kernel that does not say leaves the reading to whoever looks.
    if (::mincore(pages.begin, size, is_in_memory) != 0) return true;
    const size_t count = size / PageSpan::PageBytes();
    if (std::any_of(is_in_memory, is_in_memory + count, [](unsigned char state) { return (state & 1) == 0; })) return false;
    pages.begin += size;
    pages.size -= size;
  }
  return true;
}

bool PosixFileSystem::Exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

absl::StatusOr<std::vector<std::string>> PosixFileSystem::List(const std::string& directory) {
  std::error_code error;
  std::filesystem::directory_iterator entry(directory, error);
  std::vector<std::string> names;
  while (!error && entry != std::filesystem::directory_iterator()) {
    names.push_back(entry->path().filename().string());
    entry.increment(error);
  }
  if (error) return FileError("list", directory, error.value());
  std::sort(names.begin(), names.end());
  return names;
}

absl::Status PosixFileSystem::MakeDirectories(const std::string& path) {
  // From the one that is asked for up to the first that exists.
  std::vector<std::filesystem::path> missing;
  std::error_code error;
  for (std::filesystem::path at = std::filesystem::absolute(path).lexically_normal(); !std::filesystem::exists(at, error);) {
    if (error) return FileError("make the directory", path, error.value());
    if (at.has_filename()) missing.push_back(at);
    at = at.parent_path();
  }
  std::filesystem::create_directories(path, error);
  if (error) return FileError("make the directory", path, error.value());
  for (auto at = missing.rbegin(); at != missing.rend(); ++at) HR_RETURN_IF_ERROR(SyncDirectory(at->parent_path().string()));
  return absl::OkStatus();
}

absl::Status PosixFileSystem::Remove(const std::string& path) {
  return ::unlink(path.c_str()) == 0 ? absl::OkStatus() : FileError("remove", path, errno);
}

absl::Status PosixFileSystem::Rename(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) == 0) return absl::OkStatus();
  return FileError(absl::StrCat("rename ", from, " to"), to, errno);
}

absl::Status PosixFileSystem::SyncDirectory(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return FileError("open the directory", path, errno);
  const int result = ::fsync(descriptor);
  const int error = errno;
  ::close(descriptor);
  return result == 0 ? absl::OkStatus() : FileError("sync the directory", path, error);
}

absl::StatusOr<uint64_t> PosixFileSystem::FreeBytes(const std::string& path) {
  struct statvfs status;
  if (::statvfs(path.c_str(), &status) != 0) return FileError("read the free space at", path, errno);
  return static_cast<uint64_t>(status.f_bavail) * status.f_frsize;
}

absl::StatusOr<std::unique_ptr<DirectoryLock>> PosixFileSystem::LockDirectory(const std::string& path) {
  return LockDirectoryByFlock(path);
}

}  // namespace headrace
