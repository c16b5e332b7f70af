// Whom to dial next, and as what: the peers that this node chooses for itself.
//
// Eight full-relay peers and two that relay blocks alone (nobody learns of those by watching gossip), no two of them in
// one group of a network; every two minutes or so a feeler, which only finds out whether an address that was heard of is
// there (Heilman et al. 2015). After a start those that were there before come first, without a pause: anchors, then recent
// peers. Others are dialled one at a time, with a pause between; an address that was just dialled is left alone.
//
// The plan knows addresses, not connections: whoever carries it out says what there is (InUse) and tells the book what became
// of each dial. The reactor thread alone. A question costs at most a hundred draws from the book.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "engine/ports/peer_gateway.h"
#include "net/discovery/address_book.h"
#include "net/discovery/book_image.h"
#include "net/discovery/destination.h"

namespace headrace {

// A bit for each network of addresses (AddressNetwork).
constexpr uint32_t NetworkBit(uint8_t network) { return uint32_t{1} << network; }

struct OutboundLimits {
  // Networks in which addresses are chosen. Whoever is named is dialled wherever he is.
  uint32_t networks = NetworkBit(kNetworkIpv4) | NetworkBit(kNetworkIpv6);
  size_t full_relay_max = 8;
  size_t block_relay_max = 2;
  size_t feelers_max = 1;
  size_t address_fetches_max = 2;
  int64_t dial_interval_ms = 500;
  int64_t feeler_interval_ms = 120'000;
  // Nobody at all is connected for so long: seeds are asked again.
  int64_t seed_interval_ms = 60'000;
};

class OutboundPlan {
 public:
  struct Dial {
    Destination to;
    PeerKind kind = PeerKind::kFullRelay;
  };
  // Connections that exist or are being made.
  struct InUse {
    absl::flat_hash_set<NodeAddress> addresses;  // of all of them, as they were dialled or came
    absl::flat_hash_set<NetworkGroup> groups;    // of those that were dialled, and stay
    size_t full_relay = 0;
    size_t block_relay = 0;
    size_t feelers = 0;
    size_t address_fetches = 0;
    size_t introduced = 0;  // of those that stay: whose handshake is complete
  };
  using IsRefused = std::function<bool(const NodeAddress&)>;

  OutboundPlan(const OutboundLimits& limits, AddressBook& book, Clock& clock, Entropy& entropy);

  // What a node of the same data directory was connected to last.
  void SetFirst(const std::vector<NodeAddress>& anchors, const std::vector<NodeAddress>& recent);
  // Whoever is asked for addresses and left again (-seednode). Once after a start, and when this node is alone; one that is
  // there already is not added again.
  void AddSeeds(const std::vector<Destination>& seeds);

  // Whether Next would have an answer to look for at all: what there is need not be counted before.
  bool is_due() const { return clock_.MonotonicNs() >= dial_ns_; }
  // At most one; never before the pause is over. `is_refused`: own, banned or discouraged addresses.
  std::optional<Dial> Next(const InUse& in_use, const IsRefused& is_refused);

 private:
  std::optional<Dial> NextOfFirst(const InUse& in_use, const IsRefused& is_refused);
  std::optional<Dial> NextSeed(const InUse& in_use, const IsRefused& is_refused);
  std::optional<Destination> TakeFirst(std::deque<NodeAddress>& queue, const InUse& in_use, const IsRefused& is_refused) const;
  // Whether it may be chosen at all, and whether now.
  bool IsUsable(const NodeAddress& address, const InUse& in_use, const IsRefused& is_refused) const;
  std::optional<Dial> Choose(PeerKind kind, const InUse& in_use, const IsRefused& is_refused);
  std::optional<Dial> ChooseFeeler(const InUse& in_use, const IsRefused& is_refused);
  bool IsSuitable(const KnownAddress& known, int draw, const InUse& in_use, const IsRefused& is_refused) const;

  const OutboundLimits limits_;
  AddressBook& book_;
  Clock& clock_;
  KeyedDraws draws_;
  std::deque<NodeAddress> anchors_;
  std::deque<NodeAddress> recent_;
  std::vector<Destination> seeds_;
  size_t next_seed_ = 0;
  int64_t dial_ns_ = INT64_MIN;
  int64_t feeler_ns_ = 0;
  int64_t alone_since_ns_ = 0;
};

}  // namespace headrace
