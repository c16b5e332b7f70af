// What the node does near the tip alone: blocks out of compact blocks, and what their transactions are taken from.

#include "engine/base/status_macros.h"
#include "engine/node/node.h"
#include "engine/primitives/decode.h"
#include "engine/primitives/transaction_hashes.h"

namespace headrace {
namespace {

// How far above the tip a compact block is put together; further up it is a header like others. (The field does the
// same.)
constexpr uint32_t kBlocksAheadMax = 2;
// Of a reorganisation this deep the transactions are kept; older ones are long in other blocks.
constexpr uint32_t kKeptDepthMax = 6;

}  // namespace

bool Node::MayRebuild(HeaderId id) const {
  const HeaderId tip = pipeline_.chain().tip();
  const bool is_ready = !reached_stop_height() && !is_initial_block_download_ && strays_.is_done() &&
                        !pipeline_.is_recovering() && tree_.work(tree_.best_header()) >= options_.minimum_chain_work;
  return is_ready && !tree_.is_invalid(id) && !pipeline_.Holds(id) && tree_.work(id) > tree_.work(tip) &&
         tree_.height(id) <= tree_.height(tip) + kBlocksAheadMax;
}

absl::Status Node::OnCompactBlock(const CompactBlockReceived& event, int64_t now_ns) {
  const BlockHeader& header = event.block->header;
  const Hash256 hash = header.Hash();
  // BIP152 lets a peer announce what it has not validated whole: that others found it bad meanwhile is not the peer's
  // fault.
  if (const HeaderId known = tree_.Find(hash); known != kNoHeader && tree_.is_invalid(known)) return absl::OkStatus();
  // First of all it announces a header, and during the initial download it is nothing else.
  HR_RETURN_IF_ERROR(OnHeaders({event.peer, {header}}, now_ns));
  const HeaderId id = tree_.Find(hash);
  if (id == kNoHeader) return absl::OkStatus();
  if (MayRebuild(id)) {
    TakeRebuilt(compact_.OnCompactBlock(event, id, now_ns, commands_), event.peer);
  } else {
    compact_.OnUnwanted(event.peer, id, commands_);
  }
  return absl::OkStatus();
}

void Node::OnBlockTransactions(const BlockTransactionsReceived& event, int64_t now_ns) {
  TakeRebuilt(compact_.OnBlockTransactions(event, now_ns, commands_), event.peer);
}

void Node::TakeRebuilt(const std::optional<RebuiltBlock>& rebuilt, PeerId peer) {
  if (!rebuilt) return;
  ++blocks_downloaded_;
  ++blocks_rebuilt_;
  compact_.OnArrived(peer, rebuilt->id);
  if (pipeline_.Holds(rebuilt->id) || tree_.is_invalid(rebuilt->id)) {
    download_.OnSettled(rebuilt->id);
    return;
  }
  // Should it break a rule nobody answers for it: see above.
  pipeline_.Submit(rebuilt->id, SharedBytes::From(rebuilt->block), rebuilt->block, 0);
}

absl::Status Node::KeepTransactionsOf(HeaderId id) {
  if (!tree_.has_data(id)) return absl::OkStatus();
  HR_ASSIGN_OR_RETURN(const SharedBytes raw, ports_.blocks.Map(tree_.data(id)));
  BlockColumns columns;
  // What a disk has damaged is noticed by whoever needs it; here it is of no use.
  if (DecodeBlock(raw.bytes, columns) != DecodeError::kNone) return absl::OkStatus();
  HashTransactions(columns);
  recent_transactions_.AddBlock(columns);
  return absl::OkStatus();
}

// After a turn of the pipeline: what is in blocks that came too late or that the chain left behind, the next ones may
// hold.
absl::Status Node::KeepLostTransactions(HeaderId tip_before) {
  if (is_initial_block_download_) return absl::OkStatus();
  const HeaderId tip = pipeline_.chain().tip();
  for (const BlockReport& report : reports_) {
    const bool has_lost =
        report.verdict.ok() && !pipeline_.chain().Contains(report.id) && tree_.work(report.id) <= tree_.work(tip);
    if (has_lost) HR_RETURN_IF_ERROR(KeepTransactionsOf(report.id));
  }
  if (pipeline_.chain().Contains(tip_before)) return absl::OkStatus();
  const HeaderId fork = pipeline_.chain().FindFork(tip_before);
  HeaderId lost = tip_before;
  for (uint32_t depth = 0; depth < kKeptDepthMax && lost != fork; ++depth, lost = tree_.parent(lost)) {
    HR_RETURN_IF_ERROR(KeepTransactionsOf(lost));
  }
  return absl::OkStatus();
}

}  // namespace headrace
