#include "storage/coins/pinned_files.h"

#include <algorithm>
#include <iterator>

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
  BeginRemovals(obsolete);
}

void PinnedFiles::Remove(const std::string& path) {
  {
    const std::lock_guard lock(mutex_);
    if (readers_.contains(path)) {
      waiting_.insert(path);
      return;
    }
  }
  BeginRemovals({path});
}

void PinnedFiles::BeginRemovals(const std::vector<std::string>& paths) {
  std::vector<Removal> ended;
  for (const std::string& path : paths) {
    Removal removal{path, files_->BeginRemove(path)};
    const std::lock_guard lock(mutex_);
    removals_.push_back(std::move(removal));
  }
  {
    const std::lock_guard lock(mutex_);
    const auto first_ended = std::partition(removals_.begin(), removals_.end(), [](const Removal& removal) { return !removal.batch->done(); });
    ended.assign(std::move_iterator(first_ended), std::move_iterator(removals_.end()));
    removals_.erase(first_ended, removals_.end());
  }
  NoteEnded(ended);
}

void PinnedFiles::WaitForRemovals() {
  std::vector<Removal> removals;
  {
    const std::lock_guard lock(mutex_);
    removals.swap(removals_);
  }
  for (const Removal& removal : removals) removal.batch->Wait();
  NoteEnded(removals);
}

void PinnedFiles::NoteEnded(const std::vector<Removal>& removals) {
  for (const Removal& removal : removals) {
    if (removal.batch->status().ok()) continue;
    HR_LOG(kWarning, kCoins, "a file that is not needed any more stays until the next start path=", removal.path,
           " reason=", removal.batch->status().message());
  }
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
