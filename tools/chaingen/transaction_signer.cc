#include "tools/chaingen/transaction_signer.h"

#include "engine/base/endian.h"
#include "tools/chaingen/script_builder.h"
#include "tools/chaingen/unlock.h"

namespace headrace::chaingen {
namespace {

// One step of splitmix64: a cheap mixer for bytes that mean nothing.
uint64_t Mix(uint64_t state) {
  state = (state ^ state >> 30) * 0xbf58476d1ce4e5b9;
  state = (state ^ state >> 27) * 0x94d049bb133111eb;
  return state ^ state >> 31;
}

}  // namespace

std::vector<uint8_t> TransactionSigner::DataScript(const PlannedTransaction& planned, uint32_t output,
                                                   uint8_t data_bytes) const {
  constexpr uint64_t kOutputStep = 0x9e3779b97f4a7c15;
  Bytes data(data_bytes);
  for (size_t at = 0; at + 8 <= data.size(); at += 8) {
    StoreLittle(data.data() + at, Mix(planned.data_seed + (output * uint64_t{32} + at / 8 + 1) * kOutputStep));
  }
  return ScriptBuilder().Op(kOpReturn).Push(data).Take();
}

MutableTransaction TransactionSigner::Build(const BlockPlan& plan, const PlannedTransaction& planned) const {
  MutableTransaction transaction;
  transaction.version = planned.version;
  transaction.lock_time = planned.lock_time;
  transaction.inputs.reserve(planned.input_count);
  for (uint32_t i = 0; i < planned.input_count; ++i) {
    const PlannedInput& input = plan.inputs[planned.first_input + i];
    transaction.inputs.push_back({{table_.Txid(input.slot), input.index}, {}, input.sequence, {}});
  }
  transaction.outputs.reserve(planned.output_count);
  for (uint32_t i = 0; i < planned.output_count; ++i) {
    const PlannedOutput& output = plan.outputs[planned.first_output + i];
    if (output.data_bytes != 0) {
      transaction.outputs.push_back({0, DataScript(planned, i, output.data_bytes)});
    } else {
      transaction.outputs.push_back({output.amount, keys_.ScriptPubkey(output.lock)});
    }
  }
  return transaction;
}

void TransactionSigner::Sign(BlockPlan& plan, size_t index) const {
  const PlannedTransaction& planned = plan.transactions[index];
  MutableTransaction transaction = Build(plan, planned);
  std::vector<TransactionOutput> spent;
  spent.reserve(planned.input_count);
  for (uint32_t i = 0; i < planned.input_count; ++i) {
    const PlannedInput& input = plan.inputs[planned.first_input + i];
    spent.push_back({input.amount, keys_.ScriptPubkey(input.lock)});
  }
  SighashCache hashes(transaction, spent);
  for (uint32_t i = 0; i < planned.input_count; ++i) {
    const PlannedInput& input = plan.inputs[planned.first_input + i];
    UnlockWith(keys_, nonces_, hashes, input.lock, input.hash_type, spent, i, transaction);
  }
  SignedTransaction& result = plan.signed_transactions[index];
  result.serialized = transaction.Serialize(true);
  result.wtxid = Hash256(Sha256d(result.serialized));
  result.txid = transaction.HasWitness() ? transaction.Txid() : result.wtxid;
  table_.SetTxid(planned.slot, result.txid);
}

}  // namespace headrace::chaingen
