// The peers that the operator named (`-connect`): always wanted, tried again with growing patience.
//
// The first delay is short, so that two nodes started together find each other at once; each failure doubles it up to
// its limit, and a completed handshake resets it. A name with several addresses is tried at each in turn. The reactor
// thread alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "net/discovery/destination.h"
#include "net/transport/transport.h"

namespace headrace {

class ManualPeers {
 public:
  ManualPeers(int64_t delay_min_ns, int64_t delay_max_ns) : delay_min_ns_(delay_min_ns), delay_max_ns_(delay_max_ns) {}

  // `destinations` holds at least one.
  void Add(std::string name, std::vector<Destination> destinations);

  // Calls connect(destination), which returns the new connection, for every peer that is due.
  template <typename Connect>
  void ConnectDue(int64_t now_ns, Connect connect) {
    for (Target& target : targets_) {
      if (target.connection != 0 || now_ns < target.due_ns) continue;
      target.connection = connect(target.destinations[target.next]);
      target.next = (target.next + 1) % target.destinations.size();
    }
  }

  void OnEstablished(ConnectionId connection);
  // True when it was one of these.
  bool OnClosed(ConnectionId connection, int64_t now_ns);

 private:
  struct Target {
    std::string name;
    std::vector<Destination> destinations;
    size_t next = 0;
    ConnectionId connection = 0;
    int64_t due_ns = INT64_MIN;
    int64_t delay_ns = 0;
  };

  const int64_t delay_min_ns_;
  const int64_t delay_max_ns_;
  std::vector<Target> targets_;
};

}  // namespace headrace
