#include "storage/file/directory_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "storage/file/file_error.h"

namespace headrace {
namespace {

class FlockDirectoryLock final : public DirectoryLock {
 public:
  explicit FlockDirectoryLock(int descriptor) : descriptor_(descriptor) {}
  // The file stays: removing it would let two processes lock two files of one name.
  ~FlockDirectoryLock() override { ::close(descriptor_); }

 private:
  const int descriptor_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<DirectoryLock>> LockDirectoryByFlock(const std::string& directory) {
  const std::string path = absl::StrCat(directory, "/.lock");
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return FileError("open", path, errno);
  auto lock = std::make_unique<FlockDirectoryLock>(descriptor);
  int result;
  do {
    result = ::flock(descriptor, LOCK_EX | LOCK_NB);
  } while (result != 0 && errno == EINTR);
  if (result == 0) return lock;
  if (errno != EWOULDBLOCK) return FileError("lock", path, errno);
  return absl::FailedPreconditionError(absl::StrCat("The directory ", directory,
                                                    " is in use by another process: stop that process, or choose "
                                                    "another directory."));
}

}  // namespace headrace
