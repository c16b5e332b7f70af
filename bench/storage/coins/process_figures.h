// What the kernel says of this process and of files: processor time, memory, bytes written, space taken.
//
// Any thread; each call reads a file of /proc or asks the kernel once.
#pragma once

#include <cstdint>
#include <string>

namespace headrace::bench {

// Of all threads of the process, ended ones included; of the calling thread.
double ProcessCpuSeconds();
double ThreadCpuSeconds();

struct MemoryFigures {
  uint64_t anonymous_bytes = 0;  // RssAnon
  uint64_t file_bytes = 0;       // RssFile: mapped files
  uint64_t peak_bytes = 0;       // VmHWM: both, at most so far
};
MemoryFigures MemoryOfProcess();

// Handed to the block layer by this process and its kernel threads, less what was taken back by deleting files before
// it was written.
uint64_t BytesWrittenByProcess();

// What the files of a directory take on the disk: holes do not count.
uint64_t DiskBytesOf(const std::string& directory);
// Makes the files' pages leave the page cache, as far as nobody maps them; returns the share that is there still.
double DropFromPageCache(const std::string& directory);

// The machine's one-minute load average.
double LoadAverage();
std::string ProcessorName();

}  // namespace headrace::bench
