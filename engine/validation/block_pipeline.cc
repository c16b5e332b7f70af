#include "engine/validation/block_pipeline.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/base/log.h"
#include "engine/base/status_macros.h"
#include "engine/validation/check_stage.h"
#include "engine/validation/verify_stage.h"

namespace headrace {
namespace {

// Every job in the graph may be in the ring at once; it never holds more, since those to parse and check are bounded by
// graph_blocks_max, the download window and the read-ahead, and those to verify by ahead_blocks_max and a window.
constexpr size_t kDoneRingCapacity = 1 << 16;
constexpr size_t kPoolMax = 256;
// A job that has kept no more than this is good for a block of any size.
constexpr uint64_t kKeptForAnyBytes = 16 << 10;
// Blocks of branches that never win stay in senders_: beyond this many, further senders are not remembered.
constexpr size_t kSendersMax = 1 << 16;

}  // namespace

BlockPipeline::BlockPipeline(HeaderTree& tree, const ChainParams& params, BlockRecords& records, BlockStore& blocks,
                             CoinStore& coins, Executor& executor, Doorbell& doorbell, const PipelineOptions& options)
    : tree_(tree),
      params_(params),
      records_(records),
      blocks_(blocks),
      coins_(coins),
      executor_(executor),
      doorbell_(doorbell),
      reads_doorbell_(std::make_shared<DetachableDoorbell>(doorbell)),
      options_(options),
      resolver_(tree, params, coins, executor),
      chain_(tree),
      done_(kDoneRingCapacity) {
  MakeGraph();
}

BlockPipeline::~BlockPipeline() {
  graph_->WaitUntilEmpty();
  reads_doorbell_->TakeDown();
}

void BlockPipeline::MakeGraph() {
  const auto hand_back = [this](BlockJob* job) {
    HR_CHECK(done_.TryPush(std::move(job)));
    doorbell_.Ring();
    return -1;
  };
  std::vector<TaskNode> nodes(3);
  nodes[kParseNode] = {"parse", 0,
                       [hand_back](TaskToken token) {
                         auto* job = static_cast<BlockJob*>(token);
                         ParseBlock(*job);
                         return job->verdict.ok() ? 0 : hand_back(job);
                       },
                       {kCheckNode}};
  nodes[kCheckNode] = {"check", 0,
                       [this, hand_back](TaskToken token) {
                         auto* job = static_cast<BlockJob*>(token);
                         CheckJob(*job, params_);
                         return hand_back(job);
                       },
                       {}};
  nodes[kVerifyNode] = {"verify", 0,
                        [hand_back](TaskToken token) {
                          const auto* batch = static_cast<ScriptBatch*>(token);
                          BlockJob* job = batch->job;
                          return VerifyScriptBatch(*batch) ? hand_back(job) : -1;
                        },
                        {}};
  graph_ = executor_.MakeGraph(std::move(nodes));
}

absl::Status BlockPipeline::Start() {
  const BlockPoint start = coins_.recovery_start();
  const HeaderId id = tree_.Find(start.hash);
  if (id == kNoHeader || tree_.height(id) != start.height) {
    return absl::FailedPreconditionError(
        absl::StrCat("The block index in ", blocks_.directory(), " does not know block ", start.hash.ToHex(),
                     ", at which the unspent set ends: put back the files that belong together, or start once with "
                     "-reindex-chainstate, which builds the set again from the block files."));
  }
  chain_.SetTip(id);
  resolved_ = id;
  // Where two branches are equal, a restart stays on the one it was on.
  tree_.PreferCandidate(id);
  for (const HeaderId tip : tree_.tips()) {
    if (tree_.is_complete(tip) && tree_.IsAncestorOf(id, tip)) tree_.PreferCandidate(tip);
  }
  const BlockPoint end = coins_.recovery_end();
  if (end.height > start.height) {
    const HeaderId end_id = tree_.Find(end.hash);
    if (end_id == kNoHeader || !tree_.IsAncestorOf(id, end_id)) {
      return absl::FailedPreconditionError(
          absl::StrCat("The block index in ", blocks_.directory(), " does not have block ", end.hash.ToHex(),
                       ", to which the unspent set reaches, above the block where it starts: put back the files that belong "
                       "together, or start once with -reindex-chainstate, which builds the set again from the block files."));
    }
    is_recovering_ = true;
    coins_are_of_tip_ = false;
    recovery_tip_ = end_id;
    HR_LOG(kInfo, kValidation, "recovering the unspent set from_height=", start.height, " to_height=", end.height);
  }
  return absl::OkStatus();
}

BlockPipeline::JobOwner BlockPipeline::NewJob(uint64_t block_bytes) {
  // What was kept of a large block is too much for thousands of tiny ones.
  const bool fits = !pool_.empty() && pool_.back()->working_bytes <= kKeptForAnyBytes + 4 * block_bytes;
  if (!fits) return std::make_unique<BlockJob>();
  JobOwner job = std::move(pool_.back());
  pool_.pop_back();
  pool_bytes_ -= job->working_bytes;
  return job;
}

void BlockPipeline::Recycle(JobOwner job) {
  job->Recycle();
  pending_bytes_ -= std::exchange(job->block_bytes, 0);
  job->slab_bytes = job->stage_bytes = 0;
  if (pool_.size() >= kPoolMax) return CountWorking(*job, 0);
  CountWorking(*job, job->MeasureWorkingBytes());
  pool_bytes_ += job->working_bytes;
  pool_.push_back(std::move(job));
  TrimPool();
}

// A block that comes takes its working memory from the pool and its slab from what is left: the pool gives way to
// slabs.
void BlockPipeline::TrimPool() {
  while (!pool_.empty() && memory_bytes() > options_.kept_below_bytes) {
    pool_bytes_ -= pool_.back()->working_bytes;
    CountWorking(*pool_.back(), 0);
    pool_.pop_back();
  }
}

void BlockPipeline::CountWorking(BlockJob& job, uint64_t bytes) {
  working_bytes_ += bytes - job.working_bytes;
  job.working_bytes = bytes;
}

uint64_t BlockPipeline::RoomBytes(uint64_t budget_bytes) const {
  if (!is_fed()) return budget_bytes - std::min(budget_bytes, memory_bytes() - pool_bytes_ - ready_bytes_);
  const uint64_t unused = budget_bytes - std::min(budget_bytes, memory_bytes());
  // A block takes its slab from what is unused, and its working memory from the pool, or from there as well.
  const double share_of_block = average_block_bytes_ / (average_block_bytes_ + average_working_bytes_);
  const uint64_t room =
      std::min(unused, static_cast<uint64_t>(static_cast<double>(unused + pool_bytes_) * share_of_block));
  const uint64_t waiting = graph_bytes_ + ready_bytes_;
  const uint64_t may_wait = options_.ready_bytes_max - std::min(options_.ready_bytes_max, waiting);
  const double more = static_cast<double>(may_wait) * share_of_block;
  return more < average_block_bytes_ ? 0 : std::min(room, static_cast<uint64_t>(more));
}

bool BlockPipeline::Holds(HeaderId id) const {
  return in_graph_.contains(id) || ready_.contains({tree_.height(id), id});
}

void BlockPipeline::Submit(HeaderId id, SharedBytes raw, SlabRef slab, PeerId source, const BlockPosition& stored_at) {
  HR_CHECK(!in_graph_.contains(id) && id != kGenesisId);
  JobOwner job = NewJob(raw.bytes.size());
  job->id = id;
  job->height = tree_.height(id);
  job->source = source;
  job->raw = std::move(raw);
  job->block_bytes = job->raw.bytes.size();
  if (slab != nullptr) {
    job->slab = Counted(std::move(slab), slab_bytes_);
    job->slab_bytes = job->slab->size();
    job->raw = SharedBytes::From(job->slab);
  }
  job->stored_at = stored_at;
  job->stage = BlockStage::kReceived;
  job->context = MakeBlockContext(tree_.header(id), tree_.hash(id), TreeAncestry(tree_, tree_.parent(id)), params_);
  pending_bytes_ += job->block_bytes;
  CountWorking(*job, std::max(job->working_bytes, ExpectedWorkingBytes(job->block_bytes)));
  graph_bytes_ += job->stage_bytes = job->slab_bytes + job->working_bytes;
  TrimPool();
  BlockJob* token = job.get();
  in_graph_.emplace(id, std::move(job));
  graph_->Put(kParseNode, token);
}

absl::StatusOr<bool> BlockPipeline::CollectDone(std::vector<BlockReport>& reports) {
  bool any = false;
  while (auto popped = done_.TryPop()) {
    any = true;
    BlockJob* job = *popped;
    if (job->stage == BlockStage::kResolved) {
      job->verdict = ScriptVerdict(*job);
      job->stage = BlockStage::kVerified;
      --verifying_count_;
      continue;
    }
    auto node = in_graph_.extract(job->id);
    HR_CHECK(!node.empty());
    graph_bytes_ -= job->stage_bytes;
    HR_RETURN_IF_ERROR(Admit(std::move(node.mapped()), reports));
  }
  return any;
}

absl::Status BlockPipeline::Admit(JobOwner job, std::vector<BlockReport>& reports) {
  const HeaderId id = job->id;
  const bool was_stored = tree_.has_data(id);
  if (!job->verdict.ok()) {
    if (was_stored && job->slab == nullptr && job->verdict.is_mutation()) {
      return blocks_.DamageAt(tree_.data(id), absl::StrCat("block ", tree_.hash(id).ToHex(), " at height ", job->height,
                                                           " is not what was stored"));
    }
    HR_LOG(kWarning, kValidation, "block rejected hash=", tree_.hash(id).ToHex(), " height=", job->height,
           " reason=", job->verdict.RejectReason(), " transaction=", job->verdict.transaction,
           " input=", job->verdict.input, " stage=", job->stage == BlockStage::kChecked ? "check" : "parse");
    reports.push_back({id, job->source, job->verdict});
    // A mutated block's hash may belong to a good one: it is never remembered.
    if (!job->verdict.is_mutation()) HR_RETURN_IF_ERROR(MarkInvalid(id));
    Recycle(std::move(job));
    return absl::OkStatus();
  }
  if (!was_stored) {
    HR_CHECK(job->slab != nullptr || job->stored_at.exists());
    BlockPosition position = job->stored_at;
    if (!position.exists()) {
      HR_ASSIGN_OR_RETURN(position, blocks_.AppendBlock(job->slab));
    }
    tree_.SetData(id, position, job->columns.transaction_count());
    HR_RETURN_IF_ERROR(records_.Put(id));
  }
  if (job->slab != nullptr) reports.push_back({id, job->source, Verdict()});
  job->slab = nullptr;
  if (tree_.is_invalid(id)) {
    Recycle(std::move(job));
    return absl::OkStatus();
  }
  // A block of another branch is read again if that branch wins.
  if (!IsWanted(id)) {
    LetGo(std::move(job));
    return absl::OkStatus();
  }
  KeepReady(std::move(job));
  return absl::OkStatus();
}

void BlockPipeline::KeepReady(JobOwner job) {
  CountWorking(*job, job->MeasureWorkingBytes());
  ready_bytes_ += job->stage_bytes = job->slab_bytes + job->working_bytes;
  const std::pair<uint32_t, HeaderId> key(job->height, job->id);
  ready_.emplace(key, std::move(job));
  // What waits out of order can go: its bytes are in the block files.
  while ((ready_bytes_ > options_.ready_bytes_max || ready_.size() > options_.ready_blocks_max) && ready_.size() > 1) {
    const auto unneeded = LeastNeeded();
    ready_bytes_ -= unneeded->second->stage_bytes;
    LetGo(std::move(unneeded->second));
    ready_.erase(unneeded);
  }
}

// A branch that is still arriving may begin far below the resolved block: by height alone its blocks would crowd out the next
// one of the chain that can be followed, which would then be read and dropped for ever. What is not above the resolved
// block is of no use before something is disconnected, so it goes first, then the farthest; the next one stays.
BlockPipeline::ReadyBlocks::iterator BlockPipeline::LeastNeeded() {
  const uint32_t resolved_height = tree_.height(resolved_);
  if (ready_.begin()->first.first <= resolved_height) return ready_.begin();
  const auto farthest = std::prev(ready_.end());
  const auto [height, id] = farthest->first;
  const bool is_next = height == resolved_height + 1 && tree_.IsAncestorOf(id, target_);
  return is_next ? std::prev(farthest) : farthest;
}

void BlockPipeline::LetGo(JobOwner job) {
  const bool will_be_read_again = !tree_.is_invalid(job->id);
  if (job->source != 0 && will_be_read_again && senders_.size() < kSendersMax) senders_[job->id] = job->source;
  Recycle(std::move(job));
}

absl::Status BlockPipeline::MarkInvalid(HeaderId id) {
  tree_.MarkInvalid(id);
  DropReady([this](HeaderId ready) { return tree_.is_invalid(ready); });
  return records_.Put(id);
}

template <typename Predicate>
void BlockPipeline::DropReady(Predicate&& is_unwanted) {
  for (auto at = ready_.begin(); at != ready_.end();) {
    if (!is_unwanted(at->first.second)) {
      ++at;
      continue;
    }
    ready_bytes_ -= at->second->stage_bytes;
    LetGo(std::move(at->second));
    at = ready_.erase(at);
  }
}

bool BlockPipeline::IsWanted(HeaderId id) const {
  return tree_.IsAncestorOf(id, best_header_) || tree_.IsAncestorOf(id, target_);
}

void BlockPipeline::FollowBranches() {
  const HeaderId best_header = tree_.best_header();
  const HeaderId target = Target();
  const bool left_a_branch = !tree_.IsAncestorOf(best_header_, best_header) || !tree_.IsAncestorOf(target_, target);
  best_header_ = best_header;
  target_ = target;
  if (left_a_branch) DropReady([this](HeaderId ready) { return !IsWanted(ready); });
}

absl::StatusOr<bool> BlockPipeline::Step(int64_t now_ns, std::vector<BlockReport>& reports,
                                         std::vector<HeaderId>& applied) {
  FollowBranches();
  HR_ASSIGN_OR_RETURN(const bool collected, CollectDone(reports));
  HR_ASSIGN_OR_RETURN(const bool some_applied, ApplyVerified(reports, applied));
  HR_ASSIGN_OR_RETURN(const bool advanced, Advance(reports));
  HR_RETURN_IF_ERROR(DriveCheckpoint(now_ns));
  HR_RETURN_IF_ERROR(blocks_.Poll());
  return collected || some_applied || advanced;
}

uint32_t BlockPipeline::verified_height() const {
  uint32_t height = chain_.height();
  for (const JobOwner& job : ahead_) {
    if (job->stage != BlockStage::kVerified || !job->verdict.ok()) break;
    height = job->height;
  }
  return height;
}

}  // namespace headrace
