#include "tools/config/machine_facts.h"

#include <pwd.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>

namespace headrace {
namespace {

uint64_t AvailableFromMeminfo() {
  std::ifstream meminfo("/proc/meminfo");
  std::string name;
  while (meminfo >> name) {
    uint64_t kib = 0;
    meminfo >> kib;
    if (name == "MemAvailable:") return kib * 1024;
    meminfo.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return 0;
}

// A number in a control group's file; `otherwise` for "max" and where there is no such file.
uint64_t ControlGroupNumber(const char* path, uint64_t otherwise) {
  std::ifstream file(path);
  uint64_t number = 0;
  return file >> number ? number : otherwise;
}

uint64_t AvailableInControlGroup() {
  constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();
  const uint64_t limit = ControlGroupNumber("/sys/fs/cgroup/memory.max", kNoLimit);
  if (limit == kNoLimit) return kNoLimit;
  const uint64_t used = ControlGroupNumber("/sys/fs/cgroup/memory.current", 0);
  return limit > used ? limit - used : 0;
}

}  // namespace

MachineFacts ReadMachineFacts() {
  MachineFacts facts;
  facts.available_memory_bytes = std::min(AvailableFromMeminfo(), AvailableInControlGroup());
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof(cores), &cores) == 0) facts.cores = std::max(1, CPU_COUNT(&cores));
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') {
    facts.home_directory = home;
  } else if (const passwd* entry = getpwuid(getuid()); entry != nullptr) {
    facts.home_directory = entry->pw_dir;
  }
  return facts;
}

}  // namespace headrace
