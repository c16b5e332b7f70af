// The NameLookup port over c-ares, on a thread of its own, which owns the channel and its sockets.
//
// A question is given up after two attempts of three seconds with each server, so an answer comes within half a minute whatever
// servers do. Only DNS is asked (no hosts file), A and AAAA records both. Destruction ends what is under way, in at most a
// tenth of a second.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/ports/doorbell.h"
#include "net/discovery/name_lookup.h"

struct ares_channeldata;

namespace headrace {

class AresLookup final : public NameLookup {
 public:
  // `servers`: who is asked instead of the system's servers, if any are named. The bell outlives this.
  static absl::StatusOr<std::unique_ptr<AresLookup>> Open(const std::vector<Address>& servers, Doorbell& reactor);
  ~AresLookup() override;

  void Ask(const std::string& name) override;
  std::vector<NameAnswer> TakeAnswers() override;

 private:
  AresLookup(ares_channeldata* channel, Doorbell& reactor) : channel_(channel), reactor_(reactor) {}
  void Run();
  // Waits for sockets, or a moment, and lets c-ares look at them.
  void Turn();
  void Begin(const std::string& name);
  void Answer(NameAnswer answer);

  ares_channeldata* const channel_;
  Doorbell& reactor_;
  size_t under_way_ = 0;  // the thread's own

  std::mutex mutex_;
  std::condition_variable asked_;
  std::deque<std::string> questions_;
  std::vector<NameAnswer> answers_;
  bool must_stop_ = false;
  std::atomic<bool> has_answers_{false};
  std::thread thread_;
};

}  // namespace headrace
