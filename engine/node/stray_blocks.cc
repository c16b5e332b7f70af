#include "engine/node/stray_blocks.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "engine/base/log.h"
#include "engine/base/status_macros.h"
#include "engine/chain/header_acceptance.h"

namespace headrace {
namespace {

// A header costs a few microseconds, and a page of the block file when it is cold.
constexpr size_t kConnectedPerTurn = 2000;

}  // namespace

StrayBlocks::StrayBlocks(const ChainParams& params, HeaderTree& tree, BlockRecords& records, BlockStore& blocks,
                         BlockPipeline& pipeline)
    : params_(params), tree_(tree), records_(records), blocks_(blocks), pipeline_(pipeline) {}

void StrayBlocks::Start(std::span<const StrayBlock> strays) {
  for (const StrayBlock& stray : strays) {
    strays_.push_back(stray.position);
    bytes_total_ += stray.position.size;
  }
}

absl::StatusOr<bool> StrayBlocks::Step(int64_t now_s, uint64_t pending_bytes_max) {
  if (is_done_) return false;
  if (next_stray_ < strays_.size()) {
    HR_RETURN_IF_ERROR(ConnectSome(now_s));
    return true;
  }
  if (!is_sorted_) Sort();
  HR_ASSIGN_OR_RETURN(const bool fed, Feed(pending_bytes_max));
  if (!AllAreSettled() || next_queued_ < queue_.size()) return fed;
  HR_RETURN_IF_ERROR(Finish());
  return true;
}

absl::Status StrayBlocks::ConnectSome(int64_t now_s) {
  const size_t end = std::min(strays_.size(), next_stray_ + kConnectedPerTurn);
  for (; next_stray_ < end; ++next_stray_) {
    connectable_.push_back(strays_[next_stray_]);
    while (!connectable_.empty()) {
      const BlockPosition position = connectable_.back();
      connectable_.pop_back();
      HR_RETURN_IF_ERROR(Connect(position, now_s));
    }
  }
  return absl::OkStatus();
}

absl::Status StrayBlocks::Connect(const BlockPosition& position, int64_t now_s) {
  HR_ASSIGN_OR_RETURN(const SharedBytes raw, blocks_.Map(position));
  const BlockHeader header = BlockHeader::Load(raw.bytes.data());
  const HeaderAcceptance accepted = AcceptHeader(tree_, header, params_, now_s);
  if (accepted.verdict.rule == Rule::kParentUnknown) {
    waiting_[header.previous].push_back(position);
    return absl::OkStatus();
  }
  if (!accepted.verdict.ok()) {
    bytes_done_ += position.size;
    return absl::OkStatus();
  }
  if (accepted.is_new) HR_RETURN_IF_ERROR(records_.Put(accepted.id));
  if (const auto children = waiting_.find(tree_.hash(accepted.id)); children != waiting_.end()) {
    connectable_.insert(connectable_.end(), children->second.begin(), children->second.end());
    waiting_.erase(children);
  }
  if (accepted.id == kGenesisId) {
    bytes_done_ += position.size;
  } else {
    queue_.push_back({accepted.id, position});
  }
  return absl::OkStatus();
}

void StrayBlocks::Sort() {
  is_sorted_ = true;
  for (const auto& [parent, positions] : waiting_) {
    for (const BlockPosition& position : positions) bytes_done_ += position.size;
  }
  waiting_ = {};
  const auto key = [this](const Queued& queued) {
    return std::tuple(tree_.height(queued.id), queued.id, queued.position.file, queued.position.offset);
  };
  std::sort(queue_.begin(), queue_.end(), [&](const Queued& a, const Queued& b) { return key(a) < key(b); });
}

absl::StatusOr<bool> StrayBlocks::Feed(uint64_t pending_bytes_max) {
  bool any = false;
  for (; next_queued_ < queue_.size(); ++next_queued_) {
    const auto& [id, position] = queue_[next_queued_];
    if (!tree_.has_data(id) && !tree_.is_invalid(id)) {
      // A block may stand in the files twice, and only one copy be whole: the second is tried when the first has
      // failed.
      if (pipeline_.Holds(id)) break;
      if (!pipeline_.has_room() || pipeline_.pending_bytes() >= pending_bytes_max) break;
      HR_ASSIGN_OR_RETURN(SharedBytes raw, blocks_.Map(position));
      pipeline_.Submit(id, std::move(raw), nullptr, 0, position);
      under_check_.push_back(id);
    }
    bytes_done_ += position.size;
    any = true;
  }
  return any;
}

bool StrayBlocks::AllAreSettled() {
  while (!under_check_.empty()) {
    const HeaderId id = under_check_.front();
    if (tree_.has_data(id)) {
      ++adopted_;
    } else if (pipeline_.Holds(id)) {
      return false;
    }
    under_check_.pop_front();
  }
  return true;
}

absl::Status StrayBlocks::Finish() {
  is_done_ = true;
  HR_RETURN_IF_ERROR(blocks_.ForgetStrays());
  if (strays_.empty()) return absl::OkStatus();
  HR_LOG(kInfo, kNode, "blocks taken up from the block files count=", adopted_, " left=", strays_.size() - adopted_);
  // Everything that the headers of the files promise and their blocks do not keep.
  const HeaderId candidate = tree_.best_candidate();
  const HeaderId header = tree_.best_header();
  if (tree_.height(header) > tree_.height(candidate)) {
    const uint32_t fork_height = tree_.height(tree_.LastCommonAncestor(candidate, header));
    HR_LOG(kWarning, kNode, "the block files have a gap: block ",
           tree_.hash(tree_.Ancestor(header, fork_height + 1)).ToHex(),
           " is missing or damaged and has to come from a peer height=", fork_height + 1);
  }
  strays_ = {};
  queue_ = {};
  next_stray_ = next_queued_ = 0;
  return absl::OkStatus();
}

}  // namespace headrace
