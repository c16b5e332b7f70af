#include "engine/validation/block_job.h"

namespace headrace {

void BlockJob::Recycle() {
  id = 0;
  height = 0;
  source = 0;
  stage = BlockStage::kRequested;
  raw = {};
  slab = nullptr;
  stored_at = {};
  columns.Clear();
  context = {};
  verdict = {};
  is_located = false;
  coin_reads = nullptr;
  spent.clear();
  arena.Reset();
  fees = 0;
  scripts_assumed = false;
  is_recovered = false;
  shared_midstates.clear();
  batches.clear();
  batches_left.store(0, std::memory_order_relaxed);
  first_failure.store(~uint64_t{0}, std::memory_order_relaxed);
}

}  // namespace headrace
