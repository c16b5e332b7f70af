// The wires of a simulated world: who is reachable where, how long bytes are under way, and what goes wrong with them.
//
// A connection is a pair of ends, each owned by a transport, and two directions of chunks under way. Chunks keep their
// order and are cut at random; a direction takes no more than its window. Faults are per connection (reset, stall,
// drip), per pair of hosts (partition), or follow from a host that loses power: its ends are silent, and the other side
// learns of it only when it sends to a host that is up again. One thread; the world turns the transports, the network
// itself has no turn.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "engine/base/slab.h"
#include "net/transport/transport.h"
#include "tests/sim/sim_clock.h"
#include "tests/sim/sim_entropy.h"

namespace headrace::sim {

class SimTransport;

struct SimNetworkOptions {
  int64_t delay_min_ns = 1 * kNsPerMs;
  int64_t delay_max_ns = 50 * kNsPerMs;
  uint64_t chunk_bytes_max = 4096;
  // Bytes under way in one direction.
  uint64_t window_bytes = 64 << 10;
};

struct SimConnection {
  struct Chunk {
    std::vector<uint8_t> bytes;
    int64_t arrive_ns;
  };

  // What an end has said and the other has not taken.
  struct Direction {
    std::deque<Chunk> under_way;
    uint64_t bytes_under_way = 0;
    int64_t last_arrival_ns = 0;
    int64_t end_of_stream_ns = INT64_MAX;
    int64_t reset_ns = INT64_MAX;
  };

  struct End {
    SimTransport* owner = nullptr;  // null: not accepted yet, or gone
    ConnectionId id = 0;
    Address address;
    bool is_silent = false;  // gone without a word

    std::deque<SharedBytes> send_queue;
    uint64_t send_queue_bytes = 0;
    size_t sent_of_first = 0;
    std::vector<uint8_t> arrived;  // taken off the wire, not yet consumed
    size_t consumed = 0;

    bool is_connecting = false;
    int64_t connect_ns = 0;
    bool is_paused = false;
    bool is_draining = false;
    bool is_aborting = false;
    bool is_end_sent = false;
    bool is_end_received = false;
    bool is_end_told = false;
  };

  std::array<End, 2> ends;  // who connected, who accepted
  std::array<Direction, 2> from;
  int64_t stalled_until_ns = 0;
  int64_t dripping_until_ns = 0;
};
using SimConnectionRef = std::shared_ptr<SimConnection>;

// The line that a host is reached over, where it is to be like one: bytes follow one another at its rate and arrive in order.
struct SimLine {
  double bytes_per_second = 0;
  int64_t one_way_ns = 0;
};

class SimNetwork {
 public:
  SimNetwork(SimEntropy entropy, SimClock& clock, const SimNetworkOptions& options)
      : entropy_(entropy), clock_(clock), options_(options) {}

  // Transports. An address has at most one listener.
  bool Listen(const Address& address, SimTransport* transport) { return listeners_.emplace(address, transport).second; }
  void StopListening(SimTransport* transport);
  SimTransport* ListenerAt(const Address& address) const;
  bool IsHostUp(const Address& address) const;
  void Register(const SimConnectionRef& connection);

  bool IsBlocked(const SimConnection& connection) const {
    return IsBlocked(connection.ends[0].address, connection.ends[1].address);
  }
  bool IsBlocked(const Address& a, const Address& b) const;
  int64_t DrawDelayNs() { return entropy_.Between(options_.delay_min_ns, options_.delay_max_ns); }
  // How many bytes the next chunk takes, and when it arrives; the direction remembers.
  uint64_t DrawChunkBytes(const SimConnection& connection);
  int64_t DrawArrivalNs(const SimConnection& connection, SimConnection::Direction& direction, uint64_t bytes);
  // How much may be under way in one direction: on a line what it holds, and a little behind it.
  uint64_t WindowBytes(const SimConnection& connection) const;
  SimEntropy& entropy() { return entropy_; }

  // From now on everything from and to this host goes over such a line; what is under way already is not changed.
  void SetLine(const Address& host, const SimLine& line) { lines_[host.ip] = line; }

  // Faults. Those that name no connection choose one; false when there is none.
  void Partition(const std::set<std::array<uint8_t, 16>>& side);
  bool is_partitioned() const { return !side_.empty(); }
  bool ResetOne();
  bool StallOne(int64_t duration_ns);
  bool DripOne(int64_t duration_ns);
  // Everything flows again.
  void Heal();

  size_t connection_count() const { return connections_.size(); }

 private:
  const SimLine* LineOf(const SimConnection& connection) const;
  SimConnectionRef ChooseOne();
  void WakeBoth(const SimConnection& connection);

  SimEntropy entropy_;
  SimClock& clock_;
  const SimNetworkOptions options_;
  std::map<Address, SimTransport*> listeners_;
  std::vector<std::weak_ptr<SimConnection>> connections_;
  std::map<std::array<uint8_t, 16>, SimLine> lines_;
  std::set<std::array<uint8_t, 16>> side_;  // a partition cuts these hosts from all others
};

}  // namespace headrace::sim
