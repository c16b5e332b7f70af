// One process a data directory: an exclusive flock on the file `.lock` inside it. The kernel releases it when the process
// ends, however it ends, so a crash leaves nothing to clean up.
#pragma once

#include <memory>
#include <string>

#include "storage/file/file_system.h"

namespace headrace {

// FailedPrecondition, with a sentence naming the directory, when somebody holds it already.
absl::StatusOr<std::unique_ptr<DirectoryLock>> LockDirectoryByFlock(const std::string& directory);

}  // namespace headrace
