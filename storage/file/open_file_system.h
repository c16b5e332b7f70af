// Chooses the file system: io_uring where the kernel and the container allow it, else pread and pwrite, with one log line
// that says so and what to change.
#pragma once

#include <memory>

#include "storage/file/file_system.h"

namespace headrace {

enum class FileSystemChoice : uint8_t {
  kBest,   // HEADRACE_FILES=plain in the environment means kPlain
  kUring,  // Unavailable where there is none
  kPlain,
};

absl::StatusOr<std::unique_ptr<FileSystem>> OpenFileSystem(FileSystemChoice choice = FileSystemChoice::kBest);

}  // namespace headrace
