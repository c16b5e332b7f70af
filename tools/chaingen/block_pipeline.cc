#include "tools/chaingen/block_pipeline.h"

#include <utility>

#include "tools/chaingen/genesis.h"

namespace headrace::chaingen {

BlockPipeline::BlockPipeline(uint32_t blocks, uint32_t threads, BlockPlanner& planner, SignTransaction sign)
    : planner_(planner), sign_(std::move(sign)), schedule_(blocks, threads) {
  static_assert(SigningSchedule::kBlocksInFlight < kCoinbaseMaturity, "a coinbase's txid is known before it is spent");
  if (threads == 1) return;
  threads_.emplace_back([this] { PlanAll(); });
  for (uint32_t i = 0; i < threads; ++i) threads_.emplace_back([this] { SignAll(); });
}

BlockPipeline::~BlockPipeline() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  may_plan_.notify_all();
  may_sign_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void BlockPipeline::PlanAll() {
  std::unique_lock lock(mutex_);
  while (!schedule_.is_all_planned()) {
    may_plan_.wait(lock, [&] { return is_stopping_ || schedule_.CanPlan(); });
    if (is_stopping_) return;
    const uint32_t block = schedule_.planned();
    lock.unlock();
    BlockPlan& plan = PlanAt(block);
    planner_.PlanBlock(block + 1, plan);
    lock.lock();
    schedule_.Planned(plan.wave_ends);
    may_sign_.notify_all();
    may_seal_.notify_one();
  }
}

void BlockPipeline::SignAll() {
  std::unique_lock lock(mutex_);
  while (true) {
    may_sign_.wait(lock, [&] { return is_stopping_ || schedule_.HasShare() || schedule_.is_all_signed(); });
    if (is_stopping_ || schedule_.is_all_signed()) return;
    const SigningSchedule::Share share = schedule_.TakeShare();
    lock.unlock();
    BlockPlan& plan = PlanAt(share.block);
    for (uint32_t i = share.begin; i < share.end; ++i) sign_(plan, plan.signing_order[i]);
    lock.lock();
    schedule_.Return(share);
    // Costs nothing while nobody sleeps, which is nearly always: signers sleep at the end of a wave alone.
    if (schedule_.HasShare() || schedule_.is_all_signed()) may_sign_.notify_all();
    if (schedule_.CanSeal()) may_seal_.notify_one();
  }
}

BlockPlan& BlockPipeline::PlanAndSign() {
  const uint32_t block = schedule_.planned();
  BlockPlan& plan = PlanAt(block);
  planner_.PlanBlock(block + 1, plan);
  schedule_.Planned(plan.wave_ends);
  // In the order of planning, in which everything comes after what it spends.
  for (size_t i = 0; i < plan.transactions.size(); ++i) sign_(plan, i);
  while (schedule_.HasShare()) schedule_.Return(schedule_.TakeShare());
  return plan;
}

BlockPlan& BlockPipeline::Next() {
  if (threads_.empty()) return PlanAndSign();
  std::unique_lock lock(mutex_);
  may_seal_.wait(lock, [&] { return schedule_.CanSeal(); });
  return PlanAt(schedule_.released());
}

void BlockPipeline::Release() {
  {
    const std::lock_guard lock(mutex_);
    schedule_.Release();
  }
  may_plan_.notify_one();
}

}  // namespace headrace::chaingen
