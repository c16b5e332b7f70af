// How fast and how deep cold reads are: what was read, how much of it at once, and for how long anything was under way.
//
// Any thread. A lock twice a block that lacks something; time is the span recorder's (engine/base/span.h), none without one.
#pragma once

#include <cstdint>
#include <mutex>

#include "engine/ports/coin_store.h"

namespace headrace {

class ColdReadMeter {
 public:
  // Reads that were asked for, of so many pages in all; and those of them that are done, good or not.
  void Begin(uint64_t reads, uint64_t pages);
  void End(uint64_t reads);

  CoinColdReads reads() const;

 private:
  // Counts the time since the last change.
  void Advance();

  mutable std::mutex mutex_;
  CoinColdReads reads_;
  uint64_t in_flight_ = 0;
  int64_t changed_ns_ = 0;
};

}  // namespace headrace
