#include "net/discovery/address_samples.h"

namespace headrace {

const std::vector<HeardAddress>& AddressSamples::For(uint8_t network, const Address& listener, int64_t now_ns) {
  constexpr int64_t kHourNs = int64_t{3600} * 1'000'000'000;
  Kept& kept = kept_[{network, listener}];
  if (now_ns >= kept.until_ns || kept.addresses.empty()) {
    kept.addresses = book_.Sample(kAddressesMax, kPercentMax);
    kept.until_ns = now_ns + 21 * kHourNs + static_cast<int64_t>(draws_.Below(static_cast<uint64_t>(6 * kHourNs)));
  }
  return kept.addresses;
}

}  // namespace headrace
