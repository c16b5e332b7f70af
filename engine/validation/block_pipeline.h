// The pipeline: takes blocks through the stages of block_stage.h, keeps the three heights, and decides which chain the
// store follows. All stages overlap; nothing here waits for data.
//
// Threads: everything is called by the engine thread, but for AppliedTip and FindCoin, which any thread may call. Those
// two see the applied state only: a gate keeps them out while a window changes the store.
//
// Invariants:
//  1. ahead_ holds exactly the blocks above the applied tip whose effects are in the store, ascending.
//  2. resolved_ is the last of ahead_, or the applied tip.
//  3. A block is in one of in_graph_, ready_, ahead_, or in none.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/bounded_ring.h"
#include "engine/base/counted_slab.h"
#include "engine/base/reader_gate.h"
#include "engine/chain/active_chain.h"
#include "engine/chain/assume_valid.h"
#include "engine/chain/header_tree.h"
#include "engine/consensus/chain_params.h"
#include "engine/ports/block_store.h"
#include "engine/ports/coin_store.h"
#include "engine/ports/doorbell.h"
#include "engine/ports/executor.h"
#include "engine/validation/block_job.h"
#include "engine/validation/block_records.h"
#include "engine/validation/window_resolver.h"

namespace headrace {

struct PipelineOptions {
  uint32_t window_blocks_max = 128;
  uint64_t window_bytes_max = uint64_t{8} << 20;
  // Memory of blocks is counted whole: raw bytes, columns, spent coins and their scripts. These bounds leave room below
  // BlockDownloadOptions::budget_bytes for what was asked for, is being checked or is being written.
  // Blocks resolved and not yet applied: their undo stays in memory. A window more than this at most.
  uint64_t ahead_bytes_max = uint64_t{18} << 20;
  // Blocks parsed and waiting for their turn; more than this is dropped and read again from the block files.
  uint64_t ready_bytes_max = uint64_t{54} << 20;
  // Blocks being checked or ahead, when nobody waits for another one (has_room).
  uint64_t moving_bytes_max = uint64_t{36} << 20;
  // Columns and arenas of blocks that are done are kept for blocks to come as long as memory is less than this.
  uint64_t kept_below_bytes = uint64_t{78} << 20;
  uint32_t read_ahead_blocks = 64;
  // Blocks whose coins are asked of the disk before their window comes: enough to keep it busy, few enough that what was read
  // is still in memory then.
  uint32_t locate_ahead_blocks = 64;
  uint64_t locate_ahead_bytes = uint64_t{32} << 20;
  // Bounds by number, for chains of tiny blocks: a job costs memory beside its bytes.
  uint32_t graph_blocks_max = 4096;
  uint32_t ready_blocks_max = 4096;
  uint32_t ahead_blocks_max = 4096;
  // Nothing above this height is resolved (-stopatheight).
  uint32_t height_max = UINT32_MAX;
  AssumeValid assume_valid;
  // A checkpoint starts after this long, if it would save the replay of so many bytes of blocks, or after a day. It writes the
  // whole index: at the tip, where a block comes in ten minutes, that would be gigabytes for a few milliseconds of replay.
  // What is not checkpointed is synced to the block files meanwhile, so that nothing is downloaded again.
  int64_t checkpoint_interval_ns = int64_t{60} * 1'000'000'000;
  uint64_t checkpoint_replay_bytes_min = 0;
};

// What became of a block that was handed in.
struct BlockReport {
  HeaderId id = 0;
  PeerId source = 0;
  Verdict verdict;      // ok: it passed its checks and its bytes are stored
};

// Anonymous memory, by what it is for.
struct BlockMemory {
  uint64_t slab_bytes = 0;     // raw blocks
  uint64_t working_bytes = 0;  // their columns, spent coins and arenas
  uint64_t pool_bytes = 0;     // those that are kept for blocks to come
  uint64_t undo_bytes = 0;     // undo records on their way to the disk

  uint64_t total_bytes() const { return slab_bytes + working_bytes + pool_bytes + undo_bytes; }
};

struct PipelineCounters {
  uint64_t blocks_applied = 0;
  uint64_t block_bytes = 0;
  uint64_t transactions = 0;
  uint64_t inputs = 0;
  uint64_t scripts_verified = 0;
  uint64_t scripts_skipped = 0;
  uint64_t reorganisations = 0;
  uint64_t blocks_disconnected = 0;
};

class BlockPipeline {
 public:
  BlockPipeline(HeaderTree& tree, const ChainParams& params, BlockRecords& records, BlockStore& blocks, CoinStore& coins,
                Executor& executor, Doorbell& doorbell, const PipelineOptions& options);
  ~BlockPipeline();

  // Takes up the store's state: the applied tip is where its recovery starts.
  absl::Status Start();

  // Hands a block in: `slab` for one that is not in the block files yet, otherwise null, and then `stored_at` says where it
  // is unless the tree knows. Its header is in the tree.
  void Submit(HeaderId id, SharedBytes raw, SlabRef slab, PeerId source, const BlockPosition& stored_at = {});
  bool Holds(HeaderId id) const;

  // One turn: collects finished checks, applies, resolves, reads ahead. True when anything was done. Reports and newly
  // applied blocks are appended.
  absl::StatusOr<bool> Step(int64_t now_ns, std::vector<BlockReport>& reports, std::vector<HeaderId>& applied);

  // By the operator's hand: the block and its descendants are out of the race, until Reconsider. Blocks of theirs above
  // the applied tip are taken out of the store at once; those below it are disconnected in the turns that follow.
  absl::Status Invalidate(HeaderId id, std::vector<BlockReport>& reports);
  // Takes marks back from the block, its ancestors and its descendants.
  absl::Status Reconsider(HeaderId id);
  // While stored blocks are still joining the index, those of the applied tip's own chain may be among them: nothing is
  // resolved or disconnected before it is complete.
  void AwaitStoredBlocks(bool are_joining) { stored_blocks_are_joining_ = are_joining; }
  // While held, nothing more is resolved: what is above the applied tip drains. For a checkpoint that must not fall far
  // behind.
  void Hold(bool is_held) { is_held_ = is_held; }

  // Waits for what is under way, applies what is verified, takes the rest back, and makes everything durable.
  absl::Status Shutdown();

  HeaderId resolved() const { return resolved_; }
  // What the applied tip is to become with what is known now.
  HeaderId Target() const;
  uint32_t verified_height() const;
  const ActiveChain& chain() const { return chain_; }
  bool is_recovering() const { return is_recovering_; }
  // Sizes of the blocks in hand, whatever their stage.
  uint64_t pending_bytes() const { return pending_bytes_; }
  // Memory: slabs that were handed in and that somebody still holds, those that wait for the disk among them, the columns
  // and arenas of all jobs, those in the pool included, and undo records on their way to the disk.
  uint64_t memory_bytes() const { return memory().total_bytes(); }
  // Whether the next block to resolve is here or in the block files: the pipeline goes on without another one.
  bool is_fed() const { return target_ != resolved_; }
  // And the same in parts: slabs, working memory of blocks, working memory that waits for blocks.
  BlockMemory memory() const {
    return {slab_bytes_->load(std::memory_order_relaxed), working_bytes_ - pool_bytes_, pool_bytes_, blocks_.undo_queue_bytes()};
  }
  // How many bytes of blocks may still come, asked for or not, if memory is to stay within `budget_bytes`. A pipeline
  // that is fed takes no more than may wait: the rest would be dropped and read again. While its next block is missing,
  // what waits behind it gives way to what comes: it is in the block files, and the nearest is kept.
  uint64_t RoomBytes(uint64_t budget_bytes) const;
  // Whether blocks come faster than they are checked and written: both end without another one.
  bool is_flooded() const {
    return graph_bytes_ > options_.moving_bytes_max ||
           slab_bytes_->load(std::memory_order_relaxed) > options_.ready_bytes_max + options_.moving_bytes_max;
  }
  // Whether another block may be handed in that nobody waits for. What it looks at becomes less without another block.
  bool has_room() const {
    return in_graph_.size() < options_.graph_blocks_max && graph_bytes_ + ahead_bytes_ < options_.moving_bytes_max &&
           slab_bytes_->load(std::memory_order_relaxed) < options_.ready_bytes_max + options_.moving_bytes_max;
  }
  // True while workers or the store are behind, that is, when the next block does not wait for the network. Ready blocks
  // do not count: they wait for one that is not here.
  bool is_busy() const { return !ahead_.empty() || !in_graph_.empty(); }
  const PipelineCounters& counters() const { return counters_; }
  // Blocks being parsed and checked; waiting for their turn; resolved and not yet applied.
  uint32_t checking_count() const { return static_cast<uint32_t>(in_graph_.size()); }
  uint32_t ready_count() const { return static_cast<uint32_t>(ready_.size()); }
  uint32_t ahead_count() const { return static_cast<uint32_t>(ahead_.size()); }

  // Any thread.
  BlockPoint AppliedTip() const;
  // A coin as of the applied tip. `script_buffer` keeps the script. Unavailable while the store recovers.
  absl::StatusOr<bool> FindCoin(const OutPoint& outpoint, Coin& coin, std::vector<uint8_t>& script_buffer) const;

 private:
  using JobOwner = std::unique_ptr<BlockJob>;
  using ReadyBlocks = std::map<std::pair<uint32_t, HeaderId>, JobOwner>;  // by height
  enum GraphNode : int { kParseNode, kCheckNode, kVerifyNode };

  // Intake (block_pipeline.cc).
  void MakeGraph();
  JobOwner NewJob(uint64_t block_bytes);
  void Recycle(JobOwner job);
  void CountWorking(BlockJob& job, uint64_t bytes);
  void TrimPool();
  // What a block of this size will take beside its bytes, by those before it.
  uint64_t ExpectedWorkingBytes(uint64_t block_bytes) const {
    return static_cast<uint64_t>(static_cast<double>(block_bytes) * (average_working_bytes_ / average_block_bytes_));
  }
  absl::StatusOr<bool> CollectDone(std::vector<BlockReport>& reports);
  absl::Status Admit(JobOwner job, std::vector<BlockReport>& reports);
  void KeepReady(JobOwner job);
  ReadyBlocks::iterator LeastNeeded();
  // Recycles a job whose block is stored and will be read again when its turn comes.
  void LetGo(JobOwner job);
  template <typename Predicate>
  void DropReady(Predicate&& is_unwanted);
  bool IsWanted(HeaderId id) const;
  void FollowBranches();
  absl::Status MarkInvalid(HeaderId id);

  // Resolving (pipeline_advance.cc).
  absl::StatusOr<bool> Advance(std::vector<BlockReport>& reports);
  std::vector<HeaderId> PathTo(HeaderId target, uint32_t blocks_max) const;
  absl::StatusOr<bool> ReadAhead(std::span<const HeaderId> path);
  bool LocateNext(std::span<const HeaderId> path);
  absl::StatusOr<bool> ResolveNext(std::span<const HeaderId> path, std::vector<BlockReport>& reports);
  absl::Status MissingBlock(HeaderId id) const;
  void RecordHeldUp() const;
  bool ScriptsAreAssumed(HeaderId id) const;
  void StartVerification(BlockJob& job);
  absl::Status DriveCheckpoint(int64_t now_ns);

  // Applying and taking back (pipeline_apply.cc).
  absl::StatusOr<bool> ApplyVerified(std::vector<BlockReport>& reports, std::vector<HeaderId>& applied);
  absl::Status ApplyOne(std::vector<HeaderId>& applied);
  absl::Status TakeBackAhead(std::vector<BlockReport>& reports);
  absl::Status RejectFront(std::vector<BlockReport>& reports);
  absl::Status DisconnectTip();

  HeaderTree& tree_;
  const ChainParams& params_;
  BlockRecords& records_;
  BlockStore& blocks_;
  CoinStore& coins_;
  Executor& executor_;
  Doorbell& doorbell_;
  // Rung by reads of coins, which may end after the pipeline.
  const std::shared_ptr<DetachableDoorbell> reads_doorbell_;
  const PipelineOptions options_;
  WindowResolver resolver_;

  ActiveChain chain_;
  HeaderId resolved_ = 0;
  // Whose ancestors are worth keeping ready.
  HeaderId best_header_ = 0;
  HeaderId target_ = 0;
  bool is_recovering_ = false;
  bool is_disconnecting_ = false;
  bool is_held_ = false;
  bool stored_blocks_are_joining_ = false;
  HeaderId recovery_tip_ = 0;
  // False from the start of a recovery until its last block is applied: until then some parts of the store are ahead of the
  // tip, and what their blocks spent is not known.
  bool coins_are_of_tip_ = true;

  BoundedRing<BlockJob*> done_;
  std::unique_ptr<TaskGraph> graph_;
  absl::flat_hash_map<HeaderId, JobOwner> in_graph_;
  uint64_t graph_bytes_ = 0;
  ReadyBlocks ready_;
  uint64_t ready_bytes_ = 0;
  // Who sent the blocks that were let go: should one turn out bad when it is read again, its sender answers for it. Bounded;
  // an entry goes with its block's turn.
  absl::flat_hash_map<HeaderId, PeerId> senders_;
  std::deque<JobOwner> ahead_;
  uint64_t ahead_bytes_ = 0;
  uint32_t verifying_count_ = 0;
  std::vector<JobOwner> pool_;
  uint64_t pool_bytes_ = 0;
  uint64_t pending_bytes_ = 0;
  uint64_t working_bytes_ = 0;  // of all jobs
  const std::shared_ptr<SlabBytes> slab_bytes_ = std::make_shared<SlabBytes>(0);
  // Of resolved blocks, lately.
  double average_block_bytes_ = 1;
  double average_working_bytes_ = 1;

  // The last turn's step of a checkpoint: a window that comes now may have waited for it.
  int64_t held_up_ns_ = 0;
  int64_t last_checkpoint_ns_ = 0;
  int64_t last_sync_ns_ = 0;
  uint64_t checkpointed_bytes_ = 0;  // counters_.block_bytes when the last checkpoint began
  uint64_t synced_bytes_ = 0;        // and when block files were last synced without one
  PipelineCounters counters_;

  // Held alone while the store or the applied tip changes, shared by readers.
  mutable ReaderGate gate_;
};

}  // namespace headrace
