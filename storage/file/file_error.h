// Turns errno values into sentences that name the file and, where the operator can do something, say what.
//
// Any thread; cold paths only.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace headrace {

// "Cannot <action> <path>: <errno text> ...". `error` is a positive errno value. A full disk is ResourceExhausted, a
// missing file NotFound, a medium that fails DataLoss.
absl::Status FileError(const std::string& action, const std::string& path, int error);

// A read that met the end of the file before its buffer was full.
absl::Status ReadPastEnd(const std::string& path, uint64_t offset, uint64_t size);

}  // namespace headrace
