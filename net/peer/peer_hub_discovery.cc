// The part of PeerHub that finds peers: what becomes of addresses, and who is dialled. See net/discovery.
#include <algorithm>
#include <utility>

#include "engine/base/log.h"
#include "net/peer/peer_hub.h"
#include "net/wire/address_messages.h"
#include "net/wire/commands.h"

namespace headrace {
namespace {

bool TakesPartInGossip(PeerKind kind) { return kind != PeerKind::kBlockRelay && kind != PeerKind::kFeeler; }

// Whom a restart should look for.
bool IsChosenFromBook(PeerKind kind) { return kind == PeerKind::kFullRelay || kind == PeerKind::kBlockRelay; }

// The addresses of a message that this node can keep, and how many there were at all.
DecodeError DecodeAddresses(const Message& message, std::vector<HeardAddress>& heard, size_t& count) {
  if (message.command == commands::kAddrV2) {
    std::vector<NetworkAddress> entries;
    const DecodeError error = DecodeAddrV2(message.body, entries);
    for (const NetworkAddress& entry : entries) {
      if (const auto address = NodeAddress::FromWire(entry)) heard.push_back({*address, entry.services, entry.time_s});
    }
    count = entries.size();
    return error;
  }
  std::vector<TimedAddress> entries;
  const DecodeError error = DecodeAddr(message.body, entries);
  for (const TimedAddress& entry : entries) {
    const auto address = NodeAddress::FromWire(entry.address);
    if (address) heard.push_back({*address, entry.address.services, entry.time_s});
  }
  count = entries.size();
  return error;
}

uint32_t WireTime(int64_t time_s) { return static_cast<uint32_t>(std::clamp<int64_t>(time_s, 0, UINT32_MAX)); }

}  // namespace

void PeerHub::RestoreBook(const BookImage& image) {
  if (discovery_ != nullptr) discovery_->Restore(image);
}

std::optional<std::vector<uint8_t>> PeerHub::TakeBookImage() {
  return discovery_ == nullptr ? std::nullopt : discovery_->TakeImage();
}

bool PeerHub::WithBook(const std::function<void(AddressBook&)>& look) {
  if (discovery_ == nullptr) return true;
  return calls_.Call([&] { look(discovery_->book()); }, transport_.doorbell());
}

void PeerHub::StartDiscovery() {
  std::vector<HeardAddress> own;
  const auto add_own = [&](const NodeAddress& node) {
    const bool can_be_told = discovery_->book().Accepts(node);
    if (can_be_told) own.push_back({node, options_.services, clock_.UnixSeconds()});
    return can_be_told;
  };
  // Nobody could come in otherwise.
  if (!listening_.empty()) {
    for (const NodeAddress& node : options_.discovery->own) {
      if (!add_own(node)) HR_LOG(kWarning, kNet, "the internet cannot reach this external address, so nobody is told of it address=", node.ToString());
    }
    for (const Address& address : listening_) {
      // Where friends come in is nobody else's concern.
      const bool is_for_friends = std::any_of(permitted_listeners_.begin(), permitted_listeners_.end(), [&](const auto& one) {
        return one.address == address && HasPermission(one.permissions, kMayStay);
      });
      if (!is_for_friends) add_own(NodeAddress::Of(address));
    }
  }
  discovery_->gossip().SetOwn(std::move(own));
  for (const HostPort& seed : options_.discovery->seed_nodes) {
    const absl::StatusOr<std::vector<Destination>> destinations = FindDestinations(seed);
    if (destinations.ok()) {
      discovery_->plan().AddSeeds(*destinations);
    } else {
      HR_LOG(kWarning, kNet, "a seed node is left out: ", destinations.status().message());
    }
  }
}

void PeerHub::LookAtDiscovery() {
  discovery_->LookAtSeeds(CountIntroducedOutbound());
  if (discovery_->plan().is_due()) DialNext();
  discovery_->gossip().SendDue([this](PeerId id, const std::vector<HeardAddress>& addresses) {
    if (Peer* peer = FindEstablished(id)) SendAddresses(*peer, addresses);
  });
  if (discovery_->is_image_due()) LeaveBookImage();
}

OutboundPlan::InUse PeerHub::CountInUse() const {
  OutboundPlan::InUse in_use;
  for (const auto& [id, peer] : peers_) {
    const NodeAddress& node = peer->node;
    in_use.addresses.insert(node);
    switch (peer->info.kind) {
      case PeerKind::kInbound: continue;
      case PeerKind::kManual: break;
      case PeerKind::kFullRelay: ++in_use.full_relay; break;
      case PeerKind::kBlockRelay: ++in_use.block_relay; break;
      case PeerKind::kFeeler: ++in_use.feelers; continue;
      case PeerKind::kAddressFetch: ++in_use.address_fetches; continue;
    }
    in_use.groups.insert(node.Group());
    in_use.introduced += peer->is_handshake_complete && !peer->is_closing ? 1 : 0;
  }
  return in_use;
}

size_t PeerHub::CountIntroducedOutbound() const {
  return static_cast<size_t>(std::count_if(peers_.begin(), peers_.end(), [](const auto& entry) {
    return !entry.second->info.is_inbound && entry.second->is_told && !entry.second->is_closing;
  }));
}

void PeerHub::DialNext() {
  const std::optional<OutboundPlan::Dial> dial =
      discovery_->plan().Next(CountInUse(), [this](const NodeAddress& node) {
        const std::optional<Address> address = node.ToAddress();
        return discovery_->gossip().IsOwn(node) || (address && discouraged_.Contains(*address));
      });
  if (!dial) return;
  HR_LOG(kDebug, kNet, "peer dialled address=", dial->to.ToString(), " kind=", std::string(PeerKindName(dial->kind)));
  Dial(dial->to, dial->kind);
}

void PeerHub::OnIntroduced(Peer& peer) {
  const NodeAddress& node = peer.node;
  if (!peer.info.is_inbound) {
    discovery_->book().SetServices(node, peer.info.services);
    discovery_->book().Good(node);
  }
  if (IsChosenFromBook(peer.info.kind)) discovery_->OnPeersChanged();
  if (!TakesPartInGossip(peer.info.kind)) return;
  discovery_->gossip().Join(peer.info.id, {node, peer.info.is_inbound, !peer.info.is_inbound, peer.listener,
                                           HasPermission(peer.info.permissions, kMayGossip)});
  if (!peer.info.is_inbound) SendMessage(peer, commands::kGetAddr, {});
}

void PeerHub::OnGone(const Peer& peer) {
  discovery_->gossip().Leave(peer.info.id);
  if (is_stopping_ || !peer.is_handshake_complete || !IsChosenFromBook(peer.info.kind)) return;
  // Not of block-relay-only peers: the time is handed out, and would tell who they are.
  if (peer.info.kind == PeerKind::kFullRelay) discovery_->book().Connected(peer.node);
  discovery_->OnPeersChanged();
}

void PeerHub::OnAddresses(Peer& peer, const Message& message) {
  if (discovery_ == nullptr) return;
  if (!discovery_->gossip().Has(peer.info.id)) return Punish(peer, Misbehaviour::kAddressesUnwanted);
  std::vector<HeardAddress> heard;
  size_t count = 0;
  const DecodeError error = DecodeAddresses(message, heard, count);
  if (error == DecodeError::kOversizedCount) return Punish(peer, Misbehaviour::kOversizedAddresses);
  if (error != DecodeError::kNone) return Punish(peer, Misbehaviour::kMalformedMessage, DecodeErrorText(error));
  const AddressGossip::Tally tally = discovery_->gossip().OnAddresses(peer.info.id, std::move(heard), count);
  HR_LOG(kDebug, kNet, "addresses id=", peer.info.id, " count=", count, " taken=", tally.taken,
         " beyond_rate=", tally.beyond_rate, " book=", discovery_->book().size());
  if (tally.beyond_rate != 0) Punish(peer, Misbehaviour::kAddressFlood);
  if (peer.info.kind != PeerKind::kAddressFetch) return;
  if (count > 1) return Disconnect(peer, "it told of addresses, as it was asked");
  // One alone is more likely its own than an answer, which may follow.
  peer.leave_ns = std::min(peer.leave_ns, clock_.MonotonicNs() + options_.address_fetch_linger_ms * 1'000'000);
}

void PeerHub::OnGetAddr(Peer& peer) {
  if (discovery_ == nullptr) return;
  if (!discovery_->gossip().Has(peer.info.id)) return Punish(peer, Misbehaviour::kAddressesUnwanted);
  const std::vector<HeardAddress>* answer = discovery_->gossip().OnGetAddr(peer.info.id);
  if (answer == nullptr) return Punish(peer, Misbehaviour::kAddressesAskedAgain);
  SendAddresses(peer, *answer);
}

void PeerHub::SendAddresses(Peer& peer, const std::vector<HeardAddress>& addresses) {
  std::vector<uint8_t> body;
  if (peer.wants_addrv2) {
    std::vector<NetworkAddress> entries;
    for (const HeardAddress& one : addresses) entries.push_back(one.address.ToWire(one.services, WireTime(one.time_s)));
    if (entries.empty()) return;
    EncodeAddrV2(entries, body);
    return SendMessage(peer, commands::kAddrV2, body);
  }
  std::vector<TimedAddress> entries;
  for (const HeardAddress& one : addresses) {
    const std::optional<Address> address = one.address.ToAddress();
    if (address) entries.push_back({WireTime(one.time_s), {one.services, address->ip, address->port}});
  }
  if (entries.empty()) return;
  EncodeAddr(entries, body);
  SendMessage(peer, commands::kAddr, body);
}

void PeerHub::LeaveBookImage() {
  std::vector<NodeAddress> anchors;
  std::vector<NodeAddress> recent;
  for (const auto& [id, peer] : peers_) {
    if (peer->is_closing || !peer->is_handshake_complete || !IsChosenFromBook(peer->info.kind)) continue;
    const NodeAddress& node = peer->node;
    const bool is_anchor = peer->info.kind == PeerKind::kBlockRelay;
    if (!is_anchor) discovery_->book().Connected(node);
    std::vector<NodeAddress>& list = is_anchor ? anchors : recent;
    if (list.size() < kImagePeersMax) list.push_back(node);
  }
  discovery_->LeaveImage(std::move(anchors), std::move(recent));
}

}  // namespace headrace
