// When a node is killed: after a while, when its log says something, or when a file of its directory is made, written,
// renamed or deleted. Blind delays seldom hit the few milliseconds that matter; events hit them nearly always.
//
// One test thread. A moment is data, so that a failure can print which one it was.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "tests/support/process.h"

namespace headrace::testing {

struct KillMoment {
  enum class Trigger : uint8_t { kDelay, kLogLine, kFileEvent };
  Trigger trigger = Trigger::kDelay;
  std::string what;         // text of the log line, or what the file's name begins with
  uint32_t event_mask = 0;  // of inotify
  uint32_t occurrence = 1;  // the first, the second, ...
  double delay_s = 0;       // after that

  std::string Description() const;
};

// What may be picked, with equal chances. Numbers are drawn from `random` alone: the seed decides.
class MomentMenu {
 public:
  MomentMenu& After(double seconds_min, double seconds_max);
  MomentMenu& AtLogLine(std::string text, uint32_t occurrence_max = 1);
  MomentMenu& AtFileEvent(std::string name_begin, uint32_t event_mask, uint32_t occurrence_max = 1);

  KillMoment Pick(std::mt19937_64& random) const;

 private:
  struct Entry {
    KillMoment moment;
    double seconds_min = 0;
    double seconds_max = 0;
  };
  std::vector<Entry> entries_;
};

// Watches directories, which must exist. Made before the process starts, so that no event of its is missed.
class DirectoryEvents {
 public:
  explicit DirectoryEvents(const std::vector<std::string>& directories);
  ~DirectoryEvents();
  DirectoryEvents(const DirectoryEvents&) = delete;
  DirectoryEvents& operator=(const DirectoryEvents&) = delete;

  // True when the event came; false when the process ended or time was up first.
  bool Wait(const KillMoment& moment, ChildProcess& process, double seconds);

 private:
  int fd_ = -1;
};

// Waits for the moment and its delay; `seconds` run from where the node has opened its files. False when the process
// ended before it came, or when it did not come in time: the process then still runs, and may be killed where it is.
bool WaitForMoment(const KillMoment& moment, DirectoryEvents& events, ChildProcess& process, double seconds);

}  // namespace headrace::testing
