// Plans blocks on one thread and signs them on others while the caller seals the ones before: a ring of sixteen blocks,
// so that memory stays bounded however long the chain (a full block with its plan takes some 5 MB).
//
// Who may touch which block is decided by the schedule (see signing_schedule.h), always under one lock, which also
// hands over what the threads wrote. Waiting threads wait for a condition of the schedule, and whatever changes one
// under the lock wakes them, so no wake-up is lost. With one thread there is no other: the caller plans and signs each
// block itself, which is the plain twin of the rest; both give the same blocks.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "tools/chaingen/block_planner.h"
#include "tools/chaingen/signing_schedule.h"

namespace headrace::chaingen {

class BlockPipeline {
 public:
  // Makes the bytes of the plan's transaction of this index. Called from several threads at once, for different
  // transactions; whatever they spend has been signed before.
  using SignTransaction = std::function<void(BlockPlan& plan, size_t index)>;

  // Of heights 1 to `blocks`. `planner` must outlive it; nothing else may use the planner before the last block.
  BlockPipeline(uint32_t blocks, uint32_t threads, BlockPlanner& planner, SignTransaction sign);
  ~BlockPipeline();

  // Waits for the next block, planned and signed. Called in turn with Release, once a block. The caller's thread.
  BlockPlan& Next();
  // The block that Next gave is sealed, and its coinbase's txid known.
  void Release();

 private:
  BlockPlan& PlanAt(uint32_t block) { return plans_[block % SigningSchedule::kBlocksInFlight]; }
  void PlanAll();
  void SignAll();
  BlockPlan& PlanAndSign();

  BlockPlanner& planner_;
  const SignTransaction sign_;
  std::array<BlockPlan, SigningSchedule::kBlocksInFlight> plans_;

  std::mutex mutex_;
  SigningSchedule schedule_;
  bool is_stopping_ = false;
  std::condition_variable may_plan_;
  std::condition_variable may_sign_;
  std::condition_variable may_seal_;

  std::vector<std::thread> threads_;
};

}  // namespace headrace::chaingen
