// The daemon: everything wired together for one run. Opens the data directory, starts the threads, watches, stops.
//
// Threads made here: the engine's, the network's, the storage thread inside the file system, the executor's workers, and
// one that reads -loadblock files. The calling thread watches: progress, signals, failures.
#pragma once

#include "absl/status/status.h"
#include "tools/headraced/options.h"

namespace headrace {

// Runs until SIGINT, SIGTERM, -stopatheight or a failure. An error is a sentence for the operator.
absl::Status RunDaemon(const DaemonOptions& options);

}  // namespace headrace
