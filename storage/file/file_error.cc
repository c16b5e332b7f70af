#include "storage/file/file_error.h"

#include <cerrno>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"

namespace headrace {
namespace {

std::string ErrnoText(int error) {
  char buffer[128];
  // The GNU variant: the text may or may not be in the buffer.
  return strerror_r(error, buffer, sizeof(buffer));
}

}  // namespace

absl::Status FileError(const std::string& action, const std::string& path, int error) {
  const std::string sentence = absl::StrCat("Cannot ", action, " ", path, ": ", ErrnoText(error));
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return absl::ResourceExhaustedError(
          absl::StrCat(sentence, ". The disk is full: free some space or move the data directory to a larger disk."));
    case EFBIG:
      return absl::ResourceExhaustedError(absl::StrCat(
          sentence, ". The file would be larger than the file system or the process's limit (ulimit -f) allows."));
    case EMFILE:
    case ENFILE:
      return absl::ResourceExhaustedError(
          absl::StrCat(sentence, ". Too many files are open: raise the limit (ulimit -n)."));
    case EIO:
      return absl::DataLossError(
          absl::StrCat(sentence, ". The disk reports a failure: check its health before starting again."));
    case EROFS:
    case EACCES:
    case EPERM:
      return absl::PermissionDeniedError(
          absl::StrCat(sentence, ". Give this user the right to read and write there, or choose another directory."));
    default:
      return absl::Status(absl::ErrnoToStatusCode(error), absl::StrCat(sentence, "."));
  }
}

absl::Status ReadPastEnd(const std::string& path, uint64_t offset, uint64_t size) {
  return absl::OutOfRangeError(
      absl::StrCat("Cannot read ", size, " bytes at offset ", offset, " of ", path, ": the file ends before that."));
}

}  // namespace headrace
