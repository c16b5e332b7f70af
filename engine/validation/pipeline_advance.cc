// The pipeline's way forward: which chain to follow, what to read ahead, and windows into the coin store.

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/base/log.h"
#include "engine/base/span.h"
#include "engine/base/status_macros.h"
#include "engine/validation/block_pipeline.h"
#include "engine/validation/verify_stage.h"

namespace headrace {
namespace {

constexpr int64_t kCheckpointAgeMaxNs = int64_t{24} * 3600 * 1'000'000'000;

}  // namespace

HeaderId BlockPipeline::Target() const {
  if (is_recovering_) return recovery_tip_;
  const HeaderId best = tree_.best_candidate();
  return tree_.height(best) > options_.height_max ? tree_.Ancestor(best, options_.height_max) : best;
}

std::vector<HeaderId> BlockPipeline::PathTo(HeaderId target, uint32_t blocks_max) const {
  const uint32_t from = tree_.height(resolved_);
  const uint32_t to = std::min(tree_.height(target), from + blocks_max);
  std::vector<HeaderId> path(to - from);
  HeaderId id = tree_.Ancestor(target, to);
  for (size_t i = path.size(); i-- > 0; id = tree_.parent(id)) path[i] = id;
  return path;
}

absl::StatusOr<bool> BlockPipeline::Advance(std::vector<BlockReport>& reports) {
  // Blocks admitted in this turn may have changed it.
  FollowBranches();
  const HeaderId target = target_;
  if (target == resolved_ || is_held_) return false;
  const HeaderId own = is_recovering_ ? recovery_tip_ : chain_.tip();
  if (stored_blocks_are_joining_ && !tree_.is_complete(own)) return false;
  if (!tree_.IsAncestorOf(resolved_, target)) {
    // Another branch has more work. What is above the applied tip finishes first; then the applied blocks that are not on
    // the new branch are taken back, one a turn.
    if (!ahead_.empty()) return false;
    HR_RETURN_IF_ERROR(DisconnectTip());
    return true;
  }
  is_disconnecting_ = false;
  const uint32_t blocks_max =
      std::max({options_.window_blocks_max, options_.read_ahead_blocks, options_.locate_ahead_blocks});
  const std::vector<HeaderId> path = PathTo(target, blocks_max);
  HR_ASSIGN_OR_RETURN(const bool read, ReadAhead(path));
  const bool located = LocateNext(path);
  HR_ASSIGN_OR_RETURN(const bool resolved, ResolveNext(path, reports));
  return read || located || resolved;
}

absl::Status BlockPipeline::MissingBlock(HeaderId id) const {
  return absl::DataLossError(absl::StrCat("Block ", tree_.hash(id).ToHex(), " at height ", tree_.height(id),
                                          " is needed and not in the block files in ", blocks_.directory(),
                                          ". Start once with -reindex, which downloads it again."));
}

absl::StatusOr<bool> BlockPipeline::ReadAhead(std::span<const HeaderId> path) {
  const Span span(SpanKind::kReadAhead);
  bool any = false;
  for (size_t i = 0; i < std::min<size_t>(path.size(), options_.read_ahead_blocks); ++i) {
    const HeaderId id = path[i];
    if (Holds(id)) continue;
    // The block that everything waits for is always let in.
    if (i != 0 && graph_bytes_ + ready_bytes_ > options_.ready_bytes_max / 4 * 3) break;
    if (!tree_.has_data(id)) return MissingBlock(id);
    HR_ASSIGN_OR_RETURN(SharedBytes raw, blocks_.Map(tree_.data(id)));
    if (raw.bytes.size() < BlockHeader::kSerializedBytes || BlockHeader::Load(raw.bytes.data()) != tree_.header(id)) {
      return blocks_.DamageAt(tree_.data(id), absl::StrCat("something else stands where block ", tree_.hash(id).ToHex(),
                                                           " at height ", tree_.height(id), " should be"));
    }
    const auto sender = senders_.extract(id);
    Submit(id, std::move(raw), nullptr, sender.empty() ? 0 : sender.mapped());
    any = true;
  }
  return any;
}

bool BlockPipeline::LocateNext(std::span<const HeaderId> path) {
  std::vector<BlockJob*> jobs;
  std::vector<const BlockColumns*> columns;
  uint64_t bytes = 0;
  for (const HeaderId id : path.first(std::min<size_t>(path.size(), options_.locate_ahead_blocks))) {
    const auto found = ready_.find({tree_.height(id), id});
    if (found == ready_.end()) continue;
    BlockJob* job = found->second.get();
    if (!job->is_located) {
      jobs.push_back(job);
      columns.push_back(&job->columns);
    }
    bytes += job->block_bytes;
    if (bytes > options_.locate_ahead_bytes) break;
  }
  if (jobs.empty()) return false;
  const Span span(SpanKind::kLocate);
  std::vector<CoinReadsRef> reads(jobs.size());
  coins_.Locate(columns, reads, [doorbell = reads_doorbell_] { doorbell->Ring(); });
  for (size_t i = 0; i < jobs.size(); ++i) {
    jobs[i]->is_located = true;
    jobs[i]->coin_reads = std::move(reads[i]);
    jobs[i]->stage = BlockStage::kLocated;
  }
  return true;
}

absl::StatusOr<bool> BlockPipeline::ResolveNext(std::span<const HeaderId> path, std::vector<BlockReport>& reports) {
  if (ahead_bytes_ > options_.ahead_bytes_max || ahead_.size() >= options_.ahead_blocks_max) return false;
  std::vector<BlockJob*> window;
  uint64_t window_bytes = 0;
  for (HeaderId id : path) {
    const auto found = ready_.find({tree_.height(id), id});
    if (found == ready_.end()) break;
    BlockJob* job = found->second.get();
    if (!job->is_located) break;
    if (job->coin_reads != nullptr) {
      // Its turn comes again when the disk is done; nobody waits for it here.
      if (!job->coin_reads->done()) break;
      HR_RETURN_IF_ERROR(job->coin_reads->status());
    }
    // BIP30's exceptions are windows of their own.
    if (!window.empty() && (job->context.bip30_exception || window.back()->context.bip30_exception)) break;
    if (window.size() == options_.window_blocks_max || window_bytes > options_.window_bytes_max) break;
    window.push_back(job);
    window_bytes += job->block_bytes;
  }
  if (window.empty()) return false;
  RecordHeldUp();

  size_t resolved;
  {
    const Span span(SpanKind::kResolve);
    std::optional<Span> beside_checkpoint;
    if (coins_.checkpoint_under_way()) beside_checkpoint.emplace(SpanKind::kResolveBesideCheckpoint);
    const std::lock_guard gate(gate_);
    HR_ASSIGN_OR_RETURN(resolved, resolver_.Resolve(window, is_recovering_));
    for (size_t i = 0; i < resolved; ++i) {
      BlockJob* job = window[i];
      job->stage = BlockStage::kResolved;
      job->is_recovered = is_recovering_;
      job->scripts_assumed = is_recovering_ || ScriptsAreAssumed(job->id);
      ready_bytes_ -= job->stage_bytes;
      CountWorking(*job, job->MeasureWorkingBytes());
      ahead_bytes_ += job->stage_bytes = job->slab_bytes + job->working_bytes;
      average_block_bytes_ += (static_cast<double>(job->block_bytes) - average_block_bytes_) / 16;
      average_working_bytes_ += (static_cast<double>(job->working_bytes) - average_working_bytes_) / 16;
      ahead_.push_back(std::move(ready_.extract({job->height, job->id}).mapped()));
      resolved_ = job->id;
    }
  }
  for (size_t i = 0; i < resolved; ++i) StartVerification(*window[i]);
  if (resolved < window.size()) {
    BlockJob* bad = window[resolved];
    HR_LOG(kWarning, kValidation, "block rejected hash=", tree_.hash(bad->id).ToHex(), " height=", bad->height,
           " reason=", bad->verdict.RejectReason(), " transaction=", bad->verdict.transaction,
           " input=", bad->verdict.input, " stage=resolve");
    reports.push_back({bad->id, bad->source, bad->verdict});
    HR_RETURN_IF_ERROR(MarkInvalid(bad->id));
  }
  if (is_recovering_ && resolved_ == recovery_tip_) {
    HR_LOG(kInfo, kValidation, "the unspent set is recovered height=", tree_.height(resolved_));
    is_recovering_ = false;
  }
  return true;
}

void BlockPipeline::RecordHeldUp() const {
  SpanRecorder* const recorder = CurrentSpanRecorder();
  if (recorder == nullptr || held_up_ns_ == 0) return;
  const int64_t now_ns = recorder->NowNs();
  recorder->Record(SpanKind::kHeldUp, now_ns - held_up_ns_, now_ns);
}

bool BlockPipeline::ScriptsAreAssumed(HeaderId id) const {
  if ((records_.status(id) & kBlockScriptsVerified) != 0) return true;
  return ScriptPostureOf(tree_, id, options_.assume_valid, params_) == ScriptPosture::kAssumed;
}

void BlockPipeline::StartVerification(BlockJob& job) {
  if (!job.scripts_assumed) CutScriptBatches(job);
  if (job.batches.empty()) {
    job.stage = BlockStage::kVerified;
    return;
  }
  ++verifying_count_;
  // The last batch hands the job back, and the engine may then recycle it: nothing of it is touched after that. The
  // batches' own memory is stable until then, so its end is fetched first.
  const ScriptBatch* end = job.batches.data() + job.batches.size();
  for (ScriptBatch* batch = job.batches.data(); batch != end; ++batch) graph_->Put(kVerifyNode, batch);
}

absl::Status BlockPipeline::DriveCheckpoint(int64_t now_ns) {
  held_up_ns_ = 0;
  if (last_checkpoint_ns_ == 0) last_checkpoint_ns_ = last_sync_ns_ = now_ns;
  if (is_recovering_) return absl::OkStatus();
  if (coins_.checkpoint_under_way()) {
    const Span span(SpanKind::kCheckpoint, &held_up_ns_);
    return coins_.StepCheckpoint();
  }
  const bool anything_new = !(coins_.durable() == coins_.resolved());
  const int64_t elapsed_ns = now_ns - last_checkpoint_ns_;
  if (!anything_new || elapsed_ns < options_.checkpoint_interval_ns) return absl::OkStatus();
  const uint64_t replay_bytes = counters_.block_bytes - checkpointed_bytes_;
  if (replay_bytes < options_.checkpoint_replay_bytes_min && elapsed_ns < kCheckpointAgeMaxNs) {
    if (synced_bytes_ == counters_.block_bytes || now_ns - last_sync_ns_ < options_.checkpoint_interval_ns) {
      return absl::OkStatus();
    }
    last_sync_ns_ = now_ns;
    synced_bytes_ = counters_.block_bytes;
    return blocks_.Sync();
  }
  last_checkpoint_ns_ = last_sync_ns_ = now_ns;
  checkpointed_bytes_ = synced_bytes_ = counters_.block_bytes;
  const Span span(SpanKind::kCheckpoint, &held_up_ns_);
  HR_RETURN_IF_ERROR(coins_.BeginCheckpoint());
  return coins_.StepCheckpoint();
}

}  // namespace headrace
