// How much may still be sent (-maxuploadtarget): what was sent within the last 24 hours, in slices of ten minutes,
// against a target. Near the target blocks older than a week are not served any more, which are most of what a node
// sends; new blocks always are, and so 144 of the largest are kept back for them. The target is therefore aimed at, and
// no promise.
//
// The reactor counts; any thread asks. A mutex, taken once per completed send and per question.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>

#include "engine/ports/clock.h"

namespace headrace {

class UploadTarget {
 public:
  static constexpr int64_t kWindowSeconds = 24 * 3600;
  static constexpr int64_t kSliceSeconds = 600;
  // What a day's blocks may take at the most.
  static constexpr uint64_t kReserveBytes = uint64_t{144} * 4'000'000;

  struct Facts {
    uint64_t target_bytes = 0;  // 0: there is none
    bool is_reached = false;
    bool serves_history = true;
    uint64_t bytes_left = 0;   // until the target
    int64_t seconds_left = 0;  // until the oldest slice with anything in it counts no more; 0 without a target
  };

  // 0: no target.
  UploadTarget(uint64_t target_bytes, Clock& clock);

  // Reactor thread.
  void Count(uint64_t bytes);

  // Any thread.
  bool MaySendHistory() const;
  Facts facts() const;

 private:
  // One more than a day has, so that nothing is forgotten before its time.
  static constexpr size_t kSlices = kWindowSeconds / kSliceSeconds + 1;

  // Forgets what is older than the window. Under the lock, as all below.
  void MoveOn(int64_t slice) const;
  int64_t NowSlice() const;

  const uint64_t target_bytes_;
  Clock& clock_;

  mutable std::mutex mutex_;
  mutable std::array<uint64_t, kSlices> slices_{};  // by number of the slice, modulo their count
  mutable int64_t last_slice_ = 0;
  mutable uint64_t sent_ = 0;  // the sum of all slices
};

}  // namespace headrace
