#include "tests/sim/sim_network.h"

#include <algorithm>

#include "tests/sim/sim_transport.h"

namespace headrace::sim {
namespace {

constexpr uint64_t kDripBytesMax = 24;
constexpr int64_t kDripNsMax = 60 * kNsPerMs;
// On a line a chunk is what it carries in so long, and what waits to be carried is at most so much.
constexpr double kLineChunk_s = 0.01;
constexpr double kLineQueue_s = 0.05;
constexpr double kLineChunkBytesMax = 65'536;

}  // namespace

void SimNetwork::StopListening(SimTransport* transport) {
  std::erase_if(listeners_, [&](const auto& listener) { return listener.second == transport; });
}

SimTransport* SimNetwork::ListenerAt(const Address& address) const {
  const auto found = listeners_.find(address);
  return found == listeners_.end() ? nullptr : found->second;
}

bool SimNetwork::IsHostUp(const Address& address) const {
  return std::any_of(listeners_.begin(), listeners_.end(),
                     [&](const auto& listener) { return listener.first.ip == address.ip; });
}

void SimNetwork::Register(const SimConnectionRef& connection) {
  std::erase_if(connections_, [](const auto& known) { return known.expired(); });
  connections_.push_back(connection);
}

bool SimNetwork::IsBlocked(const Address& a, const Address& b) const {
  return !side_.empty() && side_.contains(a.ip) != side_.contains(b.ip);
}

const SimLine* SimNetwork::LineOf(const SimConnection& connection) const {
  if (lines_.empty()) return nullptr;
  for (const SimConnection::End& end : connection.ends) {
    if (const auto found = lines_.find(end.address.ip); found != lines_.end()) return &found->second;
  }
  return nullptr;
}

uint64_t SimNetwork::WindowBytes(const SimConnection& connection) const {
  const SimLine* line = LineOf(connection);
  if (line == nullptr) return options_.window_bytes;
  const double seconds = static_cast<double>(line->one_way_ns) / 1e9 + kLineQueue_s;
  return static_cast<uint64_t>(line->bytes_per_second * seconds) + 1;
}

uint64_t SimNetwork::DrawChunkBytes(const SimConnection& connection) {
  if (const SimLine* line = LineOf(connection)) {
    return static_cast<uint64_t>(std::clamp(line->bytes_per_second * kLineChunk_s, 1.0, kLineChunkBytesMax));
  }
  if (connection.dripping_until_ns > clock_.now_ns()) return 1 + entropy_.Below(kDripBytesMax);
  // Mostly whole buffers, now and then crumbs: every place in a message is cut sooner or later.
  return entropy_.OneIn(4) ? 1 + entropy_.Below(64) : 1 + entropy_.Below(options_.chunk_bytes_max);
}

int64_t SimNetwork::DrawArrivalNs(const SimConnection& connection, SimConnection::Direction& direction, uint64_t bytes) {
  if (const SimLine* line = LineOf(connection)) {
    const auto carrying_ns = static_cast<int64_t>(static_cast<double>(bytes) * 1e9 / line->bytes_per_second);
    return direction.last_arrival_ns = std::max(direction.last_arrival_ns, clock_.now_ns() + line->one_way_ns) + carrying_ns;
  }
  int64_t arrive_ns = std::max(direction.last_arrival_ns, clock_.now_ns() + DrawDelayNs());
  if (connection.dripping_until_ns > clock_.now_ns()) arrive_ns += entropy_.Between(0, kDripNsMax);
  return direction.last_arrival_ns = arrive_ns;
}

SimConnectionRef SimNetwork::ChooseOne() {
  std::vector<SimConnectionRef> alive;
  for (const auto& known : connections_) {
    SimConnectionRef connection = known.lock();
    if (connection != nullptr && connection->ends[0].owner != nullptr && connection->ends[1].owner != nullptr) {
      alive.push_back(std::move(connection));
    }
  }
  return alive.empty() ? nullptr : alive[entropy_.Below(alive.size())];
}

void SimNetwork::WakeBoth(const SimConnection& connection) {
  for (const SimConnection::End& end : connection.ends) {
    if (end.owner != nullptr) end.owner->wakeup().At(clock_.now_ns());
  }
}

void SimNetwork::Partition(const std::set<std::array<uint8_t, 16>>& side) { side_ = side; }

bool SimNetwork::ResetOne() {
  const SimConnectionRef connection = ChooseOne();
  if (connection == nullptr) return false;
  // Each side hears of it in its own time.
  for (SimConnection::Direction& direction : connection->from) direction.reset_ns = clock_.now_ns() + DrawDelayNs();
  WakeBoth(*connection);
  return true;
}

bool SimNetwork::StallOne(int64_t duration_ns) {
  const SimConnectionRef connection = ChooseOne();
  if (connection != nullptr) connection->stalled_until_ns = clock_.now_ns() + duration_ns;
  return connection != nullptr;
}

bool SimNetwork::DripOne(int64_t duration_ns) {
  const SimConnectionRef connection = ChooseOne();
  if (connection != nullptr) connection->dripping_until_ns = clock_.now_ns() + duration_ns;
  return connection != nullptr;
}

void SimNetwork::Heal() {
  side_.clear();
  for (const auto& known : connections_) {
    const SimConnectionRef connection = known.lock();
    if (connection == nullptr) continue;
    connection->stalled_until_ns = 0;
    connection->dripping_until_ns = 0;
    WakeBoth(*connection);
  }
}

}  // namespace headrace::sim
