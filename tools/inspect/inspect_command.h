// The command line of headrace-inspect.
//
//   headrace-inspect coins DATADIR [-chain=NAME]    statistics of the unspent set, as JSON
//   headrace-inspect verify DATADIR [-chain=NAME]   every checksum of coins and blocks, a line a file
//
// DATADIR is a network's directory, or a parent of exactly one. Nothing in it is changed, and a node may be running: what
// is read is the last published manifest, pinned when it is opened.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace headrace {

// Returns the exit code: 0, or 1 after an "Error: " sentence on `errors`.
int RunInspect(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& errors);

}  // namespace headrace
