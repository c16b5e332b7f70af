#include "tools/headraced/process_usage.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace headrace {

ProcessUsage ReadProcessUsage() {
  ProcessUsage usage;
  uint64_t pages_total = 0;
  uint64_t pages_resident = 0;
  uint64_t pages_of_files = 0;
  std::ifstream("/proc/self/statm") >> pages_total >> pages_resident >> pages_of_files;
  const auto page_bytes = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  usage.resident_bytes = pages_resident * page_bytes;
  usage.anonymous_bytes = (pages_resident - std::min(pages_resident, pages_of_files)) * page_bytes;
  rusage used{};
  if (getrusage(RUSAGE_SELF, &used) == 0) {
    auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; };
    usage.cpu_seconds = seconds(used.ru_utime) + seconds(used.ru_stime);
    usage.resident_bytes_max = static_cast<uint64_t>(used.ru_maxrss) * 1024;
  }
  usage.resident_bytes_max = std::max(usage.resident_bytes_max, usage.resident_bytes);
  return usage;
}

uint64_t RaiseOpenFileLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  if (limit.rlim_cur < limit.rlim_max) {
    const rlimit raised{limit.rlim_max, limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  return limit.rlim_cur;
}

}  // namespace headrace
