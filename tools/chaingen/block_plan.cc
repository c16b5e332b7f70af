#include "tools/chaingen/block_plan.h"

#include <algorithm>

namespace headrace::chaingen {

void ChainTotals::Add(const ChainTotals& other) {
  blocks += other.blocks;
  bytes += other.bytes;
  transactions += other.transactions;
  inputs += other.inputs;
  outputs += other.outputs;
  signatures += other.signatures;
  commitments += other.commitments;
  for (uint32_t script = 0; script < kScriptKinds; ++script) {
    outputs_by_script[script] += other.outputs_by_script[script];
    inputs_by_script[script] += other.inputs_by_script[script];
  }
  for (size_t i = 0; i < inputs_by_age.size(); ++i) inputs_by_age[i] += other.inputs_by_age[i];
}

void BlockPlan::Clear(uint32_t for_height) {
  height = for_height;
  fees = 0;
  has_witness = false;
  transactions.clear();
  inputs.clear();
  outputs.clear();
  emptied_slots.clear();
  totals = {};
  signed_transactions.clear();
  signing_order.clear();
  wave_ends.clear();
}

// A counting sort.
void BlockPlan::OrderByWave() {
  uint32_t waves = 0;
  for (const PlannedTransaction& transaction : transactions) waves = std::max(waves, transaction.wave + 1);
  std::vector<uint32_t> next(waves + 1);
  for (const PlannedTransaction& transaction : transactions) ++next[transaction.wave + 1];
  for (uint32_t wave = 0; wave < waves; ++wave) next[wave + 1] += next[wave];
  wave_ends.assign(next.begin() + 1, next.end());
  signing_order.resize(transactions.size());
  for (uint32_t i = 0; i < transactions.size(); ++i) signing_order[next[transactions[i].wave]++] = i;
}

}  // namespace headrace::chaingen
