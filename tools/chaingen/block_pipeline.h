// Plans blocks on one thread and signs them on others while the caller seals the ones before: a ring of sixteen blocks,
// so that memory stays bounded however long the chain (a full block with its plan takes some 5 MB).
//
// Signers take transactions in the order of planning, a few at a time, across blocks. With one thread there is no
// other: the caller plans and signs each block itself, which is the plain twin of the rest; both give the same blocks.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "tools/chaingen/block_planner.h"
#include "tools/chaingen/transaction_signer.h"

namespace headrace::chaingen {

class BlockPipeline {
 public:
  // Of heights 1 to `blocks`. `planner` and `signer` must outlive it; nothing else may use the planner before the last
  // block.
  BlockPipeline(uint32_t blocks, uint32_t threads, BlockPlanner& planner, const TransactionSigner& signer);
  ~BlockPipeline();

  // Waits for the next block, planned and signed. Called in turn with Release, once a block. The caller's thread.
  BlockPlan& Next();
  // The block that Next gave is sealed, and its coinbase's txid known.
  void Release();

 private:
  static constexpr uint32_t kBlocksInFlight = 16;

  BlockPlan& PlanAt(uint32_t block) { return plans_[block % kBlocksInFlight]; }
  void PlanAll();
  void SignAll();
  void PlanAndSign();

  const uint32_t blocks_;
  BlockPlanner& planner_;
  const TransactionSigner& signer_;
  std::array<BlockPlan, kBlocksInFlight> plans_;

  // Blocks that have passed each stage; `signing_` is the first that may have transactions to hand out.
  std::mutex mutex_;
  std::condition_variable planned_changed_;
  std::condition_variable signed_changed_;
  std::condition_variable released_changed_;
  uint32_t planned_ = 0;
  uint32_t signing_ = 0;
  uint32_t released_ = 0;
  bool is_stopping_ = false;

  std::vector<std::thread> threads_;
};

}  // namespace headrace::chaingen
