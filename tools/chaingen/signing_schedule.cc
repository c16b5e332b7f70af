#include "tools/chaingen/signing_schedule.h"

#include <algorithm>

#include "engine/base/check.h"

namespace headrace::chaingen {
namespace {

// Large enough that the lock is not felt. Towards the end of a wave shares get smaller, so that signers end together.
constexpr uint32_t kShareMax = 8;

}  // namespace

void SigningSchedule::Planned(std::span<const uint32_t> wave_ends) {
  HR_CHECK(CanPlan());
  wave_ends_[planned_ % kBlocksInFlight].assign(wave_ends.begin(), wave_ends.end());
  ++planned_;
  PassSignedBlocks();
}

SigningSchedule::Share SigningSchedule::TakeShare() {
  HR_CHECK(HasShare());
  const uint32_t left = WavesOf(signed_)[wave_] - handed_out_;
  const uint32_t count = std::clamp(left / (2 * threads_), 1u, std::min(left, kShareMax));
  handed_out_ += count;
  return {signed_, handed_out_ - count, handed_out_};
}

void SigningSchedule::Return(const Share& share) {
  // A block does not pass while a share of it is out, so the share is of the block being signed.
  HR_CHECK(share.block == signed_ && signed_ < planned_);
  returned_ += share.end - share.begin;
  HR_CHECK(returned_ <= handed_out_);
  if (returned_ < WavesOf(signed_)[wave_]) return;
  ++wave_;
  PassSignedBlocks();
}

// Moves on over blocks whose waves are all returned, those without any included.
void SigningSchedule::PassSignedBlocks() {
  while (signed_ < planned_ && wave_ == WavesOf(signed_).size()) {
    ++signed_;
    wave_ = 0;
    handed_out_ = 0;
    returned_ = 0;
  }
}

void SigningSchedule::Release() {
  HR_CHECK(CanSeal());
  ++released_;
}

}  // namespace headrace::chaingen
