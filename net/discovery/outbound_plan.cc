#include "net/discovery/outbound_plan.h"

#include <algorithm>
#include <utility>

namespace headrace {
namespace {

constexpr int64_t kMsNs = 1'000'000;
constexpr int kDrawsMax = 100;
// An address that was dialled so lately is left alone, at first; and in any case.
constexpr int64_t kDialledLatelySeconds = 10 * 60;
constexpr int64_t kDialledJustNowSeconds = 60;
constexpr int kDrawsBeforeLatelyCounts = 30;
// What a peer must offer that this node chooses: all blocks, with their witnesses.
constexpr uint64_t kServicesWanted = kNodeNetwork | kNodeWitness;

}  // namespace

OutboundPlan::OutboundPlan(const OutboundLimits& limits, AddressBook& book, Clock& clock, Entropy& entropy)
    : limits_(limits), book_(book), clock_(clock), draws_(entropy) {
  alone_since_ns_ = clock_.MonotonicNs();
  feeler_ns_ = alone_since_ns_ + draws_.PoissonNs(limits_.feeler_interval_ms * kMsNs);
}

void OutboundPlan::SetFirst(const std::vector<NodeAddress>& anchors, const std::vector<NodeAddress>& recent) {
  anchors_.assign(anchors.begin(), anchors.end());
  recent_.assign(recent.begin(), recent.end());
}

void OutboundPlan::AddSeeds(const std::vector<Destination>& seeds) {
  for (const Destination& seed : seeds) {
    if (std::find(seeds_.begin(), seeds_.end(), seed) == seeds_.end()) seeds_.push_back(seed);
  }
}

bool OutboundPlan::IsUsable(const NodeAddress& address, const InUse& in_use, const IsRefused& is_refused) const {
  const bool is_dialled = (limits_.networks & NetworkBit(address.network)) != 0;
  return is_dialled && !in_use.addresses.contains(address) && !is_refused(address);
}

// The first of `queue` that may be dialled; those before it are given up.
std::optional<Destination> OutboundPlan::TakeFirst(std::deque<NodeAddress>& queue, const InUse& in_use,
                                                   const IsRefused& is_refused) const {
  while (!queue.empty()) {
    const NodeAddress address = queue.front();
    queue.pop_front();
    if (IsUsable(address, in_use, is_refused) && !in_use.groups.contains(address.Group())) return Destination::Of(address);
  }
  return std::nullopt;
}

std::optional<OutboundPlan::Dial> OutboundPlan::Next(const InUse& in_use, const IsRefused& is_refused) {
  const int64_t now_ns = clock_.MonotonicNs();
  if (now_ns < dial_ns_) return std::nullopt;
  dial_ns_ = now_ns + limits_.dial_interval_ms * kMsNs;
  // Dials that are under way prove nothing.
  if (in_use.introduced != 0) alone_since_ns_ = now_ns;
  std::optional<Dial> dial = NextOfFirst(in_use, is_refused);
  // Those are few, and were there: no pause, so that a restart is over in seconds.
  if (dial) dial_ns_ = now_ns;
  if (!dial) dial = NextSeed(in_use, is_refused);
  if (!dial && in_use.full_relay < limits_.full_relay_max) dial = Choose(PeerKind::kFullRelay, in_use, is_refused);
  if (!dial && in_use.block_relay < limits_.block_relay_max) dial = Choose(PeerKind::kBlockRelay, in_use, is_refused);
  if (!dial && in_use.feelers < limits_.feelers_max) dial = ChooseFeeler(in_use, is_refused);
  if (!dial) return std::nullopt;
  // Whoever has a few peers is online: then who does not answer is not there.
  const bool is_online = in_use.introduced >= 2;
  book_.Attempt(dial->to.node, is_online);
  return dial;
}

std::optional<OutboundPlan::Dial> OutboundPlan::NextOfFirst(const InUse& in_use, const IsRefused& is_refused) {
  if (in_use.block_relay < limits_.block_relay_max) {
    if (const auto anchor = TakeFirst(anchors_, in_use, is_refused)) return Dial{*anchor, PeerKind::kBlockRelay};
  }
  if (in_use.full_relay < limits_.full_relay_max) {
    if (const auto recent = TakeFirst(recent_, in_use, is_refused)) return Dial{*recent, PeerKind::kFullRelay};
  }
  return std::nullopt;
}

std::optional<OutboundPlan::Dial> OutboundPlan::NextSeed(const InUse& in_use, const IsRefused& is_refused) {
  const int64_t now_ns = clock_.MonotonicNs();
  if (next_seed_ == seeds_.size() && now_ns - alone_since_ns_ >= limits_.seed_interval_ms * kMsNs) {
    next_seed_ = 0;
    alone_since_ns_ = now_ns;
  }
  if (in_use.address_fetches >= limits_.address_fetches_max) return std::nullopt;
  while (next_seed_ < seeds_.size()) {
    const Destination& seed = seeds_[next_seed_++];
    const bool is_left_out = !seed.is_name() && (in_use.addresses.contains(seed.node) || is_refused(seed.node));
    if (!is_left_out) return Dial{seed, PeerKind::kAddressFetch};
  }
  return std::nullopt;
}

bool OutboundPlan::IsSuitable(const KnownAddress& known, int draw, const InUse& in_use, const IsRefused& is_refused) const {
  if (!IsUsable(known.address, in_use, is_refused)) return false;
  const int64_t since_attempt_s = clock_.UnixSeconds() - known.last_attempt_s;
  if (known.last_attempt_s == 0 || since_attempt_s >= kDialledLatelySeconds) return true;
  return draw >= kDrawsBeforeLatelyCounts && since_attempt_s >= kDialledJustNowSeconds;
}

std::optional<OutboundPlan::Dial> OutboundPlan::Choose(PeerKind kind, const InUse& in_use, const IsRefused& is_refused) {
  for (int draw = 0; draw < kDrawsMax; ++draw) {
    const std::optional<KnownAddress> known = book_.Select(AddressBook::From::kEither);
    if (!known) return std::nullopt;
    const bool is_another_group = !in_use.groups.contains(known->address.Group());
    const bool offers_all = (known->services & kServicesWanted) == kServicesWanted;
    if (is_another_group && offers_all && IsSuitable(*known, draw, in_use, is_refused)) {
      return Dial{Destination::Of(known->address), kind};
    }
  }
  return std::nullopt;
}

std::optional<OutboundPlan::Dial> OutboundPlan::ChooseFeeler(const InUse& in_use, const IsRefused& is_refused) {
  const int64_t now_ns = clock_.MonotonicNs();
  if (now_ns < feeler_ns_) return std::nullopt;
  feeler_ns_ = now_ns + draws_.PoissonNs(limits_.feeler_interval_ms * kMsNs);
  book_.ResolveContests();
  // A contest comes first: the slot of a tried address waits for it.
  const std::optional<KnownAddress> defender = book_.SelectDefender();
  if (defender && IsSuitable(*defender, 0, in_use, is_refused)) {
    return Dial{Destination::Of(defender->address), PeerKind::kFeeler};
  }
  for (int draw = 0; draw < kDrawsMax; ++draw) {
    const std::optional<KnownAddress> known = book_.Select(AddressBook::From::kNew);
    if (!known) return std::nullopt;
    if (IsSuitable(*known, draw, in_use, is_refused)) return Dial{Destination::Of(known->address), PeerKind::kFeeler};
  }
  return std::nullopt;
}

}  // namespace headrace
