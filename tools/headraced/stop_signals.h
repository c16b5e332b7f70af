// SIGINT and SIGTERM ask for a clean stop; SIGHUP asks for a new log file. What would end the
// process without a word (SIGPIPE, SIGXFSZ) is ignored. Installed once a process.
#pragma once

namespace headrace {

void InstallStopSignals();
bool StopWasRequested();
// The same as a signal. Any thread.
void RequestStop();
// True once for every SIGHUP (several before a look count as one).
bool TakeLogReopenRequest();

}  // namespace headrace
