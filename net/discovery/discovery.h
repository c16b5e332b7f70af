// Everything by which one node finds others: the book, gossip about it, the plan of whom to dial, and the image of it all
// that its file holds.
//
// The reactor thread alone, except for TakeImage, which is for whoever writes the file: the reactor leaves an image there
// now and then, and never waits for a disk. An image is made when the peers changed and ten seconds have passed, or the book and
// five minutes have; it costs the reactor a few milliseconds when the book is full, and whoever takes it encodes it.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "net/discovery/address_book.h"
#include "net/discovery/address_gossip.h"
#include "net/discovery/dns_seeding.h"
#include "net/discovery/fixed_seeding.h"
#include "net/discovery/outbound_plan.h"

namespace headrace {

struct DiscoveryOptions {
  bool accepts_unroutable = false;  // regtest
  std::vector<NodeAddress> own;     // where this node is known to be reached
  std::vector<HostPort> seed_nodes;
  DnsSeedingOptions dns;
  NameLookup* lookup = nullptr;  // null: DNS seeds are not asked, unless through the proxy
  bool asks_dns_through_proxy = false;
  FixedSeedingOptions fixed;  // of those networks in which addresses are chosen
  OutboundLimits outbound;
  int64_t image_interval_ms = 5 * 60'000;
  int64_t image_delay_ms = 10'000;
};

class Discovery {
 public:
  Discovery(const DiscoveryOptions& options, Clock& clock, Entropy& entropy);

  AddressBook& book() { return book_; }
  AddressGossip& gossip() { return gossip_; }
  OutboundPlan& plan() { return plan_; }
  // Looks whether seeds are to be asked; `peers` as in DnsSeeding.
  void LookAtSeeds(size_t peers);

  // What the file held. Before the first peer.
  void Restore(const BookImage& image);

  // Peers that a restart should find again came or went.
  void OnPeersChanged();
  bool is_image_due() const;
  // Leaves an image for TakeImage, in place of one that was not taken.
  void LeaveImage(std::vector<NodeAddress> anchors, std::vector<NodeAddress> recent);

  // Any thread.
  std::optional<std::vector<uint8_t>> TakeImage();

 private:
  const DiscoveryOptions options_;
  Clock& clock_;
  AddressBook book_;
  AddressGossip gossip_;
  OutboundPlan plan_;
  std::unique_ptr<DnsSeeding> dns_;      // or null
  std::unique_ptr<FixedSeeding> fixed_;  // or null
  std::vector<NodeAddress> anchors_;  // the last that there were
  std::vector<NodeAddress> recent_;
  uint64_t changes_in_image_ = 0;
  int64_t image_made_ns_ = 0;
  int64_t peers_changed_ns_ = INT64_MAX;

  std::mutex image_mutex_;
  std::optional<BookImage> image_;
};

}  // namespace headrace
