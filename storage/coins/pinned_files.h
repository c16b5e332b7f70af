// Files of the coin store that somebody still reads although no manifest names them any more: their deletion waits for
// the last reader.
//
// The store hands files over here when the manifest that replaced them is durable. Those that nobody has pinned go at
// once, the others when the last of their pins does. Deleting is the storage thread's work: a file of gigabytes takes tenths of a second. What a process leaves behind is deleted at the next start, as is
// every file that no manifest names; a pin is nothing on disk.
//
// Threads: any; a lock for a walk over the names. The file system outlives it.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "storage/file/file_system.h"

namespace headrace {

class PinnedFiles {
 public:
  explicit PinnedFiles(FileSystem* files) : files_(files) {}
  ~PinnedFiles() { WaitForRemovals(); }

  // Counts one more reader of each path.
  void Pin(const std::vector<std::string>& paths);
  // Takes one reader from each, and deletes those that waited for it.
  void Unpin(const std::vector<std::string>& paths);
  // Deletes soon, or when the last reader has gone. A file that cannot be deleted costs space until the next start and no more,
  // so it is a warning.
  void Remove(const std::string& path);
  // Whoever opens the directory next must not meet our deletions.
  void WaitForRemovals();

  size_t pinned_count() const;
  size_t waiting_count() const;

 private:
  // A deletion that was handed over.
  struct Removal {
    std::string path;
    FileBatchRef batch;
  };

  void BeginRemovals(const std::vector<std::string>& paths);
  // Takes what has ended, and tells of failures.
  void NoteEnded(const std::vector<Removal>& removals);

  FileSystem* const files_;
  mutable std::mutex mutex_;
  std::map<std::string, size_t> readers_;
  std::set<std::string> waiting_;
  std::vector<Removal> removals_;
};

}  // namespace headrace
