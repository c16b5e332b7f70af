#include "bench/storage/coins/process_figures.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <vector>

namespace headrace::bench {
namespace {

constexpr uint64_t kResidentPage = 4096;

double SecondsOf(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// The number after a line's name; 0 when there is none.
uint64_t NumberIn(const char* path, const std::string& name) {
  std::ifstream stream(path);
  std::string word;
  while (stream >> word) {
    uint64_t number = 0;
    if (word == name && stream >> number) return number;
  }
  return 0;
}

template <typename Visit>
void ForEachFile(const std::string& directory, Visit&& visit) {
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory, error)) {
    if (entry.is_regular_file(error)) visit(entry.path().string());
  }
}

// Pages of the file, and those in the page cache.
void CountResident(int fd, uint64_t size, uint64_t& pages, uint64_t& resident) {
  void* const at = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) return;
  std::vector<unsigned char> is_resident((size + kResidentPage - 1) / kResidentPage);
  if (::mincore(at, size, is_resident.data()) == 0) {
    pages += is_resident.size();
    resident += static_cast<uint64_t>(
        std::count_if(is_resident.begin(), is_resident.end(), [](unsigned char page) { return (page & 1) != 0; }));
  }
  ::munmap(at, size);
}

}  // namespace

double ProcessCpuSeconds() { return SecondsOf(CLOCK_PROCESS_CPUTIME_ID); }
double ThreadCpuSeconds() { return SecondsOf(CLOCK_THREAD_CPUTIME_ID); }

MemoryFigures MemoryOfProcess() {
  return {NumberIn("/proc/self/status", "RssAnon:") << 10, NumberIn("/proc/self/status", "RssFile:") << 10,
          NumberIn("/proc/self/status", "VmHWM:") << 10};
}

uint64_t BytesWrittenByProcess() {
  const uint64_t written = NumberIn("/proc/self/io", "write_bytes:");
  return written - std::min(written, NumberIn("/proc/self/io", "cancelled_write_bytes:"));
}

uint64_t DiskBytesOf(const std::string& directory) {
  uint64_t bytes = 0;
  ForEachFile(directory, [&](const std::string& path) {
    struct stat facts {};
    if (::stat(path.c_str(), &facts) == 0) bytes += static_cast<uint64_t>(facts.st_blocks) * 512;
  });
  return bytes;
}

double DropFromPageCache(const std::string& directory) {
  uint64_t pages = 0;
  uint64_t resident = 0;
  ForEachFile(directory, [&](const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    struct stat facts {};
    // Dirty pages stay, so they are written first.
    if (::fdatasync(fd) == 0 && ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0 && ::fstat(fd, &facts) == 0 &&
        facts.st_size > 0) {
      CountResident(fd, static_cast<uint64_t>(facts.st_size), pages, resident);
    }
    ::close(fd);
  });
  return pages == 0 ? 0 : static_cast<double>(resident) / static_cast<double>(pages);
}

double LoadAverage() {
  double average = 0;
  return ::getloadavg(&average, 1) == 1 ? average : 0;
}

std::string ProcessorName() {
  std::ifstream stream("/proc/cpuinfo");
  std::string line;
  while (std::getline(stream, line)) {
    if (line.starts_with("model name")) return line.substr(std::min(line.find(": ") + 2, line.size()));
  }
  return "unknown processor";
}

}  // namespace headrace::bench
