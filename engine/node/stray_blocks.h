// Blocks that lie in the block files and that the index does not vouch for: written after the last sync point before a
// crash, or all of them when the index is rebuilt. Nothing about them is believed: each goes through the pipeline as
// one from a peer would, because a power failure may have kept a frame and lost pages of it; only its bytes stay where
// they are.
//
// First their headers join the tree, a few thousand a turn, whatever their order in the files. Then the blocks are
// handed to the pipeline in the order of the chain, so that each is read, parsed and checked once, and resolved while
// it is still in memory. Nothing is downloaded or imported meanwhile: it could be one of these.
//
// Engine thread. Memory: about 60 bytes a block until the last one is settled.
#pragma once

#include <deque>
#include <span>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/consensus/chain_params.h"
#include "engine/validation/block_pipeline.h"
#include "engine/validation/block_records.h"

namespace headrace {

struct StrayBlock {
  Hash256 hash;
  BlockPosition position;
};

class StrayBlocks {
 public:
  StrayBlocks(const ChainParams& params, HeaderTree& tree, BlockRecords& records, BlockStore& blocks,
              BlockPipeline& pipeline);

  // Once, before the first turn.
  void Start(std::span<const StrayBlock> strays);
  // One turn. The pipeline is not given more while it holds `pending_bytes_max`. False when there was nothing to do.
  absl::StatusOr<bool> Step(int64_t now_s, uint64_t pending_bytes_max);
  // Every block has been taken up or left where it lies, and the store knows that it need not look for them again.
  bool is_done() const { return is_done_; }

  uint64_t bytes_total() const { return bytes_total_; }
  // Handed to the pipeline, or left.
  uint64_t bytes_done() const { return bytes_done_; }
  uint64_t blocks_left() const { return strays_.size() - next_stray_ + queue_.size() - next_queued_; }

 private:
  struct Queued {
    HeaderId id;
    BlockPosition position;
  };

  absl::Status ConnectSome(int64_t now_s);
  absl::Status Connect(const BlockPosition& position, int64_t now_s);
  void Sort();
  absl::StatusOr<bool> Feed(uint64_t pending_bytes_max);
  bool AllAreSettled();
  absl::Status Finish();

  const ChainParams& params_;
  HeaderTree& tree_;
  BlockRecords& records_;
  BlockStore& blocks_;
  BlockPipeline& pipeline_;

  std::vector<BlockPosition> strays_;
  size_t next_stray_ = 0;
  absl::flat_hash_map<Hash256, std::vector<BlockPosition>> waiting_;  // by the parent's hash
  std::vector<BlockPosition> connectable_;                            // their parent has just come
  std::vector<Queued> queue_;                                         // by height once all are connected
  size_t next_queued_ = 0;
  std::deque<HeaderId> under_check_;
  uint64_t bytes_total_ = 0;
  uint64_t bytes_done_ = 0;
  uint64_t adopted_ = 0;
  bool is_sorted_ = false;
  bool is_done_ = false;
};

}  // namespace headrace
