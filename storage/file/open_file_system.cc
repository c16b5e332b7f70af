#include "storage/file/open_file_system.h"

#include <cstdlib>
#include <string_view>

#include "engine/base/log.h"
#include "storage/file/plain_file_system.h"
#include "storage/file/uring_file_system.h"

namespace headrace {

absl::StatusOr<std::unique_ptr<FileSystem>> OpenFileSystem(FileSystemChoice choice) {
  if (choice == FileSystemChoice::kBest) {
    const char* wish = std::getenv("HEADRACE_FILES");
    if (wish != nullptr && std::string_view(wish) == "plain") choice = FileSystemChoice::kPlain;
  }
  if (choice == FileSystemChoice::kPlain) return PlainFileSystem::Start();
  absl::StatusOr<std::unique_ptr<FileSystem>> files = UringFileSystem::Start();
  if (files.ok() || choice == FileSystemChoice::kUring) return files;
  HR_LOG(kWarning, kDisk, "io_uring is not available, disk access uses pread and pwrite reason=\"",
         files.status().message(),
         "\" remedy=\"allow io_uring_setup, io_uring_enter and io_uring_register in the container's seccomp profile, set "
         "kernel.io_uring_disabled=0, or raise ulimit -l\"");
  return PlainFileSystem::Start();
}

}  // namespace headrace
