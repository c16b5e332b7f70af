// Events on their way from the reactor to the engine: a bounded ring, and the few that found it full.
//
// The ring is bounded by count and by bytes. What does not fit waits on the reactor's side, which stops reading from
// peers meanwhile; so the overhang is at most what was being received at that moment. Events are numbered, and the queue
// knows how far the engine has come: an event counts as handled when the engine, having taken it, asks for more.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <vector>

#include "engine/base/bounded_ring.h"
#include "engine/ports/doorbell.h"
#include "engine/ports/peer_gateway.h"

namespace headrace {

class EventQueue {
 public:
  // `capacity` is a power of two.
  EventQueue(size_t capacity, uint64_t bytes_max, Doorbell& engine, Doorbell& reactor)
      : ring_(capacity), bytes_max_(bytes_max), engine_(engine), reactor_(reactor) {}

  // Reactor thread. Push never refuses and returns the event's number, from 1; look at is_blocked before reading more.
  uint64_t Push(PeerEvent event);
  bool is_blocked() const { return !waiting_.empty(); }
  // Moves what waits into the ring as far as it goes, and rings for the engine when something is new. True when
  // something moved.
  bool Flush();
  // Events up to this number were handled, and the commands they led to were submitted.
  uint64_t handled() const { return handled_.load(std::memory_order_acquire); }
  // Whether the engine shall ring for the reactor when it takes events. After setting it, look at the queue again.
  void SetReactorWaits(bool waits);

  // Engine thread. `are_commands_queued` says that everything the engine submitted so far is on its way.
  bool Take(std::vector<PeerEvent>& events, size_t events_max, bool are_commands_queued);

 private:
  bool TryPush(PeerEvent& event);

  BoundedRing<PeerEvent> ring_;
  const uint64_t bytes_max_;
  Doorbell& engine_;
  Doorbell& reactor_;

  // Reactor's side.
  std::deque<PeerEvent> waiting_;
  uint64_t pushed_ = 0;
  bool is_engine_to_be_rung_ = false;

  // Engine's side.
  uint64_t taken_ = 0;

  std::atomic<uint64_t> bytes_{0};    // in the ring
  std::atomic<uint64_t> handled_{0};
  std::atomic<bool> reactor_waits_{false};
};

// About how much memory an event holds.
uint64_t EventBytes(const PeerEvent& event);

}  // namespace headrace
