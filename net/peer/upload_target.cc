#include "net/peer/upload_target.h"

#include <algorithm>

namespace headrace {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;

}  // namespace

UploadTarget::UploadTarget(uint64_t target_bytes, Clock& clock)
    : target_bytes_(target_bytes), clock_(clock), last_slice_(NowSlice()) {}

int64_t UploadTarget::NowSlice() const { return clock_.MonotonicNs() / kNsPerSecond / kSliceSeconds; }

void UploadTarget::MoveOn(int64_t slice) const {
  for (int64_t begun = std::max(last_slice_ + 1, slice - static_cast<int64_t>(kSlices) + 1); begun <= slice; ++begun) {
    uint64_t& place = slices_[static_cast<size_t>(begun) % kSlices];
    sent_ -= place;
    place = 0;
  }
  last_slice_ = std::max(last_slice_, slice);
}

void UploadTarget::Count(uint64_t bytes) {
  if (target_bytes_ == 0) return;
  const std::lock_guard lock(mutex_);
  MoveOn(NowSlice());
  slices_[static_cast<size_t>(last_slice_) % kSlices] += bytes;
  sent_ += bytes;
}

bool UploadTarget::MaySendHistory() const { return target_bytes_ == 0 || facts().serves_history; }

UploadTarget::Facts UploadTarget::facts() const {
  if (target_bytes_ == 0) return {};
  const std::lock_guard lock(mutex_);
  const int64_t now = NowSlice();
  MoveOn(now);
  Facts facts;
  facts.target_bytes = target_bytes_;
  facts.is_reached = sent_ >= target_bytes_;
  facts.serves_history = sent_ + kReserveBytes < target_bytes_;
  facts.bytes_left = target_bytes_ - std::min(sent_, target_bytes_);
  for (int64_t oldest = now - static_cast<int64_t>(kSlices) + 1; oldest <= now; ++oldest) {
    if (oldest < 0 || slices_[static_cast<size_t>(oldest) % kSlices] == 0) continue;
    const int64_t forgotten_at_s = (oldest + static_cast<int64_t>(kSlices)) * kSliceSeconds;
    facts.seconds_left = forgotten_at_s - clock_.MonotonicNs() / kNsPerSecond;
    break;
  }
  return facts;
}

}  // namespace headrace
