#include "tests/sim/sim_transport.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"

namespace headrace::sim {
namespace {

// What one connection gets done in one step.
constexpr int kDeliveriesPerStep = 8;
constexpr int kChunksPerStep = 16;
// A connection over which nothing flows is looked at again after this long.
constexpr int64_t kLookAgainNs = 50 * kNsPerMs;

}  // namespace

absl::StatusOr<Address> SimTransport::Listen(const Address& address) {
  if (network_.Listen(address, this)) return address;
  return absl::UnavailableError(absl::StrCat("Cannot listen on ", address.ToString(), ": address already in use."));
}

SimConnection::End* SimTransport::Find(ConnectionId id) const {
  const auto found = ends_.find(id);
  return found == ends_.end() ? nullptr : &found->second.end();
}

ConnectionId SimTransport::Add(const SimConnectionRef& connection, int side) {
  SimConnection::End& end = connection->ends[static_cast<size_t>(side)];
  end.owner = this;
  end.id = ++last_id_;
  ends_.emplace(end.id, Place{connection, side});
  wakeup_.At(clock_.now_ns());
  return end.id;
}

ConnectionId SimTransport::Connect(const Address& remote) {
  auto connection = std::make_shared<SimConnection>();
  connection->ends[0].address = host_;
  connection->ends[0].address.port = ++last_port_;
  connection->ends[1].address = remote;
  connection->ends[0].is_connecting = true;
  connection->ends[0].connect_ns = clock_.now_ns() + 2 * network_.DrawDelayNs();
  network_.Register(connection);
  return Add(connection, 0);
}

void SimTransport::Send(ConnectionId id, SharedBytes bytes) {
  SimConnection::End* end = Find(id);
  if (end == nullptr || end->is_draining || end->is_aborting || bytes.bytes.empty()) return;
  end->send_queue_bytes += bytes.bytes.size();
  end->send_queue.push_back(std::move(bytes));
  wakeup_.At(clock_.now_ns());
}

uint64_t SimTransport::QueuedBytes(ConnectionId id) const {
  const SimConnection::End* end = Find(id);
  return end == nullptr ? 0 : end->send_queue_bytes;
}

void SimTransport::PauseReceive(ConnectionId id) {
  if (SimConnection::End* end = Find(id)) end->is_paused = true;
}

void SimTransport::ResumeReceive(ConnectionId id) {
  if (SimConnection::End* end = Find(id)) end->is_paused = false;
  wakeup_.At(clock_.now_ns());
}

void SimTransport::Close(ConnectionId id, CloseMode mode) {
  SimConnection::End* end = Find(id);
  if (end == nullptr || end->is_aborting) return;
  if (mode == CloseMode::kAbort || end->is_connecting) {
    end->is_aborting = true;
  } else {
    end->is_draining = true;
  }
  end->arrived.clear();
  end->consumed = 0;
  wakeup_.At(clock_.now_ns());
}

void SimTransport::WakeOther(const Place& place, int64_t when_ns) {
  if (place.other().owner != nullptr) place.other().owner->wakeup_.At(when_ns);
}

void SimTransport::Step(int64_t) {
  for (const SimConnectionRef& connection : std::exchange(to_accept_, {})) {
    if (connection->ends[0].owner == nullptr) continue;
    const ConnectionId id = Add(connection, 1);
    handler_->OnAccepted(id, connection->ends[0].address, connection->ends[1].address);
  }
  std::vector<ConnectionId> ids;
  for (const auto& [id, place] : ends_) ids.push_back(id);
  for (size_t i = ids.size(); i > 1; --i) std::swap(ids[i - 1], ids[network_.entropy().Below(i)]);
  for (const ConnectionId id : ids) {
    const auto found = ends_.find(id);
    if (found == ends_.end()) continue;
    // A copy: the connection may go while it is worked on.
    const Place place = found->second;
    Advance(place);
  }
}

void SimTransport::Advance(const Place& place) {
  SimConnection::End& end = place.end();
  if (!end.is_aborting && place.incoming().reset_ns <= clock_.now_ns()) {
    return Finish(place, end.is_draining ? CloseReason::kLocal : CloseReason::kReset, ECONNRESET);
  }
  if (!end.is_aborting && end.is_connecting) FinishConnecting(place);
  // The handler may have closed it in between, or connecting have failed.
  if (!ends_.contains(end.id)) return;
  if (!end.is_aborting && !end.is_connecting) {
    MoveOut(place);
    TakeArrived(place);
    if (!end.is_draining) Deliver(place);
    if (end.is_draining && end.is_end_sent && end.is_end_received) end.is_aborting = true;
  }
  if (!end.is_aborting) return;
  SendReset(place);
  Finish(place, CloseReason::kLocal, 0);
}

void SimTransport::FinishConnecting(const Place& place) {
  SimConnection::End& end = place.end();
  // A packet into a partition is simply lost; the kernel would try again for minutes.
  if (clock_.now_ns() < end.connect_ns || network_.IsBlocked(*place.connection)) return;
  SimTransport* listener = network_.ListenerAt(place.other().address);
  if (listener == nullptr) return Finish(place, CloseReason::kConnectFailed, ECONNREFUSED);
  listener->to_accept_.push_back(place.connection);
  listener->wakeup_.At(clock_.now_ns());
  end.is_connecting = false;
  handler_->OnConnected(end.id);
}

void SimTransport::MoveOut(const Place& place) {
  SimConnection::End& end = place.end();
  SimConnection::Direction& out = place.outgoing();
  if (place.other().owner == nullptr && place.other().id != 0 && !end.send_queue.empty()) {
    // Nobody is there. A host that is up says so; one without power says nothing.
    if (network_.IsHostUp(place.other().address) && place.incoming().reset_ns == INT64_MAX) {
      place.incoming().reset_ns = clock_.now_ns() + network_.DrawDelayNs();
    }
  }
  for (int i = 0; i < kChunksPerStep && !end.send_queue.empty() && out.bytes_under_way < network_.WindowBytes(*place.connection); ++i) {
    const ByteSpan rest = end.send_queue.front().bytes.subspan(end.sent_of_first);
    const uint64_t size = std::min<uint64_t>(rest.size(), network_.DrawChunkBytes(*place.connection));
    const int64_t arrive_ns = network_.DrawArrivalNs(*place.connection, out, size);
    out.under_way.push_back({{rest.begin(), rest.begin() + static_cast<ptrdiff_t>(size)}, arrive_ns});
    out.bytes_under_way += size;
    end.sent_of_first += size;
    end.send_queue_bytes -= size;
    if (end.sent_of_first == end.send_queue.front().bytes.size()) {
      end.send_queue.pop_front();
      end.sent_of_first = 0;
    }
    WakeOther(place, arrive_ns);
    handler_->OnSent(end.id, size);
    if (end.is_aborting) return;
  }
  if (end.is_draining && end.send_queue.empty() && !end.is_end_sent) {
    end.is_end_sent = true;
    out.end_of_stream_ns = network_.DrawArrivalNs(*place.connection, out, 0);
    WakeOther(place, out.end_of_stream_ns);
  }
}

void SimTransport::TakeArrived(const Place& place) {
  SimConnection::End& end = place.end();
  SimConnection::Direction& in = place.incoming();
  if (network_.IsBlocked(*place.connection) || place.connection->stalled_until_ns > clock_.now_ns()) return;
  bool any = false;
  while (!in.under_way.empty() && in.under_way.front().arrive_ns <= clock_.now_ns()) {
    // A receiver that does not read leaves the bytes on the wire, and the window closes.
    if (end.is_paused && end.arrived.size() - end.consumed > network_.WindowBytes(*place.connection)) break;
    const std::vector<uint8_t>& bytes = in.under_way.front().bytes;
    if (!end.is_draining) end.arrived.insert(end.arrived.end(), bytes.begin(), bytes.end());
    in.bytes_under_way -= bytes.size();
    in.under_way.pop_front();
    any = true;
  }
  if (in.under_way.empty() && in.end_of_stream_ns <= clock_.now_ns()) end.is_end_received = true;
  if (any) WakeOther(place, clock_.now_ns());
}

void SimTransport::Deliver(const Place& place) {
  SimConnection::End& end = place.end();
  for (int i = 0; i < kDeliveriesPerStep && end.consumed < end.arrived.size(); ++i) {
    if (end.is_paused || end.is_draining || end.is_aborting) return;
    const ByteSpan waiting = ByteSpan(end.arrived).subspan(end.consumed);
    const ReceiveTarget target = handler_->NextTarget(end.id);
    if (!target.memory.empty()) {
      const size_t size = std::min(target.memory.size(), waiting.size());
      std::copy_n(waiting.begin(), size, target.memory.begin());
      end.consumed += size;
      handler_->OnReceivedDirect(end.id, size);
      continue;
    }
    // The handler may not keep the bytes, and what it does not take is given again.
    const size_t size = network_.entropy().OneIn(3) ? 1 + network_.entropy().Below(waiting.size()) : waiting.size();
    const std::vector<uint8_t> lent(waiting.begin(), waiting.begin() + static_cast<ptrdiff_t>(size));
    const size_t taken = handler_->OnReceived(end.id, lent);
    if (end.is_draining || end.is_aborting) return;
    HR_CHECK(taken == size || (taken < size && end.is_paused));
    end.consumed += taken;
  }
  if (end.consumed < end.arrived.size()) return wakeup_.At(clock_.now_ns());
  end.arrived.clear();
  end.consumed = 0;
  if (end.is_end_received && !end.is_end_told && !end.is_paused) {
    end.is_end_told = true;
    handler_->OnEndOfStream(end.id);
  }
}

void SimTransport::SendReset(const Place& place) {
  if (place.outgoing().reset_ns != INT64_MAX || place.other().owner == nullptr) return;
  // After an orderly end there is nothing left to say; else a reset overtakes what is still under way.
  if (place.end().is_end_sent && place.end().is_end_received) return;
  place.outgoing().reset_ns = clock_.now_ns() + network_.DrawDelayNs();
  WakeOther(place, place.outgoing().reset_ns);
}

void SimTransport::Finish(const Place& place, CloseReason reason, int error) {
  const ConnectionId id = place.end().id;
  place.end().owner = nullptr;
  place.end().send_queue.clear();
  ends_.erase(id);
  handler_->OnClosed(id, reason, error);
}

int64_t SimTransport::NextDueNs() const {
  if (!to_accept_.empty()) return clock_.now_ns();
  int64_t due_ns = INT64_MAX;
  for (const auto& [id, place] : ends_) {
    const SimConnection::End& end = place.end();
    const SimConnection::Direction& in = place.incoming();
    if (end.is_aborting) return clock_.now_ns();
    due_ns = std::min(due_ns, in.reset_ns);
    if (end.is_connecting) {
      due_ns = std::min(due_ns, end.connect_ns > clock_.now_ns() ? end.connect_ns : clock_.now_ns() + kLookAgainNs);
      continue;
    }
    const bool may_send = !end.send_queue.empty() && place.outgoing().bytes_under_way < network_.WindowBytes(*place.connection);
    const bool has_arrived = !end.is_paused && end.consumed < end.arrived.size();
    if (may_send || has_arrived) return clock_.now_ns();
    if (network_.IsBlocked(*place.connection) || place.connection->stalled_until_ns > clock_.now_ns()) {
      due_ns = std::min(due_ns, clock_.now_ns() + kLookAgainNs);
    } else if (!in.under_way.empty() && !end.is_paused) {
      due_ns = std::min(due_ns, in.under_way.front().arrive_ns);
    } else if (!end.is_end_received && in.under_way.empty()) {
      due_ns = std::min(due_ns, in.end_of_stream_ns);
    }
  }
  return due_ns;
}

void SimTransport::Vanish(bool is_silent) {
  network_.StopListening(this);
  for (const auto& [id, place] : ends_) {
    place.end().is_silent = is_silent;
    if (!is_silent) SendReset(place);
    place.end().owner = nullptr;
    place.end().send_queue.clear();
  }
  ends_.clear();
  for (const SimConnectionRef& connection : to_accept_) {
    // Never accepted: the one who connected hears of it as of a reset.
    if (!is_silent) connection->from[1].reset_ns = clock_.now_ns() + network_.DrawDelayNs();
    connection->ends[1].id = UINT64_MAX;
  }
  to_accept_.clear();
}

}  // namespace headrace::sim
