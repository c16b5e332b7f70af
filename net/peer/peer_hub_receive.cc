// The receiving half of PeerHub: from bytes to events.
#include <algorithm>
#include <utility>

#include "engine/base/log.h"
#include "net/peer/peer_hub.h"
#include "net/wire/chain_messages.h"
#include "net/wire/commands.h"
#include "net/wire/inventory_messages.h"
#include "net/wire/small_messages.h"
#include "net/wire/version_message.h"

namespace headrace {
namespace {

// Pings that wait for the engine before the peer is not read from any more.
constexpr size_t kWaitingPongsMax = 64;
// BIP31: peers after this protocol version answer pings.
constexpr int32_t kPongVersion = 60000;
// BIP339 and BIP155 are negotiated with peers from this version on, as the field does.
constexpr int32_t kNegotiationVersion = 70016;
// BIP130.
constexpr int32_t kSendHeadersVersion = 70012;
// BIP152.
constexpr int32_t kCompactBlocksVersion = 70014;

Misbehaviour MisbehaviourOf(FramingError error) {
  switch (error) {
    case FramingError::kWrongMagic: return Misbehaviour::kWrongMagic;
    case FramingError::kBadCommand: return Misbehaviour::kBadCommand;
    case FramingError::kOversized: return Misbehaviour::kOversizedMessage;
    case FramingError::kBadChecksum: return Misbehaviour::kBadChecksum;
    case FramingError::kNone: break;
  }
  return Misbehaviour::kMalformedMessage;
}

// What a peer calls itself, fit for a line of log.
std::string Printable(std::string text) {
  for (char& c : text) {
    if (c < 0x20 || c > 0x7e || c == '"') c = '?';
  }
  return text;
}

}  // namespace

bool PeerHub::MayRead(Peer& peer) {
  if (!events_.is_blocked()) return peer.pause_reasons == 0;
  if ((peer.pause_reasons & kPausedByEvents) == 0) {
    Pause(peer, kPausedByEvents);
    paused_by_events_.push_back(peer.info.id);
  }
  return false;
}

size_t PeerHub::OnReceived(ConnectionId connection, ByteSpan bytes) {
  Peer* peer = Find(connection);
  if (peer == nullptr) return bytes.size();
  peer->last_receive_ns = clock_.MonotonicNs();
  size_t consumed = 0;
  while (consumed < bytes.size() && !peer->is_closing) {
    if (!MayRead(*peer)) break;
    if (peer->proxy != nullptr) {
      consumed += OnProxySays(*peer, bytes.subspan(consumed));
      continue;
    }
    consumed += peer->framer.Consume(bytes.subspan(consumed));
    AfterFraming(*peer);
  }
  table_.CountReceived(*peer->counters, consumed);
  return peer->is_closing ? bytes.size() : consumed;
}

// Until the proxy has passed the connection on, bytes are its own; how many of these are.
size_t PeerHub::OnProxySays(Peer& peer, ByteSpan bytes) {
  std::vector<uint8_t> answer;
  const size_t consumed = peer.proxy->Consume(bytes, answer);
  if (!peer.proxy->failure().empty()) {
    Disconnect(peer, peer.proxy->failure());
    return consumed;
  }
  if (!answer.empty()) QueueBytes(peer, SharedBytes::From(Slab::Copy(answer)), answer.size());
  if (peer.proxy->is_done()) {
    peer.proxy.reset();
    SendVersion(peer);
  }
  return consumed;
}

ReceiveTarget PeerHub::NextTarget(ConnectionId connection) {
  Peer* peer = Find(connection);
  if (peer == nullptr || peer->is_closing) return {};
  return {peer->framer.DirectTarget(), peer->framer.direct_owner()};
}

void PeerHub::OnReceivedDirect(ConnectionId connection, size_t size) {
  Peer* peer = Find(connection);
  if (peer == nullptr || peer->is_closing) return;
  peer->last_receive_ns = clock_.MonotonicNs();
  table_.CountReceived(*peer->counters, size);
  peer->framer.CommitDirect(size);
  AfterFraming(*peer);
}

void PeerHub::AfterFraming(Peer& peer) {
  if (peer.framer.error() != FramingError::kNone) {
    return Punish(peer, MisbehaviourOf(peer.framer.error()));
  }
  CountGrowingBytes(peer);
  if (growing_bytes_ > options_.growing_bytes_max) PunishLargest();
  if (peer.is_closing || !peer.framer.has_message()) return;
  peer.counters->messages_received.fetch_add(1, std::memory_order_relaxed);
  Dispatch(peer, peer.framer.TakeMessage());
  peer.framer.ForgetBody();
  CountGrowingBytes(peer);
}

void PeerHub::CountGrowingBytes(Peer& peer) {
  growing_bytes_ += peer.framer.buffered_bytes() - peer.framer_bytes_counted;
  peer.framer_bytes_counted = peer.framer.buffered_bytes();
}

// Whoever holds the most goes, and not whoever comes when there is no more.
void PeerHub::PunishLargest() {
  Peer* largest = nullptr;
  for (const auto& [id, one] : peers_) {
    if (one->is_closing) continue;
    if (largest == nullptr || one->framer_bytes_counted > largest->framer_bytes_counted) largest = one.get();
  }
  if (largest == nullptr) return;
  Punish(*largest, Misbehaviour::kMemoryExhausted);
  // Freed when the transport has closed it, which it does within this step: nobody else shall go for it.
  growing_bytes_ -= std::exchange(largest->framer_bytes_counted, 0);
}

void PeerHub::Dispatch(Peer& peer, const Message& message) {
  if (message.command == commands::kVersion) return OnVersion(peer, message.body);
  if (!peer.is_version_received) return Punish(peer, Misbehaviour::kMessageBeforeVersion, message.command.name());
  if (message.command == commands::kVerack) return OnVerack(peer);
  const bool is_negotiation =
      message.command == commands::kWtxidRelay || message.command == commands::kSendAddrV2;
  if (peer.is_handshake_complete) {
    if (is_negotiation) return Punish(peer, Misbehaviour::kLateNegotiation, message.command.name());
    return DispatchEstablished(peer, message);
  }
  if (message.command == commands::kSendAddrV2) peer.wants_addrv2 = true;
  // The other offer concerns transactions, which this node does not relay.
  if (!is_negotiation) Punish(peer, Misbehaviour::kMessageBeforeVerack, message.command.name());
}

void PeerHub::DispatchEstablished(Peer& peer, const Message& message) {
  const Command& command = message.command;
  if (command == commands::kAddr || command == commands::kAddrV2) return OnAddresses(peer, message);
  if (command == commands::kGetAddr) return OnGetAddr(peer);
  // The engine does not know those who stay for a moment.
  if (!peer.is_told && command != commands::kPing && command != commands::kPong) return;
  if (command == commands::kBlock) return OnBlock(peer, message);
  if (command == commands::kHeaders) return OnHeaders(peer, message);
  if (command == commands::kPing) return OnPing(peer, message.body);
  if (command == commands::kPong) return OnPong(peer, message.body);
  if (command == commands::kGetHeaders || command == commands::kGetBlocks) return OnLocator(peer, message);
  if (command == commands::kInv || command == commands::kGetData || command == commands::kNotFound) {
    return OnInventory(peer, message);
  }
  if (command == commands::kSendHeaders) return PushEvent(peer, SendHeadersReceived{peer.info.id});
  OnCompactMessage(peer, message);
}

void PeerHub::OnVersion(Peer& peer, ByteSpan body) {
  if (peer.is_version_received) return Punish(peer, Misbehaviour::kDuplicateVersion);
  VersionMessage version;
  if (const DecodeError error = DecodeVersion(body, version); error != DecodeError::kNone) {
    return Punish(peer, Misbehaviour::kMalformedMessage, DecodeErrorText(error));
  }
  if (version.protocol_version < kProtocolVersionMin) return Punish(peer, Misbehaviour::kObsoleteVersion);
  if (peer.info.is_inbound) {
    for (const auto& [id, other] : peers_) {
      if (!other->info.is_inbound && other->is_version_sent && other->nonce == version.nonce) {
        if (discovery_ != nullptr) discovery_->gossip().MarkAsSelf(other->node);
        return Punish(peer, Misbehaviour::kSelfConnection);
      }
    }
  }
  constexpr uint64_t kServicesWanted = kNodeNetwork | kNodeWitness;
  const bool is_chosen = peer.info.kind == PeerKind::kFullRelay || peer.info.kind == PeerKind::kBlockRelay;
  if (is_chosen && (version.services & kServicesWanted) != kServicesWanted) {
    if (discovery_ != nullptr) discovery_->book().SetServices(peer.node, version.services);
    return Punish(peer, Misbehaviour::kServicesMissing);
  }
  peer.is_version_received = true;
  peer.info.services = version.services;
  peer.info.protocol_version = version.protocol_version;
  peer.info.user_agent = Printable(std::move(version.user_agent));
  peer.info.start_height = version.start_height;
  if (!peer.is_version_sent) SendVersion(peer);
  if (version.protocol_version >= kNegotiationVersion) {
    SendMessage(peer, commands::kWtxidRelay, {});
    SendMessage(peer, commands::kSendAddrV2, {});
  }
  SendMessage(peer, commands::kVerack, {});
}

void PeerHub::OnVerack(Peer& peer) {
  if (peer.is_handshake_complete) return Punish(peer, Misbehaviour::kDuplicateVerack);
  peer.is_handshake_complete = true;
  table_.SetIntroduced(peer.info);
  manual_peers_.OnEstablished(peer.info.id);
  if (discovery_ != nullptr) OnIntroduced(peer);
  if (peer.info.kind == PeerKind::kFeeler) return Disconnect(peer, "it is there, and that is all that was asked");
  if (peer.info.kind == PeerKind::kAddressFetch) return;
  HR_LOG(kInfo, kNet, "peer connected id=", peer.info.id, " address=", peer.info.address,
         " direction=", peer.info.is_inbound ? "in" : "out",
         " kind=", std::string(PeerKindName(peer.info.kind)), " version=", peer.info.protocol_version,
         " services=", peer.info.services, " height=", peer.info.start_height, " agent=\"", peer.info.user_agent, "\"");
  const bool takes_headers = options_.wants_headers && peer.info.protocol_version >= kSendHeadersVersion;
  if (takes_headers) SendMessage(peer, commands::kSendHeaders, {});
  if (peer.info.protocol_version >= kCompactBlocksVersion) SendCompactOffer(peer, false);
  // The first round trip is measured at once: it helps to choose among peers.
  SendPing(peer, clock_.MonotonicNs());
  peer.is_told = true;
  PushEvent(peer, PeerConnected{peer.info});
}

void PeerHub::OnPing(Peer& peer, ByteSpan body) {
  if (peer.info.protocol_version <= kPongVersion) return;
  uint64_t nonce = 0;
  if (const DecodeError error = DecodeNonce(body, nonce); error != DecodeError::kNone) {
    return Punish(peer, Misbehaviour::kMalformedMessage, DecodeErrorText(error));
  }
  if (peer.pongs.empty()) waiting_for_pong_.push_back(peer.info.id);
  peer.pongs.push_back({nonce, peer.last_event});
  if (peer.pongs.size() >= kWaitingPongsMax) Pause(peer, kPausedByPongs);
}

void PeerHub::OnPong(Peer& peer, ByteSpan body) {
  uint64_t nonce = 0;
  // The field ignores odd pongs: some implementations answer without a nonce.
  if (DecodeNonce(body, nonce) != DecodeError::kNone || nonce != peer.ping_nonce || peer.ping_nonce == 0) {
    return Punish(peer, Misbehaviour::kUnexpectedPong);
  }
  peer.ping_nonce = 0;
  const int64_t round_trip_ns = clock_.MonotonicNs() - peer.ping_sent_ns;
  peer.counters->ping_ns.store(round_trip_ns, std::memory_order_relaxed);
  const int64_t least_ns = peer.counters->ping_min_ns.load(std::memory_order_relaxed);
  if (least_ns < 0 || round_trip_ns < least_ns) {
    peer.counters->ping_min_ns.store(round_trip_ns, std::memory_order_relaxed);
  }
}

void PeerHub::OnBlock(Peer& peer, const Message& message) {
  if (message.body.size() <= BlockHeader::kSerializedBytes) {
    return Punish(peer, Misbehaviour::kMalformedMessage, "a block without transactions");
  }
  const Hash256 hash(Sha256d(message.body.first(BlockHeader::kSerializedBytes)));
  MarkDelivered(peer, hash);
  SlabRef block = message.slab != nullptr ? message.slab : Slab::Copy(message.body);
  PushEvent(peer, BlockReceived{peer.info.id, hash, std::move(block)});
}

void PeerHub::OnHeaders(Peer& peer, const Message& message) {
  HeadersReceived event{peer.info.id, {}};
  if (const DecodeError error = DecodeHeaders(message.body, event.headers); error != DecodeError::kNone) {
    return Punish(peer, Misbehaviour::kMalformedMessage, DecodeErrorText(error));
  }
  PushEvent(peer, std::move(event));
}

void PeerHub::OnLocator(Peer& peer, const Message& message) {
  LocatorMessage request;
  if (const DecodeError error = DecodeLocator(message.body, request); error != DecodeError::kNone) {
    return Punish(peer, Misbehaviour::kMalformedMessage, DecodeErrorText(error));
  }
  if (message.command == commands::kGetHeaders) {
    PushEvent(peer, GetHeadersReceived{peer.info.id, std::move(request.locator), request.stop});
  } else {
    PushEvent(peer, GetBlocksReceived{peer.info.id, std::move(request.locator), request.stop});
  }
}

void PeerHub::OnInventory(Peer& peer, const Message& message) {
  std::vector<InventoryItem> items;
  if (const DecodeError error = DecodeInventory(message.body, items); error != DecodeError::kNone) {
    return Punish(peer, Misbehaviour::kMalformedMessage, DecodeErrorText(error));
  }
  if (message.command == commands::kInv) {
    PushEvent(peer, InventoryReceived{peer.info.id, std::move(items)});
  } else if (message.command == commands::kGetData) {
    PushEvent(peer, GetDataReceived{peer.info.id, std::move(items)});
  } else {
    for (const InventoryItem& item : items) peer.expected_blocks.erase(item.hash);
    PushEvent(peer, NotFoundReceived{peer.info.id, std::move(items)});
  }
}

void PeerHub::PushEvent(Peer& peer, PeerEvent event) { peer.last_event = events_.Push(std::move(event)); }

}  // namespace headrace
