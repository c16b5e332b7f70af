#include "engine/sync/header_presync.h"

#include <algorithm>

#include "engine/chain/locator.h"
#include "engine/consensus/check_header.h"
#include "engine/consensus/difficulty.h"
#include "engine/crypto/small_hashes.h"
#include "engine/primitives/targets.h"

namespace headrace {
namespace {

// A header's time must be above the median of the eleven before it: six of them within a second at the most.
constexpr int64_t kHeadersPerSecondMax = 6;

}  // namespace

HeaderPresync::HeaderPresync(const HeaderTree& tree, HeaderId fork, const Uint256& work_needed, int64_t now_s,
                             const ChainParams& params, const Salt& salt)
    : tree_(tree),
      fork_(fork),
      work_needed_(work_needed),
      params_(params),
      salt_(salt),
      offset_(static_cast<uint32_t>(SipHash13(salt.key0, salt.key1, tree.hash(fork).span()) % kPeriod)),
      cursor_(AtFork()) {
  const int64_t seconds = std::max<int64_t>(0, now_s + kMaxFutureBlockTime_s - tree.median_time_past(fork));
  commitments_max_ = static_cast<size_t>(seconds * kHeadersPerSecondMax / kPeriod) + 1;
}

HeaderPresync::Cursor HeaderPresync::AtFork() const {
  return {tree_.hash(fork_), tree_.height(fork_), tree_.header(fork_).bits, tree_.work(fork_)};
}

bool HeaderPresync::BitOf(const Hash256& hash) const {
  return (SipHash13(salt_.key1, salt_.key0, hash.span()) & 1) != 0;
}

HeaderPresync::Outcome HeaderPresync::Break(std::string_view failure) {
  failure_ = failure;
  return Outcome::kBroken;
}

bool HeaderPresync::Follow(const BlockHeader& header) {
  if (header.previous != cursor_.hash) return false;
  const Hash256 hash = header.Hash();
  if (!CheckHeader(header, hash, params_).ok()) return false;
  if (!IsPermittedTransition(cursor_.height + 1, cursor_.bits, header.bits, params_)) return false;
  cursor_ = {hash, cursor_.height + 1, header.bits, cursor_.work + WorkFromBits(header.bits)};
  return true;
}

HeaderPresync::Outcome HeaderPresync::Take(std::span<const BlockHeader> headers, bool is_full,
                                           std::vector<BlockHeader>& released) {
  return is_redownload_ ? Compare(headers, is_full, released) : Commit(headers, is_full);
}

HeaderPresync::Outcome HeaderPresync::Commit(std::span<const BlockHeader> headers, bool is_full) {
  for (const BlockHeader& header : headers) {
    if (!Follow(header)) return Break("headers that do not follow one another");
    if (IsCommitted(cursor_.height)) {
      if (commitments_.size() == commitments_max_) return Break("more headers than there can be");
      commitments_.push_back(BitOf(cursor_.hash));
    }
    if (cursor_.work < work_needed_) continue;
    is_redownload_ = true;
    cursor_ = AtFork();
    return Outcome::kGoOn;
  }
  return is_full ? Outcome::kGoOn : Outcome::kTooLittle;
}

HeaderPresync::Outcome HeaderPresync::Compare(std::span<const BlockHeader> headers, bool is_full,
                                              std::vector<BlockHeader>& released) {
  bool is_enough = false;
  for (const BlockHeader& header : headers) {
    // What stands above the work that was needed was not looked at the first time.
    if (!is_enough) {
      if (!Follow(header)) return Break("headers that do not follow one another");
      if (IsCommitted(cursor_.height)) {
        const bool is_same = compared_ < commitments_.size() && commitments_[compared_] == BitOf(cursor_.hash);
        if (!is_same) return Break("other headers than before");
        ++compared_;
      }
      is_enough = cursor_.work >= work_needed_;
    }
    buffer_.push_back(header);
  }
  while (!buffer_.empty() && (is_enough || buffer_.size() > kBufferHeaders)) {
    released.push_back(buffer_.front());
    buffer_.pop_front();
  }
  if (is_enough) return Outcome::kDone;
  return is_full ? Outcome::kGoOn : Break("fewer headers than before");
}

std::vector<Hash256> HeaderPresync::Locator() const {
  std::vector<Hash256> locator = BuildLocator(tree_, fork_);
  if (cursor_.hash != locator.front()) locator.insert(locator.begin(), cursor_.hash);
  return locator;
}

}  // namespace headrace
