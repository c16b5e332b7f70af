// Commands on their way from the engine to the reactor: a bounded ring, and on the engine's side what found it full.
//
// The engine bounds what it submits by looking at QueuedBytes; the overhang only bridges the moment until the reactor,
// which never waits for the engine, has drained the ring.
#pragma once

#include <atomic>
#include <deque>
#include <optional>
#include <utility>

#include "engine/base/bounded_ring.h"
#include "engine/ports/doorbell.h"
#include "engine/ports/peer_gateway.h"

namespace headrace {

class CommandQueue {
 public:
  CommandQueue(size_t capacity, Doorbell& engine, Doorbell& reactor)
      : ring_(capacity), engine_(engine), reactor_(reactor) {}

  // Engine thread.
  void Submit(PeerCommand command) {
    if (!overhang_.empty() || !ring_.TryPush(std::move(command))) overhang_.push_back(std::move(command));
  }
  // Moves what waits into the ring and rings for the reactor; true when nothing waits any more.
  bool Flush() {
    while (!overhang_.empty() && ring_.TryPush(std::move(overhang_.front()))) overhang_.pop_front();
    // Set before the bell: the reactor that drains the ring afterwards rings back.
    has_overhang_.store(!overhang_.empty(), std::memory_order_release);
    reactor_.Ring();
    return overhang_.empty();
  }
  bool is_flushed() const { return overhang_.empty(); }

  // Reactor thread.
  std::optional<PeerCommand> Pop() { return ring_.TryPop(); }
  // After the ring was drained: lets the engine send the rest.
  void RingForOverhang() {
    if (has_overhang_.exchange(false, std::memory_order_acq_rel)) engine_.Ring();
  }

 private:
  BoundedRing<PeerCommand> ring_;
  Doorbell& engine_;
  Doorbell& reactor_;
  std::deque<PeerCommand> overhang_;
  std::atomic<bool> has_overhang_{false};
};

}  // namespace headrace
