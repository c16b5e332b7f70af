#include "tests/interruption/kill_moment.h"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>
#include <string_view>

namespace headrace::testing {
namespace {

using TestClock = std::chrono::steady_clock;

// After an event some kills come at once and others a little later, inside whatever the node does next.
constexpr double kJitterSecondsMax = 0.012;
constexpr int kPollMs = 20;

// The time for an event runs from where the node has opened its files, so that a slow machine meets the same moments.
class EventDeadline {
 public:
  EventDeadline(ChildProcess& process, double seconds) : process_(process), seconds_(seconds) {}

  bool HasPassed() {
    if (!has_begun_ && process_.WaitForText("the unspent set begins at", 0)) {
      has_begun_ = true;
      deadline_ =
          TestClock::now() + std::chrono::duration_cast<TestClock::duration>(std::chrono::duration<double>(seconds_));
    }
    return TestClock::now() >= deadline_;
  }

 private:
  ChildProcess& process_;
  const double seconds_;
  bool has_begun_ = false;
  TestClock::time_point deadline_ = TestClock::now() + std::chrono::seconds(30);
};

uint32_t Occurrences(std::string_view text, std::string_view what) {
  uint32_t count = 0;
  for (size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + what.size())) ++count;
  return count;
}

}  // namespace

std::string KillMoment::Description() const {
  const std::string after = "+" + std::to_string(static_cast<int>(delay_s * 1e6)) + "us";
  if (trigger == Trigger::kDelay) return after;
  return (trigger == Trigger::kLogLine ? "log \"" : "file ") + what + (trigger == Trigger::kLogLine ? "\"" : "") +
         " event=" + std::to_string(event_mask) + " #" + std::to_string(occurrence) + " " + after;
}

MomentMenu& MomentMenu::After(double seconds_min, double seconds_max) {
  entries_.push_back({{}, seconds_min, seconds_max});
  return *this;
}

MomentMenu& MomentMenu::AtLogLine(std::string text, uint32_t occurrence_max) {
  entries_.push_back({{KillMoment::Trigger::kLogLine, std::move(text), 0, occurrence_max, 0}, 0, kJitterSecondsMax});
  return *this;
}

MomentMenu& MomentMenu::AtFileEvent(std::string name_begin, uint32_t event_mask, uint32_t occurrence_max) {
  entries_.push_back(
      {{KillMoment::Trigger::kFileEvent, std::move(name_begin), event_mask, occurrence_max, 0}, 0, kJitterSecondsMax});
  return *this;
}

KillMoment MomentMenu::Pick(std::mt19937_64& random) const {
  const Entry& entry = entries_[std::uniform_int_distribution<size_t>(0, entries_.size() - 1)(random)];
  KillMoment moment = entry.moment;
  moment.occurrence = std::uniform_int_distribution<uint32_t>(1, moment.occurrence)(random);
  const double delay_s = std::uniform_real_distribution<double>(entry.seconds_min, entry.seconds_max)(random);
  const bool at_once = moment.trigger != KillMoment::Trigger::kDelay && random() % 2 == 0;
  moment.delay_s = at_once ? 0 : delay_s;
  return moment;
}

DirectoryEvents::DirectoryEvents(const std::vector<std::string>& directories)
    : fd_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  if (fd_ < 0) throw std::runtime_error("cannot watch directories");
  for (const std::string& directory : directories) {
    if (inotify_add_watch(fd_, directory.c_str(), IN_CREATE | IN_MODIFY | IN_MOVED_TO | IN_DELETE) < 0) {
      throw std::runtime_error("cannot watch " + directory);
    }
  }
}

DirectoryEvents::~DirectoryEvents() { close(fd_); }

bool DirectoryEvents::Wait(const KillMoment& moment, ChildProcess& process, double seconds) {
  EventDeadline deadline(process, seconds);
  uint32_t seen = 0;
  while (!deadline.HasPassed()) {
    pollfd ready{fd_, POLLIN, 0};
    poll(&ready, 1, kPollMs);
    alignas(inotify_event) char buffer[16384];
    const ssize_t size = read(fd_, buffer, sizeof(buffer));
    for (ssize_t at = 0; at < size;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      const std::string_view name = event->len != 0 ? event->name : "";
      if ((event->mask & moment.event_mask) == 0 || !name.starts_with(moment.what)) continue;
      if (++seen == moment.occurrence) return true;
    }
    if (size <= 0 && process.WaitForExit(0)) return false;
  }
  return false;
}

bool WaitForMoment(const KillMoment& moment, DirectoryEvents& events, ChildProcess& process, double seconds) {
  bool came = true;
  if (moment.trigger == KillMoment::Trigger::kLogLine) {
    const auto is_said = [&](std::string_view output) { return Occurrences(output, moment.what) >= moment.occurrence; };
    EventDeadline deadline(process, seconds);
    came = false;
    while (!came && !deadline.HasPassed() && !process.WaitForExit(0))
      came = process.WaitForOutput(is_said, kPollMs / 1000.0);
  } else if (moment.trigger == KillMoment::Trigger::kFileEvent) {
    came = events.Wait(moment, process, seconds);
  }
  if (!came) return false;
  return moment.delay_s == 0 || !process.WaitForExit(moment.delay_s);
}

}  // namespace headrace::testing
