#include "engine/node/scrub_rounds.h"

#include <algorithm>

#include "engine/base/log.h"

namespace headrace {
namespace {

constexpr int64_t kFirstRoundNs = int64_t{3600} * 1'000'000'000;
// Four pieces of 4 MiB a second: mainnet's 14 GB take a quarter of an hour, and a disk does not notice.
constexpr int64_t kPieceNs = 250'000'000;

}  // namespace

absl::Status ScrubRounds::Step(int64_t now_ns, bool is_idle) {
  if (interval_ns_ == 0) return absl::OkStatus();
  if (next_round_ns_ == 0) next_round_ns_ = now_ns + std::min(kFirstRoundNs, interval_ns_);
  if (!is_idle || now_ns < next_piece_ns_) return absl::OkStatus();
  if (!coins_.scrub_under_way()) {
    if (now_ns < next_round_ns_) return absl::OkStatus();
    next_round_ns_ = now_ns + interval_ns_;
    HR_LOG(kInfo, kNode, "scrubbing the coin store disk_bytes=", coins_.counters().disk_bytes);
    coins_.BeginScrub();
  }
  next_piece_ns_ = now_ns + kPieceNs;
  return coins_.StepScrub();
}

}  // namespace headrace
