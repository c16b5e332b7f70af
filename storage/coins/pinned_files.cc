#include "storage/coins/pinned_files.h"

#include "engine/base/check.h"
#include "engine/base/log.h"

namespace headrace {

void PinnedFiles::Pin(const std::vector<std::string>& paths) {
  const std::lock_guard lock(mutex_);
  for (const std::string& path : paths) ++readers_[path];
}

void PinnedFiles::Unpin(const std::vector<std::string>& paths) {
  std::vector<std::string> obsolete;
  {
    const std::lock_guard lock(mutex_);
    for (const std::string& path : paths) {
      const auto reader = readers_.find(path);
      HR_CHECK(reader != readers_.end());
      if (--reader->second != 0) continue;
      readers_.erase(reader);
      if (waiting_.erase(path) != 0) obsolete.push_back(path);
    }
  }
  // Outside the lock: nobody can pin a file that no manifest names.
  for (const std::string& path : obsolete) {
    const absl::Status status = files_->Remove(path);
    if (status.ok()) continue;
    HR_LOG(kWarning, kCoins, "a file that is not needed any more stays until the next start path=", path,
           " reason=", status.message());
  }
}

absl::Status PinnedFiles::Remove(const std::string& path) {
  {
    const std::lock_guard lock(mutex_);
    if (readers_.contains(path)) {
      waiting_.insert(path);
      return absl::OkStatus();
    }
  }
  return files_->Remove(path);
}

size_t PinnedFiles::pinned_count() const {
  const std::lock_guard lock(mutex_);
  return readers_.size();
}

size_t PinnedFiles::waiting_count() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

}  // namespace headrace
