#include "net/discovery/dns_seeding.h"

#include <algorithm>
#include <utility>

#include "engine/base/log.h"
#include "engine/ports/peer_gateway.h"

namespace headrace {
namespace {

constexpr int64_t kNsPerSeedingSecond = 1'000'000'000;
constexpr std::string_view kFullNodesPrefix = "x9.";

}  // namespace

DnsSeeding::DnsSeeding(DnsSeedingOptions options, NameLookup* lookup, OutboundPlan& plan, AddressBook& book, Clock& clock,
                       Entropy& entropy)
    : options_(std::move(options)), lookup_(lookup), plan_(plan), book_(book), clock_(clock), draws_(entropy) {}

void DnsSeeding::BeginRound(int64_t now_ns, int64_t wait_seconds) {
  left_ = options_.names;
  for (size_t i = left_.size(); i > 1; --i) std::swap(left_[i - 1], left_[draws_.Below(i)]);
  next_ns_ = now_ns + wait_seconds * kNsPerSeedingSecond;
  alone_since_ns_ = now_ns;
}

void DnsSeeding::LookAt(size_t peers) {
  TakeAnswers();
  const int64_t now_ns = clock_.MonotonicNs();
  if (!has_begun_) {
    has_begun_ = true;
    must_ask_all_ = options_.is_forced || book_.size() == 0;
    BeginRound(now_ns, must_ask_all_ ? 0 : kPatienceSeconds);
  }
  if (peers != 0) alone_since_ns_ = now_ns;
  if (left_.empty() && now_ns - alone_since_ns_ >= kAloneSeconds * kNsPerSeedingSecond) BeginRound(now_ns, 0);
  if (left_.empty() || now_ns < next_ns_) return;
  if (peers >= kPeersEnough && !must_ask_all_) {
    HR_LOG(kInfo, kNet, "DNS seeds are not needed (any more) peers=", peers, " book=", book_.size());
    left_.clear();
    return;
  }
  for (size_t i = 0; (must_ask_all_ || i < kAskedAtOnce) && !left_.empty(); ++i) {
    Ask(left_.back());
    left_.pop_back();
  }
  must_ask_all_ = false;
  next_ns_ = now_ns + kPatienceSeconds * kNsPerSeedingSecond;
}

void DnsSeeding::Ask(const std::string& name) {
  HR_LOG(kInfo, kNet, "asking a DNS seed name=", name, lookup_ == nullptr ? " through the proxy" : "");
  if (lookup_ != nullptr) return lookup_->Ask(std::string(kFullNodesPrefix) + name);
  plan_.AddSeeds({Destination::Named({name, options_.port})});
}

void DnsSeeding::TakeAnswers() {
  if (lookup_ == nullptr) return;
  for (NameAnswer& answer : lookup_->TakeAnswers()) {
    const bool has_prefix = answer.name.starts_with(kFullNodesPrefix);
    const std::string name = has_prefix ? answer.name.substr(kFullNodesPrefix.size()) : answer.name;
    if (answer.addresses.empty()) {
      HR_LOG(kInfo, kNet, "a DNS seed told nothing name=", answer.name, " because=\"", answer.failure, "\"");
      if (has_prefix) lookup_->Ask(name);
      continue;
    }
    size_t added = 0;
    if (answer.addresses.size() > kAddressesPerAnswerMax) answer.addresses.resize(kAddressesPerAnswerMax);
    for (Address& address : answer.addresses) {
      address.port = options_.port;
      // Seen lately by a crawler, and less lately than by a peer that tells of itself.
      constexpr int64_t kSeenSeconds = 24 * 3600;
      const int64_t age_s = 3 * kSeenSeconds + static_cast<int64_t>(draws_.Below(4 * kSeenSeconds));
      const HeardAddress heard{NodeAddress::Of(address), kNodeNetwork | kNodeWitness, clock_.UnixSeconds() - age_s};
      added += book_.Add(heard, NodeAddress::SourceNamed(name), 0) ? 1 : 0;
    }
    HR_LOG(kInfo, kNet, "a DNS seed told addresses name=", answer.name, " count=", answer.addresses.size(), " new=", added,
           " book=", book_.size());
  }
}

}  // namespace headrace
