#include "net/peer/peer_table.h"

#include <algorithm>

namespace headrace {

std::shared_ptr<PeerCounters> PeerTable::Add(const PeerInfo& info, int64_t connected_at_s) {
  auto counters = std::make_shared<PeerCounters>();
  const std::lock_guard lock(mutex_);
  entries_[info.id] = {info, false, connected_at_s, counters};
  return counters;
}

void PeerTable::SetIntroduced(const PeerInfo& info) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[info.id];
  entry.info = info;
  entry.is_handshake_complete = true;
}

void PeerTable::Remove(PeerId peer) {
  const std::lock_guard lock(mutex_);
  entries_.erase(peer);
}

void PeerTable::CountReceived(PeerCounters& peer, uint64_t bytes) {
  peer.bytes_received.fetch_add(bytes, std::memory_order_relaxed);
  total_received_.fetch_add(bytes, std::memory_order_relaxed);
}

void PeerTable::CountSent(PeerCounters& peer, uint64_t bytes) {
  peer.bytes_sent.fetch_add(bytes, std::memory_order_relaxed);
  peer.queued_bytes.fetch_sub(bytes, std::memory_order_relaxed);
  total_sent_.fetch_add(bytes, std::memory_order_relaxed);
}

uint64_t PeerTable::QueuedBytes(PeerId peer) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(peer);
  return found == entries_.end() ? 0 : found->second.counters->queued_bytes.load(std::memory_order_relaxed);
}

uint64_t PeerTable::ReceivedBytes(PeerId peer) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(peer);
  return found == entries_.end() ? 0 : found->second.counters->bytes_received.load(std::memory_order_relaxed);
}

void PeerTable::AddQueued(PeerId peer, uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(peer);
  if (found != entries_.end()) found->second.counters->queued_bytes.fetch_add(bytes, std::memory_order_relaxed);
}

std::vector<PeerStatusNet> PeerTable::Snapshot() const {
  std::vector<PeerStatusNet> result;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, entry] : entries_) {
      const PeerCounters& counters = *entry.counters;
      result.push_back({entry.info, entry.is_handshake_complete, entry.connected_at_s,
                        counters.bytes_received.load(std::memory_order_relaxed),
                        counters.bytes_sent.load(std::memory_order_relaxed),
                        counters.messages_received.load(std::memory_order_relaxed),
                        counters.messages_sent.load(std::memory_order_relaxed),
                        counters.queued_bytes.load(std::memory_order_relaxed),
                        counters.ping_ns.load(std::memory_order_relaxed),
                        counters.ping_min_ns.load(std::memory_order_relaxed)});
    }
  }
  std::sort(result.begin(), result.end(), [](const auto& a, const auto& b) { return a.info.id < b.info.id; });
  return result;
}

NetTotals PeerTable::totals() const {
  return {total_received_.load(std::memory_order_relaxed), total_sent_.load(std::memory_order_relaxed)};
}

}  // namespace headrace
