// blocks/rescan.dat: from here on the block files hold blocks that the index may not name yet.
//
// It is made durable before the first of those blocks joins the index and removed after the last one has, so that a
// rebuild that is killed, whatever the index says by then, goes on at the next start instead of passing for a whole
// one. A mark that cannot be read counts as one at the beginning: looking at every block again is slow and never wrong.
//
// The thread that opens the store, later the engine thread. A file write and three syncs a change.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/blocks/frame.h"
#include "storage/file/file_system.h"

namespace headrace {

class RescanMark {
 public:
  RescanMark(FileSystem& files, std::string directory, NetworkMagic magic);

  // Nothing when there is no mark.
  absl::StatusOr<std::optional<FrameExtent>> Read() const;
  // Durable when it returns. The directory exists.
  absl::Status Write(FrameExtent from) const;
  absl::Status Clear() const;

 private:
  FileSystem& files_;
  const std::string directory_;
  const std::string path_;
  const NetworkMagic magic_;
};

}  // namespace headrace
