// When the coin store is scrubbed (engine/ports/coin_store.h): a round now and then, a piece at a time, while the node
// stands at the tip and has nothing better to do. The first comes an hour after the start, so that a node that is
// started often is scrubbed as well, and one that is only looked at is left alone.
//
// Threads: the engine's. A turn costs nothing unless a piece is due.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "engine/ports/coin_store.h"

namespace headrace {

class ScrubRounds {
 public:
  // A round begins so long after the one before began; zero: there are none.
  ScrubRounds(CoinStore& coins, int64_t interval_ns) : coins_(coins), interval_ns_(interval_ns) {}

  // What does not hold is the Status: the node stops with it.
  absl::Status Step(int64_t now_ns, bool is_idle);

 private:
  CoinStore& coins_;
  const int64_t interval_ns_;
  int64_t next_round_ns_ = 0;  // 0: the clock was not looked at yet
  int64_t next_piece_ns_ = 0;
};

}  // namespace headrace
