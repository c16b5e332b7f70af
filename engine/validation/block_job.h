// A block job: one block in flight through the stages, with everything that is computed about it on the way.
//
// Ownership passes with the stage: a job belongs to the task graph while it is parsed, checked or verified, and to the
// engine thread otherwise. Jobs are recycled, so that a warm pipeline allocates nothing per block but its slab.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include "engine/base/arena.h"
#include "engine/base/slab.h"
#include "engine/chain/header_tree.h"
#include "engine/consensus/block_context.h"
#include "engine/consensus/verdict.h"
#include "engine/ports/block_store.h"
#include "engine/ports/coin_store.h"
#include "engine/ports/peer_gateway.h"
#include "engine/primitives/block_columns.h"
#include "engine/primitives/coin.h"
#include "engine/script/spend_verifier.h"
#include "engine/validation/block_stage.h"

namespace headrace {

struct BlockJob;

// A run of a block's inputs whose scripts one task checks.
struct ScriptBatch {
  BlockJob* job = nullptr;
  uint32_t first_input = 0;  // in column order
  uint32_t end_input = 0;
};

struct BlockJob {
  HeaderId id = 0;
  uint32_t height = 0;
  PeerId source = 0;            // who sent it; 0 when nobody knows or the operator did
  BlockStage stage = BlockStage::kRequested;
  SharedBytes raw;
  SlabRef slab;                 // the same bytes, when they still have to be written to a block file
  BlockPosition stored_at;      // where they lie in one already, when the index does not know it yet
  BlockColumns columns;
  BlockContext context;
  Verdict verdict;

  // Before it is resolved: whether the store was asked to read what the block spends, and what it reads, if anything.
  bool is_located = false;
  CoinReadsRef coin_reads;

  // From resolved on: the coin each input spends (the coinbase's entry stays empty), scripts in the arena.
  std::vector<Coin> spent;
  Arena arena;
  Amount fees = 0;
  bool scripts_assumed = false;  // posture assumevalid, or verified in an earlier run
  bool is_recovered = false;     // applied in an earlier run: parts of the store have it, and `spent` is not whole

  // Midstates of the transactions that are cut into several batches, made by whichever batch comes first.
  struct SharedMidstates {
    uint32_t transaction;
    std::once_flag once;
    TransactionMidstates midstates;
  };
  std::deque<SharedMidstates> shared_midstates;  // ascending

  // Verification: batches still out, and the first failure as (input << 8 | script error); all ones when there is none.
  std::vector<ScriptBatch> batches;
  std::atomic<uint32_t> batches_left{0};
  std::atomic<uint64_t> first_failure{~uint64_t{0}};

  // What the pipeline has counted for it: the block's size, its slab and working memory where they are in a sum of a
  // stage, and working memory in the sum of all.
  uint64_t block_bytes = 0;
  uint64_t slab_bytes = 0;
  uint64_t stage_bytes = 0;
  uint64_t working_bytes = 0;

  // Memory beside the slab, in use or kept.
  uint64_t MeasureWorkingBytes() const {
    return columns.capacity_bytes() + spent.capacity() * sizeof(Coin) + batches.capacity() * sizeof(ScriptBatch) +
           arena.reserved_bytes();
  }

  // Ready for another block; keeps the memory of columns and arena, and what was counted for it.
  void Recycle();
};

}  // namespace headrace
