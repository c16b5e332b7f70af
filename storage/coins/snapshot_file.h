// A file of the whole unspent set in the field's snapshot format, which other nodes load: FORMAT.md has the layout.
//
// It is written beside its name (`.incomplete`), synced and renamed, so that a file of that name is a whole one.
// Whatever fails on the way, nothing stays behind.
//
// Threads: one; the file system writes behind it, a few megabytes at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/coins/pinned_coins.h"
#include "storage/file/file_system.h"

namespace headrace {

class SnapshotFile {
 public:
  SnapshotFile(FileSystem* files, std::string path);
  // Removes what was not finished.
  ~SnapshotFile();
  SnapshotFile(const SnapshotFile&) = delete;
  SnapshotFile& operator=(const SnapshotFile&) = delete;

  // AlreadyExists when there is something of that name, InvalidArgument when no file can be made there.
  absl::Status Create();
  absl::Status Append(std::vector<uint8_t> bytes);
  // The file is there, and durable, when this returns well.
  absl::Status Finish();

 private:
  absl::Status SubmitBuffer();
  absl::Status WaitForWrites(size_t left_max);

  FileSystem* const files_;
  const std::string path_;
  const std::string incomplete_path_;
  FileRef file_;
  uint64_t submitted_ = 0;
  std::vector<uint8_t> buffer_;
  std::deque<FileBatchRef> writes_;
};

// AlreadyExists, with a sentence that says what to do.
absl::Status CheckSnapshotPathIsFree(FileSystem* files, const std::string& path);

// Writes the pinned set. The statistics are those of the coins in the file, hash_serialized among them.
absl::StatusOr<CoinSetStatistics> WriteSnapshotFile(PinnedCoins& coins, const std::string& path,
                                                    const std::atomic<bool>& must_stop);

}  // namespace headrace
