#include "tools/chaingen/block_pipeline.h"

#include <algorithm>

#include "engine/base/check.h"
#include "tools/chaingen/genesis.h"

namespace headrace::chaingen {
namespace {

// Large enough that the lock is not felt, small enough that signers seldom wait for one another's txids.
constexpr size_t kTransactionsAtOnce = 8;

}  // namespace

BlockPipeline::BlockPipeline(uint32_t blocks, uint32_t threads, BlockPlanner& planner, const TransactionSigner& signer)
    : blocks_(blocks), planner_(planner), signer_(signer) {
  static_assert(kBlocksInFlight < kCoinbaseMaturity, "a coinbase's txid is known before it can be spent");
  if (threads == 1) return;
  threads_.emplace_back([this] { PlanAll(); });
  for (uint32_t i = 0; i < threads; ++i) threads_.emplace_back([this] { SignAll(); });
}

BlockPipeline::~BlockPipeline() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  planned_changed_.notify_all();
  released_changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void BlockPipeline::PlanAll() {
  for (uint32_t block = 0; block < blocks_; ++block) {
    {
      std::unique_lock lock(mutex_);
      released_changed_.wait(lock, [&] { return is_stopping_ || block < released_ + kBlocksInFlight; });
      if (is_stopping_) return;
    }
    planner_.PlanBlock(block + 1, PlanAt(block));
    {
      const std::lock_guard lock(mutex_);
      planned_ = block + 1;
    }
    planned_changed_.notify_all();
    signed_changed_.notify_one();
  }
}

void BlockPipeline::SignAll() {
  std::unique_lock lock(mutex_);
  while (true) {
    while (signing_ < planned_ && PlanAt(signing_).handed_out == PlanAt(signing_).transactions.size()) ++signing_;
    if (is_stopping_ || signing_ == blocks_) return;
    if (signing_ == planned_) {
      planned_changed_.wait(lock);
      continue;
    }
    BlockPlan& plan = PlanAt(signing_);
    const size_t begin = plan.handed_out;
    const size_t end = std::min(begin + kTransactionsAtOnce, plan.transactions.size());
    plan.handed_out = end;
    lock.unlock();
    for (size_t i = begin; i < end; ++i) signer_.Sign(plan, i);
    // Acquire and release: whoever sees zero sees everything that was signed.
    const bool is_last = plan.unsigned_left.fetch_sub(end - begin, std::memory_order_acq_rel) == end - begin;
    lock.lock();
    if (is_last) signed_changed_.notify_one();
  }
}

void BlockPipeline::PlanAndSign() {
  BlockPlan& plan = PlanAt(planned_);
  planner_.PlanBlock(planned_ + 1, plan);
  for (size_t i = 0; i < plan.transactions.size(); ++i) signer_.Sign(plan, i);
  plan.unsigned_left.store(0, std::memory_order_relaxed);
  ++planned_;
}

BlockPlan& BlockPipeline::Next() {
  HR_CHECK(released_ < blocks_);
  BlockPlan& plan = PlanAt(released_);
  if (threads_.empty()) {
    PlanAndSign();
    return plan;
  }
  std::unique_lock lock(mutex_);
  signed_changed_.wait(lock,
                       [&] { return planned_ > released_ && plan.unsigned_left.load(std::memory_order_acquire) == 0; });
  return plan;
}

void BlockPipeline::Release() {
  {
    const std::lock_guard lock(mutex_);
    ++released_;
  }
  released_changed_.notify_one();
}

}  // namespace headrace::chaingen
