#include "net/discovery/discovery.h"

#include <algorithm>
#include <utility>

namespace headrace {
namespace {

constexpr int64_t kNanosecondsPerMs = 1'000'000;

}  // namespace

Discovery::Discovery(const DiscoveryOptions& options, Clock& clock, Entropy& entropy)
    : options_(options),
      clock_(clock),
      book_(options.accepts_unroutable, clock, entropy),
      gossip_(book_, clock, entropy),
      plan_(options.outbound, book_, clock, entropy),
      image_made_ns_(clock.MonotonicNs()) {
  if (FixedSeedingOptions fixed = options.fixed; !fixed.addresses.empty()) {
    std::erase_if(fixed.addresses,
                  [&](const NodeAddress& one) { return (options.outbound.networks & NetworkBit(one.network)) == 0; });
    fixed_ = std::make_unique<FixedSeeding>(std::move(fixed), book_, clock, entropy);
  }
  if (options.lookup == nullptr && !options.asks_dns_through_proxy) return;
  NameLookup* const lookup = options.asks_dns_through_proxy ? nullptr : options.lookup;
  dns_ = std::make_unique<DnsSeeding>(options.dns, lookup, plan_, book_, clock, entropy);
}

void Discovery::Restore(const BookImage& image) {
  book_.Import(image);
  anchors_ = image.anchors;
  recent_ = image.recent;
  plan_.SetFirst(anchors_, recent_);
  changes_in_image_ = book_.change_count();
}

void Discovery::LookAtSeeds(size_t peers) {
  if (dns_ != nullptr) dns_->LookAt(peers);
  if (fixed_ != nullptr) fixed_->Look();
}

void Discovery::OnPeersChanged() { peers_changed_ns_ = std::min(peers_changed_ns_, clock_.MonotonicNs()); }

bool Discovery::is_image_due() const {
  const int64_t now_ns = clock_.MonotonicNs();
  if (peers_changed_ns_ != INT64_MAX && now_ns - peers_changed_ns_ >= options_.image_delay_ms * kNanosecondsPerMs) return true;
  return book_.change_count() != changes_in_image_ &&
         now_ns - image_made_ns_ >= options_.image_interval_ms * kNanosecondsPerMs;
}

void Discovery::LeaveImage(std::vector<NodeAddress> anchors, std::vector<NodeAddress> recent) {
  // A node that is cut off knows nobody better than those it lost.
  if (!anchors.empty()) anchors_ = std::move(anchors);
  if (!recent.empty()) recent_ = std::move(recent);
  BookImage image = book_.Export();
  image.anchors = anchors_;
  image.recent = recent_;
  changes_in_image_ = book_.change_count();
  image_made_ns_ = clock_.MonotonicNs();
  peers_changed_ns_ = INT64_MAX;
  const std::lock_guard lock(image_mutex_);
  image_ = std::move(image);
}

std::optional<std::vector<uint8_t>> Discovery::TakeImage() {
  std::optional<BookImage> image;
  {
    const std::lock_guard lock(image_mutex_);
    image = std::exchange(image_, std::nullopt);
  }
  // Here, because the reactor has better things to do.
  return image ? std::optional(EncodeBookImage(*image)) : std::nullopt;
}

}  // namespace headrace
