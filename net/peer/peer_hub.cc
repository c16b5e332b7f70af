#include "net/peer/peer_hub.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/base/endian.h"
#include "engine/base/log.h"
#include "engine/base/status_macros.h"
#include "engine/crypto/small_hashes.h"
#include "net/peer/inbound_eviction.h"
#include "net/transport/resolve.h"

namespace headrace {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;
// How late a timer may be.
constexpr int64_t kTimerTickNs = 250 * kNsPerMs;

}  // namespace

PeerHub::PeerHub(PeerHubOptions options, Transport& transport, Clock& clock, Entropy& entropy, Doorbell& engine)
    : options_(std::move(options)),
      transport_(transport),
      clock_(clock),
      entropy_(entropy),
      events_(options_.events_max, options_.event_bytes_max, engine, transport.doorbell()),
      commands_(options_.commands_max, engine, transport.doorbell()),
      upload_target_(options_.upload_target_bytes, clock),
      manual_peers_(options_.reconnect_delay_min_ms * kNsPerMs, options_.reconnect_delay_max_ms * kNsPerMs) {
  group_key_ = DrawHashKey(entropy_);
  transport_.SetHandler(this);
  if (options_.discovery) discovery_ = std::make_unique<Discovery>(*options_.discovery, clock_, entropy_);
}

absl::Status PeerHub::Start() {
  for (const Address& address : options_.listen) {
    HR_ASSIGN_OR_RETURN(const Address bound, transport_.Listen(address));
    listening_.push_back(bound);
    HR_LOG(kInfo, kNet, "listening address=", bound.ToString(), " transport=", std::string(transport_.name()));
  }
  for (const PermittedListener& one : options_.permitted_listen) {
    HR_ASSIGN_OR_RETURN(const Address bound, transport_.Listen(one.address));
    listening_.push_back(bound);
    permitted_listeners_.push_back({bound, one.permissions});
    HR_LOG(kInfo, kNet, "listening for permitted peers address=", bound.ToString(),
           " permissions=", PermissionsText(one.permissions));
  }
  for (const HostPort& target : options_.connect) {
    HR_ASSIGN_OR_RETURN(std::vector<Destination> destinations, FindDestinations(target));
    manual_peers_.Add(absl::StrCat(target.host, ":", target.port), std::move(destinations));
  }
  if (discovery_ != nullptr) StartDiscovery();
  return absl::OkStatus();
}

void PeerHub::Step(int64_t timeout_ns) {
  LookAtTimers();
  calls_.RunAll();
  ExecuteCommands();
  transport_.Step(must_not_wait_ ? 0 : std::min(timeout_ns, kTimerTickNs));
  events_.Flush();
  SendWaitingPongs();
  ResumeReaders();
  // What the engine does from here on wakes the reactor; what it did until here is looked for once more.
  const bool waits = events_.is_blocked() || !waiting_for_pong_.empty();
  events_.SetReactorWaits(waits);
  must_not_wait_ = false;
  if (waits) {
    const size_t pongs_before = waiting_for_pong_.size();
    SendWaitingPongs();
    must_not_wait_ = events_.Flush() || waiting_for_pong_.size() != pongs_before;
  }
}

void PeerHub::BeginShutdown() {
  // What the engine has asked for already is still done.
  ExecuteCommands();
  calls_.Close();
  // Who is connected now is who the next start looks for first.
  if (discovery_ != nullptr && !is_stopping_) LeaveBookImage();
  is_stopping_ = true;
  for (auto& [id, peer] : peers_) {
    if (!peer->is_closing) transport_.Close(id, peer->is_connected ? CloseMode::kDrain : CloseMode::kAbort);
    peer->is_closing = true;
  }
}

void PeerHub::AbortAll() {
  is_stopping_ = true;
  for (auto& [id, peer] : peers_) {
    peer->is_closing = true;
    transport_.Close(id, CloseMode::kAbort);
  }
}

bool PeerHub::TakeEvents(std::vector<PeerEvent>& events, size_t events_max) {
  const bool are_commands_queued = commands_.is_flushed() || commands_.Flush();
  return events_.Take(events, events_max, are_commands_queued);
}

void PeerHub::Submit(std::vector<PeerCommand>& commands) {
  if (commands.empty()) return;
  for (PeerCommand& command : commands) {
    // Counted from here on, so that QueuedBytes also knows of commands that the reactor has not executed yet.
    if (const auto* block = std::get_if<SendBlock>(&command)) {
      table_.AddQueued(block->peer, block->block.bytes.size());
    } else if (const auto* answer = std::get_if<SendBlockTransactions>(&command)) {
      table_.AddQueued(answer->peer, TransactionBytes(answer->answer));
    }
    commands_.Submit(std::move(command));
  }
  commands.clear();
  commands_.Flush();
}

Peer* PeerHub::Find(PeerId id) {
  const auto found = peers_.find(id);
  return found == peers_.end() ? nullptr : found->second.get();
}

// Asks for names here, which may block. A proxy resolves them itself, so that nobody else hears of them.
absl::StatusOr<std::vector<Destination>> PeerHub::FindDestinations(const HostPort& target) const {
  if (const std::optional<NodeAddress> onion = NodeAddress::ParseOnion(target.host, target.port)) {
    if (!options_.proxy) {
      return absl::InvalidArgumentError(absl::StrCat("Cannot connect to ", target.host, " without Tor. Name its SOCKS5 proxy with -proxy."));
    }
    return std::vector<Destination>{Destination::Of(*onion)};
  }
  const bool is_name = !ParseNumericHost(target.host, target.port).has_value();
  if (is_name && options_.proxy) return std::vector<Destination>{Destination::Named(target)};
  HR_ASSIGN_OR_RETURN(const std::vector<Address> addresses, ResolveHost(target));
  std::vector<Destination> destinations;
  for (const Address& address : addresses) destinations.push_back(Destination::Of(address));
  return destinations;
}

Peer& PeerHub::Dial(const Destination& to, PeerKind kind) {
  const std::optional<Address> direct = to.node.ToAddress();
  // A proxy cannot reach this machine and its neighbours, and they need none.
  const bool is_proxied = options_.proxy && (!direct || to.node.IsRoutable());
  HR_CHECK(is_proxied || direct);
  const ConnectionId connection = transport_.Connect(is_proxied ? *options_.proxy : *direct);
  // What is said of ranges holds for peers that were named, not for those that chance picks there.
  Peer& peer = AddPeer(connection, to, kind, direct && kind == PeerKind::kManual ? PermissionsOf(*direct, false) : 0);
  if (is_proxied) peer.proxy = std::make_unique<Socks5Dialogue>(to.ToHostPort(), entropy_.Next64());
  return peer;
}

uint32_t PeerHub::PermissionsOf(const Address& remote, bool is_inbound) const {
  uint32_t permissions = 0;
  for (const PermittedRange& one : options_.permitted) {
    const bool holds = (is_inbound ? one.is_inbound : one.is_outbound) && one.range.Contains(remote);
    if (holds) permissions |= one.permissions;
  }
  return permissions;
}

bool PeerHub::IsExempt(const Peer& peer) {
  return peer.info.kind == PeerKind::kManual || HasPermission(peer.info.permissions, kMayStay) || peer.address.is_loopback() ||
         !peer.node.ToAddress();
}

Peer& PeerHub::AddPeer(ConnectionId connection, const Destination& to, PeerKind kind, uint32_t permissions) {
  // The framer asks for a slab while the peer exists: the framer is part of it.
  auto expects = std::make_shared<Peer*>(nullptr);
  auto peer = std::make_unique<Peer>(options_.magic, [expects](const Command& command, uint32_t body_bytes) {
    const bool is_expected = command == Command("block") && !(*expects)->expected_blocks.empty() &&
                             body_bytes > BlockHeader::kSerializedBytes;
    return is_expected ? std::make_shared<Slab>(body_bytes) : nullptr;
  });
  *expects = peer.get();
  peer->info.id = connection;
  peer->info.is_inbound = kind == PeerKind::kInbound;
  peer->info.kind = kind;
  peer->info.permissions = permissions;
  peer->info.address = to.ToString();
  peer->node = to.node;
  peer->address = to.node.ToAddress().value_or(Address{});
  peer->created_ns = clock_.MonotonicNs();
  peer->last_receive_ns = peer->created_ns;
  // Zero would mean "no nonce" to peers that compare.
  peer->nonce = entropy_.Next64() | 1;
  peer->counters = table_.Add(peer->info, clock_.UnixSeconds());
  if (peer->info.is_inbound) ++inbound_count_;
  return *peers_.emplace(connection, std::move(peer)).first->second;
}

// Whether another inbound peer may come: there is a slot, or somebody goes.
bool PeerHub::MakeRoom() {
  // Those who were sent away are there until the transport says that they are gone.
  constexpr size_t kGoingMax = 8;
  if (inbound_count_ < options_.inbound_max) return true;
  if (inbound_count_ >= options_.inbound_max + kGoingMax) return false;
  std::vector<EvictionCandidate> candidates;
  size_t staying = 0;
  for (const auto& [id, peer] : peers_) {
    if (!peer->info.is_inbound || peer->is_closing) continue;
    ++staying;
    if (HasPermission(peer->info.permissions, kMayStay)) continue;
    const NetworkGroup group = peer->node.Group();
    uint8_t input[sizeof(group)];
    StoreLittle(input, group);
    const int64_t ping_ns = peer->counters->ping_min_ns.load(std::memory_order_relaxed);
    candidates.push_back({id, group, SipHash24(group_key_[0], group_key_[1], input), peer->address.is_loopback(), peer->created_ns,
                          ping_ns < 0 ? INT64_MAX : ping_ns, peer->last_block_ns});
  }
  if (staying < options_.inbound_max) return true;
  const std::optional<PeerId> gone = ChooseToEvict(std::move(candidates));
  if (!gone) return false;
  Peer& leaving = *Find(*gone);
  if (leaving.is_handshake_complete) {
    Punish(leaving, Misbehaviour::kEvicted);
  } else {
    // Nobody ever met it: strangers must not fill the log.
    leaving.is_closing = true;
    transport_.Close(leaving.info.id, CloseMode::kAbort);
  }
  return true;
}

void PeerHub::OnAccepted(ConnectionId connection, const Address& remote, const Address& listener) {
  // A connection that is closed here was never a peer; its OnClosed finds nobody.
  if (is_stopping_) return transport_.Close(connection, CloseMode::kAbort);
  uint32_t permissions = PermissionsOf(remote, true);
  for (const PermittedListener& one : permitted_listeners_) permissions |= one.address == listener ? one.permissions : 0;
  const bool is_discouraged = discouraged_.Contains(remote) && !HasPermission(permissions, kMayStay);
  if (is_discouraged || !MakeRoom()) {
    const MisbehaviourRow& row = RowOf(is_discouraged ? Misbehaviour::kDiscouragedAddress : Misbehaviour::kInboundSlotsFull);
    HR_LOG(kDebug, kNet, "peer refused address=", remote.ToString(), " because=\"it ", std::string(row.sentence), "\"");
    return transport_.Close(connection, CloseMode::kAbort);
  }
  Peer& peer = AddPeer(connection, Destination::Of(remote), PeerKind::kInbound, permissions);
  peer.listener = listener;
  peer.is_connected = true;
}

void PeerHub::OnConnected(ConnectionId connection) {
  Peer* peer = Find(connection);
  if (peer == nullptr || peer->is_closing) return;
  peer->is_connected = true;
  if (peer->proxy == nullptr) return SendVersion(*peer);
  const std::vector<uint8_t> greeting = peer->proxy->Begin();
  if (!peer->proxy->failure().empty()) return Disconnect(*peer, peer->proxy->failure());
  QueueBytes(*peer, SharedBytes::From(Slab::Copy(greeting)), greeting.size());
}

void PeerHub::OnEndOfStream(ConnectionId connection) {
  Peer* peer = Find(connection);
  if (peer == nullptr) return;
  HR_LOG(kInfo, kNet, "peer disconnecting id=", connection, " because=\"it ended the connection\"");
  peer->is_closing = true;
  // What it asked for before is still sent; the timers end it if it does not read.
  peer->created_ns = clock_.MonotonicNs();
  transport_.Close(connection, CloseMode::kDrain);
}

void PeerHub::OnClosed(ConnectionId connection, CloseReason reason, int error) {
  Peer* peer = Find(connection);
  if (peer == nullptr) return;
  const std::string why = error == 0 ? "" : std::strerror(error);
  // Strangers that come and go before a handshake must not fill the disk with log lines.
  if (peer->is_handshake_complete) {
    HR_LOG(kInfo, kNet, "peer disconnected id=", connection, " address=", peer->info.address, " how=\"",
           std::string(CloseReasonText(reason)), "\" error=\"", why, "\"");
  } else {
    HR_LOG(kDebug, kNet, "peer disconnected before its handshake id=", connection, " address=", peer->info.address, " how=\"",
           std::string(CloseReasonText(reason)), "\" error=\"", why, "\"");
  }
  if (peer->is_told) events_.Push(PeerDisconnected{connection});
  if (discovery_ != nullptr) OnGone(*peer);
  if (peer->info.is_inbound) --inbound_count_;
  growing_bytes_ -= peer->framer_bytes_counted;
  if (!is_stopping_) manual_peers_.OnClosed(connection, clock_.MonotonicNs());
  table_.Remove(connection);
  peers_.erase(connection);
}

void PeerHub::Disconnect(Peer& peer, std::string_view why) {
  if (peer.is_closing) return;
  // Half of the addresses that gossip names are not there: no news. What the operator named, and whoever was there, is.
  const bool is_news = (peer.is_connected && peer.proxy == nullptr) || peer.info.kind == PeerKind::kManual;
  if (is_news && peer.info.kind != PeerKind::kFeeler) {
    HR_LOG(kInfo, kNet, "peer disconnecting id=", peer.info.id, " address=", peer.info.address, " because=\"",
           std::string(why), "\"");
  } else {
    HR_LOG(kDebug, kNet, "peer disconnecting id=", peer.info.id, " address=", peer.info.address, " because=\"",
           std::string(why), "\"");
  }
  peer.is_closing = true;
  transport_.Close(peer.info.id, CloseMode::kAbort);
}

void PeerHub::Punish(Peer& peer, Misbehaviour misbehaviour, std::string_view detail) {
  const MisbehaviourRow& row = RowOf(misbehaviour);
  const std::string why =
      absl::StrCat("it ", std::string(row.sentence), detail.empty() ? "" : ": ", std::string(detail));
  if (row.consequence == Consequence::kIgnore) {
    HR_LOG(kDebug, kNet, "peer ignored id=", peer.info.id, " because=\"", why, "\"");
    return;
  }
  if (row.consequence == Consequence::kDiscourage && !IsExempt(peer)) discouraged_.Add(peer.address);
  Disconnect(peer, why);
}

void PeerHub::Pause(Peer& peer, PauseReason reason) {
  if (peer.pause_reasons == 0) transport_.PauseReceive(peer.info.id);
  peer.pause_reasons |= reason;
}

void PeerHub::Resume(Peer& peer, PauseReason reason) {
  if ((peer.pause_reasons & reason) == 0) return;
  peer.pause_reasons &= ~static_cast<uint32_t>(reason);
  if (peer.pause_reasons != 0) return;
  // Silence while it was not listened to is not the peer's.
  peer.last_receive_ns = clock_.MonotonicNs();
  transport_.ResumeReceive(peer.info.id);
}

void PeerHub::ResumeReaders() {
  if (events_.is_blocked() || paused_by_events_.empty()) return;
  for (const PeerId id : std::exchange(paused_by_events_, {})) {
    if (Peer* peer = Find(id)) Resume(*peer, kPausedByEvents);
  }
}

void PeerHub::LookAtTimers() {
  const int64_t now_ns = clock_.MonotonicNs();
  if (now_ns < timers_due_ns_) return;
  timers_due_ns_ = now_ns + kTimerTickNs;
  for (auto& [id, peer] : peers_) LookAtTimersOf(*peer, now_ns);
  if (is_stopping_) return;
  manual_peers_.ConnectDue(now_ns, [this](const Destination& to) { return Dial(to, PeerKind::kManual).info.id; });
  if (discovery_ != nullptr) LookAtDiscovery();
}

void PeerHub::LookAtTimersOf(Peer& peer, int64_t now_ns) {
  const int64_t age_ms = (now_ns - peer.created_ns) / kNsPerMs;
  if (peer.is_closing) {
    if (age_ms > options_.handshake_timeout_ms) transport_.Close(peer.info.id, CloseMode::kAbort);
    return;
  }
  if (!peer.is_handshake_complete) {
    const int64_t limit_ms = peer.is_connected ? options_.handshake_timeout_ms : options_.connect_timeout_ms;
    if (age_ms > limit_ms) Punish(peer, Misbehaviour::kHandshakeTimeout);
    return;
  }
  if (peer.info.kind == PeerKind::kAddressFetch && (age_ms > options_.address_fetch_timeout_ms || now_ns > peer.leave_ns)) {
    return Disconnect(peer, "it was waited for long enough");
  }
  // A peer that is not listened to cannot be heard.
  if (peer.pause_reasons == 0) {
    if ((now_ns - peer.last_receive_ns) / kNsPerMs > options_.inactivity_timeout_ms) {
      return Punish(peer, Misbehaviour::kSilence);
    }
    if (peer.ping_nonce != 0 && (now_ns - peer.ping_sent_ns) / kNsPerMs > options_.pong_timeout_ms) {
      return Punish(peer, Misbehaviour::kPongTimeout);
    }
  }
  if (peer.ping_nonce == 0 && now_ns >= peer.ping_due_ns) SendPing(peer, now_ns);
}

}  // namespace headrace
