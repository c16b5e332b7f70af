// Watches another process from outside, through /proc, so that any node is measured by the same means: memory,
// processor time by thread, and how much of the time any of its threads ran.
//
// A thread of its own looks every fifty milliseconds; that costs about a hundredth of a core. The owner's thread starts
// it and takes the result.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>

namespace headrace::bench {

struct ProcessFacts {
  uint64_t rss_bytes_max = 0;
  uint64_t rss_anon_bytes_max = 0;
  // Of threads by name, without the digits at its end; those of a thread's last milliseconds may be missing.
  std::map<std::string, double> cpu_seconds_by_role;
  // Threads that could have run but had no processor.
  double cpu_wait_seconds = 0;
  // Of all looks: a thread ran or could have; none did, but one waited for a disk; all slept. A wait for io_uring
  // counts as sleep, as do waits for peers.
  double share_running = 0;
  double share_disk = 0;
  double share_asleep = 0;
};

class ProcessProbe {
 public:
  explicit ProcessProbe(pid_t pid);
  ~ProcessProbe();

  // Ends the watch. Once.
  ProcessFacts Finish();

 private:
  struct ThreadTimes {
    std::string role;
    uint64_t ran_ns = 0;
    uint64_t waited_ns = 0;
  };

  void Watch();
  void Look();
  void LookAtMemory();

  const std::string folder_;
  std::map<std::string, ThreadTimes> threads_;
  ProcessFacts facts_;
  uint64_t looks_ = 0, running_ = 0, disk_ = 0;

  std::mutex mutex_;
  std::condition_variable stopping_;
  bool is_stopping_ = false;
  std::thread thread_;
};

// Processor seconds of a process so far; 0 when it is gone.
double CpuSecondsOf(pid_t pid);

}  // namespace headrace::bench
