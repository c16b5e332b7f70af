#include "net/peer/manual_peers.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/log.h"

namespace headrace {

void ManualPeers::Add(std::string name, std::vector<Destination> destinations) {
  HR_CHECK(!destinations.empty());
  targets_.push_back({std::move(name), std::move(destinations), 0, 0, INT64_MIN, delay_min_ns_});
}

void ManualPeers::OnEstablished(ConnectionId connection) {
  for (Target& target : targets_) {
    if (target.connection == connection) target.delay_ns = delay_min_ns_;
  }
}

bool ManualPeers::OnClosed(ConnectionId connection, int64_t now_ns) {
  for (Target& target : targets_) {
    if (target.connection != connection) continue;
    HR_LOG(kInfo, kNet, "peer will be tried again name=", target.name, " delay_ms=", target.delay_ns / 1'000'000);
    target.connection = 0;
    target.due_ns = now_ns + target.delay_ns;
    target.delay_ns = std::min(target.delay_ns * 2, delay_max_ns_);
    return true;
  }
  return false;
}

}  // namespace headrace
