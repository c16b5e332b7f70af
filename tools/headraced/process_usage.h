// What this process has used of the machine. Reads /proc and getrusage; any thread; microseconds.
#pragma once

#include <cstdint>

namespace headrace {

struct ProcessUsage {
  uint64_t resident_bytes = 0;
  uint64_t anonymous_bytes = 0;     // of those (RssAnon)
  uint64_t resident_bytes_max = 0;  // the most there ever was
  double cpu_seconds = 0;           // user and system, all threads
};

ProcessUsage ReadProcessUsage();

// Lets the process open as many files and sockets as its hard limit allows; returns how many that are.
uint64_t RaiseOpenFileLimit();

}  // namespace headrace
