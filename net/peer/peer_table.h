// What other threads may know about peers: counters, and how much waits to be sent to each.
//
// The reactor adds and removes peers and writes counters; any thread reads. A mutex guards the list alone: it is taken
// once per connection, per served block and per snapshot, never per byte. Counters are relaxed atomics: each is exact,
// a snapshot of several is not one moment.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "engine/ports/peer_gateway.h"

namespace headrace {

struct PeerCounters {
  std::atomic<uint64_t> bytes_received{0};
  std::atomic<uint64_t> bytes_sent{0};
  std::atomic<uint64_t> messages_received{0};
  std::atomic<uint64_t> messages_sent{0};
  std::atomic<uint64_t> queued_bytes{0};
  std::atomic<int64_t> ping_ns{-1};      // the last round trip
  std::atomic<int64_t> ping_min_ns{-1};
};
static_assert(std::atomic<uint64_t>::is_always_lock_free);

struct PeerStatusNet {
  PeerInfo info;  // before the handshake is complete: id, direction and address only
  bool is_handshake_complete = false;
  int64_t connected_at_s = 0;
  uint64_t bytes_received = 0;
  uint64_t bytes_sent = 0;
  uint64_t messages_received = 0;
  uint64_t messages_sent = 0;
  uint64_t queued_bytes = 0;
  int64_t ping_ns = -1;
  int64_t ping_min_ns = -1;
};

struct NetTotals {
  uint64_t bytes_received = 0;
  uint64_t bytes_sent = 0;
};

class PeerTable {
 public:
  // Reactor thread.
  std::shared_ptr<PeerCounters> Add(const PeerInfo& info, int64_t connected_at_s);
  void SetIntroduced(const PeerInfo& info);
  void Remove(PeerId peer);
  void CountReceived(PeerCounters& peer, uint64_t bytes);
  void CountSent(PeerCounters& peer, uint64_t bytes);

  // Any thread. Unknown peers have nothing queued and sent nothing, and what is added to them is dropped.
  uint64_t QueuedBytes(PeerId peer) const;
  uint64_t ReceivedBytes(PeerId peer) const;
  void AddQueued(PeerId peer, uint64_t bytes);
  // By id, ascending.
  std::vector<PeerStatusNet> Snapshot() const;
  NetTotals totals() const;

 private:
  struct Entry {
    PeerInfo info;
    bool is_handshake_complete = false;
    int64_t connected_at_s = 0;
    std::shared_ptr<PeerCounters> counters;
  };

  mutable std::mutex mutex_;
  absl::flat_hash_map<PeerId, Entry> entries_;
  std::atomic<uint64_t> total_received_{0};
  std::atomic<uint64_t> total_sent_{0};
};

}  // namespace headrace
