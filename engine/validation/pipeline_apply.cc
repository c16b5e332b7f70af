// The pipeline's verdicts: applying what is verified, taking back what is not, and leaving a branch.

#include <cstring>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/base/log.h"
#include "engine/base/span.h"
#include "engine/base/status_macros.h"
#include "engine/consensus/check_block.h"
#include "engine/primitives/decode.h"
#include "engine/primitives/transaction_hashes.h"
#include "engine/validation/block_pipeline.h"
#include "engine/validation/undo_codec.h"

namespace headrace {

absl::StatusOr<bool> BlockPipeline::ApplyVerified(std::vector<BlockReport>& reports, std::vector<HeaderId>& applied) {
  bool any = false;
  while (!ahead_.empty() && ahead_.front()->stage == BlockStage::kVerified) {
    any = true;
    if (!ahead_.front()->verdict.ok()) {
      HR_RETURN_IF_ERROR(RejectFront(reports));
      break;
    }
    HR_RETURN_IF_ERROR(ApplyOne(applied));
  }
  return any;
}

absl::Status BlockPipeline::ApplyOne(std::vector<HeaderId>& applied) {
  const Span span(SpanKind::kApply);
  BlockJob& job = *ahead_.front();
  const HeaderId id = job.id;
  const bool is_undo_new = !tree_.undo(id).exists();
  if (is_undo_new) {
    if (job.is_recovered) {
      return absl::DataLossError(absl::StrCat("The undo record of block ", tree_.hash(id).ToHex(), " at height ", job.height,
                                              " is missing from the block index in ", blocks_.directory(),
                                              ". Start once with -reindex."));
    }
    std::vector<uint8_t> undo;
    EncodeUndo(job.spent, job.columns.first_input[1], undo);
    HR_ASSIGN_OR_RETURN(const BlockPosition position, blocks_.AppendUndo(tree_.hash(id), undo));
    tree_.SetUndo(id, position);
  }
  const uint32_t status = job.scripts_assumed ? kBlockApplied : kBlockApplied | kBlockScriptsVerified;
  if (is_undo_new || (records_.status(id) & status) != status) {
    records_.AddStatus(id, status);
    HR_RETURN_IF_ERROR(records_.Put(id));
  }

  const uint32_t inputs = job.columns.input_count() - job.columns.first_input[1];
  ++counters_.blocks_applied;
  counters_.block_bytes += job.raw.bytes.size();
  counters_.transactions += job.columns.transaction_count();
  counters_.inputs += inputs;
  (job.scripts_assumed ? counters_.scripts_skipped : counters_.scripts_verified) += inputs;

  ahead_bytes_ -= job.stage_bytes;
  {
    const std::lock_guard gate(gate_);
    chain_.SetTip(id);
    coins_.SetApplied({tree_.hash(id), job.height});
    Recycle(std::move(ahead_.front()));
    ahead_.pop_front();
    coins_are_of_tip_ = coins_are_of_tip_ || id == recovery_tip_;
  }
  applied.push_back(id);
  return absl::OkStatus();
}

absl::Status BlockPipeline::TakeBackAhead(std::vector<BlockReport>& reports) {
  if (ahead_.empty()) return absl::OkStatus();
  // Batches of these blocks may still run on their jobs: all must be home before the jobs are freed.
  graph_->WaitUntilEmpty();
  HR_ASSIGN_OR_RETURN([[maybe_unused]] const bool collected, CollectDone(reports));
  HR_CHECK(verifying_count_ == 0);
  std::vector<WindowBlock> window;
  for (const JobOwner& job : ahead_) window.push_back(WindowBlockOf(*job));
  const std::lock_guard gate(gate_);
  HR_RETURN_IF_ERROR(coins_.Unapply(window, {tree_.hash(chain_.tip()), chain_.height()}));
  resolved_ = chain_.tip();
  while (!ahead_.empty()) {
    Recycle(std::move(ahead_.front()));
    ahead_.pop_front();
  }
  ahead_bytes_ = 0;
  return absl::OkStatus();
}

absl::Status BlockPipeline::RejectFront(std::vector<BlockReport>& reports) {
  const BlockJob& bad = *ahead_.front();
  const HeaderId id = bad.id;
  HR_LOG(kWarning, kValidation, "block rejected hash=", tree_.hash(id).ToHex(), " height=", bad.height,
         " reason=", bad.verdict.RejectReason(), " transaction=", bad.verdict.transaction, " input=", bad.verdict.input,
         " stage=verify taken_back=", ahead_.size());
  reports.push_back({id, bad.source, bad.verdict});
  HR_RETURN_IF_ERROR(TakeBackAhead(reports));
  return MarkInvalid(id);
}

absl::Status BlockPipeline::Invalidate(HeaderId id, std::vector<BlockReport>& reports) {
  HR_RETURN_IF_ERROR(MarkInvalid(id));
  const bool is_ahead = !ahead_.empty() && tree_.is_invalid(ahead_.back()->id);
  return is_ahead ? TakeBackAhead(reports) : absl::OkStatus();
}

absl::Status BlockPipeline::Reconsider(HeaderId id) {
  for (const HeaderId unmarked : tree_.Reconsider(id)) HR_RETURN_IF_ERROR(records_.Put(unmarked));
  return absl::OkStatus();
}

absl::Status BlockPipeline::DisconnectTip() {
  const HeaderId id = chain_.tip();
  HR_CHECK(ahead_.empty() && resolved_ == id && id != kGenesisId);
  if (!tree_.has_data(id)) return MissingBlock(id);
  JobOwner job = NewJob(0);
  job->id = id;
  job->height = tree_.height(id);
  HR_ASSIGN_OR_RETURN(job->raw, blocks_.Map(tree_.data(id)));
  HR_ASSIGN_OR_RETURN(const SharedBytes undo, blocks_.ReadUndo(tree_.undo(id), tree_.hash(id)));
  bool is_whole = DecodeBlock(job->raw.bytes, job->columns) == DecodeError::kNone && job->columns.hash == tree_.hash(id);
  if (is_whole) {
    HashTransactions(job->columns);
    is_whole = MatchesCommitments(job->columns);
  }
  if (!is_whole) {
    return blocks_.DamageAt(tree_.data(id), absl::StrCat("block ", tree_.hash(id).ToHex(), " at height ", job->height,
                                                         " is not what was stored"));
  }
  job->spent.assign(job->columns.input_count(), Coin());
  if (DecodeUndo(undo.bytes, job->columns.first_input[1], job->spent, job->arena) != DecodeError::kNone) {
    return absl::DataLossError(absl::StrCat("The undo record of block ", tree_.hash(id).ToHex(), " at height ", job->height,
                                            " in ", blocks_.directory(), " does not fit the block. Start once with -reindex."));
  }
  job->context = MakeBlockContext(tree_.header(id), tree_.hash(id), TreeAncestry(tree_, tree_.parent(id)), params_);
  const HeaderId parent = tree_.parent(id);
  const BlockPoint below{tree_.hash(parent), tree_.height(parent)};
  const WindowBlock window[] = {WindowBlockOf(*job)};
  {
    const std::lock_guard gate(gate_);
    HR_RETURN_IF_ERROR(coins_.Unapply(window, below));
    coins_.SetApplied(below);
    chain_.SetTip(parent);
    resolved_ = parent;
  }
  HR_LOG(kInfo, kValidation, "block disconnected hash=", tree_.hash(id).ToHex(), " height=", job->height);
  // One reorganisation, however many blocks deep.
  if (!is_disconnecting_) ++counters_.reorganisations;
  is_disconnecting_ = true;
  ++counters_.blocks_disconnected;
  Recycle(std::move(job));
  return absl::OkStatus();
}

absl::Status BlockPipeline::Shutdown() {
  graph_->WaitUntilEmpty();
  std::vector<BlockReport> reports;
  std::vector<HeaderId> applied;
  HR_ASSIGN_OR_RETURN([[maybe_unused]] const bool collected, CollectDone(reports));
  HR_ASSIGN_OR_RETURN([[maybe_unused]] const bool some, ApplyVerified(reports, applied));
  HR_CHECK(ahead_.empty());
  // A recovery that was not finished left the manifest as it was: it starts again from there.
  if (is_recovering_) return blocks_.Sync();
  return coins_.FinishCheckpoint();
}

BlockPoint BlockPipeline::AppliedTip() const {
  const std::shared_lock gate(gate_);
  return {tree_.hash(chain_.tip()), chain_.height()};
}

absl::StatusOr<bool> BlockPipeline::FindCoin(const OutPoint& outpoint, Coin& coin,
                                             std::vector<uint8_t>& script_buffer) const {
  const std::shared_lock gate(gate_);
  if (!coins_are_of_tip_) {
    return absl::UnavailableError("The unspent set is being recovered after an unclean stop; ask again in a moment.");
  }
  const uint32_t applied_height = chain_.height();
  uint8_t wanted[OutPoint::kSerializedBytes];
  outpoint.Store(wanted);
  // Spent above the applied tip: still there, unless it was made above it as well.
  for (const JobOwner& job : ahead_) {
    const BlockColumns& columns = job->columns;
    for (uint32_t i = columns.first_input[1]; i < columns.input_count(); ++i) {
      if (std::memcmp(columns.prevout_bytes(i), wanted, sizeof(wanted)) != 0) continue;
      coin = job->spent[i];
      script_buffer.assign(coin.script.begin(), coin.script.end());
      coin.script = script_buffer;
      return coin.height <= applied_height;
    }
  }
  HR_ASSIGN_OR_RETURN(const bool found, coins_.Find(outpoint, coin, script_buffer));
  // Made above the applied tip: not there yet.
  return found && coin.height <= applied_height;
}

}  // namespace headrace
