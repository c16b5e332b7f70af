// What a run leaves behind for whoever reads it afterwards (-summaryfile, -profile): a file that is there whole or not at all.
// One thread.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace headrace {

// Replaces the file at `path`. `what` it is stands in the sentence of a failure: "summary file".
absl::Status WriteReportFile(const std::string& path, const std::string& what, std::string_view text);

}  // namespace headrace
