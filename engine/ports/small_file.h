// A file of a few megabytes at most that is read once and written as a whole: what a node remembers for its own convenience
// (the address book), not what it answers for.
//
// Whoever has such a file is not in the folder that opens files: this is what it sees of it. Calls block for a disk; one
// thread at a time, never the reactor's or the engine's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/bytes.h"

namespace headrace {

class SmallFile {
 public:
  virtual ~SmallFile() = default;

  // For sentences to the operator.
  virtual const std::string& path() const = 0;
  // What was written last, whole and unchanged; nothing when there is no file. Anything else is a status: DataLoss when the
  // bytes are not what was written, FailedPrecondition when another program or network wrote them.
  virtual absl::StatusOr<std::optional<std::vector<uint8_t>>> Read() = 0;
  // Durable when it returns; until then, and when it fails, the file is what it was.
  virtual absl::Status Replace(ByteSpan content) = 0;
  // Gives the file another name, which is returned: the next Read finds nothing, and nothing is lost.
  virtual absl::StatusOr<std::string> KeepAside() = 0;
};

}  // namespace headrace
