#include "storage/file/posix_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/base/status_macros.h"
#include "storage/file/file_error.h"

namespace headrace {
namespace {

int OpenFlags(OpenMode mode) {
  switch (mode) {
    case OpenMode::kRead:
      return O_RDONLY;
    case OpenMode::kReadWrite:
      return O_RDWR;
    case OpenMode::kCreate:
      return O_RDWR | O_CREAT;
    case OpenMode::kTruncate:
      return O_RDWR | O_CREAT | O_TRUNC;
  }
  HR_CHECK(false);
}

// Looked at before it is opened for reading: opening a pipe waits for whoever writes to it.
absl::Status CheckIsFile(const std::string& path, OpenMode mode) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode)) return absl::OkStatus();
  if (!S_ISDIR(status.st_mode) && mode != OpenMode::kRead) return absl::OkStatus();
  const char* const kind = S_ISDIR(status.st_mode) ? "a directory" : S_ISFIFO(status.st_mode) ? "a pipe" : "a device or socket";
  return absl::FailedPreconditionError(
      absl::StrCat("Cannot open ", path, ": it is ", kind, " and not a file. Name or put a regular file there."));
}

}  // namespace

absl::StatusOr<FileRef> PosixFile::Open(const std::string& path, OpenMode mode) {
  HR_RETURN_IF_ERROR(CheckIsFile(path, mode));
  int descriptor;
  do {
    // Only the owner reads and writes: what this node knows of its peers is nobody else's business.
    descriptor = ::open(path.c_str(), OpenFlags(mode) | O_CLOEXEC, 0600);
  } while (descriptor < 0 && errno == EINTR);
  if (descriptor < 0) return FileError("open", path, errno);
  return std::make_shared<PosixFile>(path, descriptor);
}

PosixFile::~PosixFile() {
  ::close(descriptor_);
  if (direct_descriptor_ >= 0) ::close(direct_descriptor_);
}

int PosixFile::direct_descriptor() const {
  if (direct_descriptor_ != kNotAsked) return direct_descriptor_;
  // By descriptor: the file's name may be another by now, or another's.
  const std::string self = absl::StrCat("/proc/self/fd/", descriptor_);
  direct_descriptor_ = std::max(-1, ::open(self.c_str(), O_WRONLY | O_DIRECT | O_CLOEXEC));
  return direct_descriptor_;
}

absl::StatusOr<uint64_t> PosixFile::Size() const {
  struct stat status;
  if (::fstat(descriptor_, &status) != 0) return FileError("read the size of", path_, errno);
  return static_cast<uint64_t>(status.st_size);
}

absl::Status PosixFile::Preallocate(uint64_t size) {
  int result;
  do {
    // Keeping the size means that what is read, end of file included, does not change.
    result = ::fallocate(descriptor_, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(size));
  } while (result != 0 && errno == EINTR);
  if (result == 0 || errno == EOPNOTSUPP || errno == ENOSYS) return absl::OkStatus();
  return FileError("reserve disk space for", path_, errno);
}

absl::Status PosixFile::Truncate(uint64_t size) {
  int result;
  do {
    result = ::ftruncate(descriptor_, static_cast<off_t>(size));
  } while (result != 0 && errno == EINTR);
  return result == 0 ? absl::OkStatus() : FileError("change the size of", path_, errno);
}

const PosixFile& AsPosixFile(const FileRef& file) {
  const auto* posix_file = dynamic_cast<const PosixFile*>(file.get());
  HR_CHECK(posix_file != nullptr);
  return *posix_file;
}

}  // namespace headrace
