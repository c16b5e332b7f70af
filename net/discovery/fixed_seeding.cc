#include "net/discovery/fixed_seeding.h"

#include <utility>

#include "engine/base/log.h"
#include "engine/ports/peer_gateway.h"

namespace headrace {

FixedSeeding::FixedSeeding(FixedSeedingOptions options, AddressBook& book, Clock& clock, Entropy& entropy)
    : options_(std::move(options)), book_(book), clock_(clock), draws_(entropy), begun_ns_(clock.MonotonicNs()) {}

void FixedSeeding::Look() {
  if (options_.addresses.empty() || book_.size() != 0) return;
  constexpr int64_t kNsPerSecond = 1'000'000'000;
  if (options_.are_others_asked && clock_.MonotonicNs() - begun_ns_ < kPatienceSeconds * kNsPerSecond) return;
  FillBook();
  options_.addresses.clear();
}

void FixedSeeding::FillBook() {
  const NodeAddress source = NodeAddress::SourceNamed("fixed seeds");
  for (const NodeAddress& address : options_.addresses) {
    // As old as news can be that is still handed on: what is heard from peers comes before it.
    constexpr int64_t kWeekSeconds = 7 * 24 * 3600;
    const int64_t age_s = kWeekSeconds + static_cast<int64_t>(draws_.Below(kWeekSeconds));
    book_.Add({address, kNodeNetwork | kNodeWitness, clock_.UnixSeconds() - age_s}, source, 0);
  }
  HR_LOG(kInfo, kNet, "nobody tells addresses: those of the fixed seeds are taken count=", options_.addresses.size(),
         " book=", book_.size());
}

}  // namespace headrace
