#include "tools/chaingen/block_plan.h"

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
  handed_out = 0;
}

}  // namespace headrace::chaingen
