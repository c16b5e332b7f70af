#include "tests/fuzz/plain_equality.h"

#include "engine/base/check.h"
#include "engine/primitives/byte_reader.h"
#include "engine/primitives/encode.h"
#include "engine/primitives/mutable_transaction.h"

namespace headrace::fuzz {

std::vector<Bytes> WitnessItems(ByteSpan stack) {
  std::vector<Bytes> items;
  if (stack.empty()) return items;
  ByteReader reader(stack);
  for (uint32_t count = reader.CompactSize(); count != 0; --count) {
    const ByteSpan item = reader.VarBytes();
    items.emplace_back(item.begin(), item.end());
  }
  HR_CHECK(reader.ok() && reader.remaining() == 0);
  return items;
}

void RequireSameTransaction(TransactionView view, const reference::PlainTransaction& plain) {
  HR_CHECK(view.version() == plain.version && view.lock_time() == plain.lock_time);
  HR_CHECK(view.has_witness() == plain.HasWitness());
  HR_CHECK(view.input_count() == plain.inputs.size() && view.output_count() == plain.outputs.size());
  for (uint32_t i = 0; i < view.input_count(); ++i) {
    const reference::PlainInput& input = plain.inputs[i];
    HR_CHECK(view.prevout(i) == (OutPoint{Hash256(input.previous_txid), input.previous_index}));
    HR_CHECK(IsSame(view.script_sig(i), input.script_sig) && view.sequence(i) == input.sequence);
    HR_CHECK(view.witness(i).empty() == !plain.HasWitness() && WitnessItems(view.witness(i)) == input.witness);
  }
  for (uint32_t i = 0; i < view.output_count(); ++i) {
    HR_CHECK(view.amount(i) == plain.outputs[i].amount);
    HR_CHECK(IsSame(view.script_pubkey(i), plain.outputs[i].script));
  }
  const Bytes whole = plain.Serialize(true);
  const Bytes stripped = plain.Serialize(false);
  HR_CHECK(IsSame(view.serialized(), whole) && view.total_size() == whole.size());
  HR_CHECK(view.stripped_size() == stripped.size() && view.weight() == stripped.size() * 3 + whole.size());
  Bytes encoded;
  AppendTransactionStripped(view, encoded);
  HR_CHECK(encoded == stripped);
  HR_CHECK(view.txid() == Hash256(plain.Txid()) && view.wtxid() == Hash256(plain.Wtxid()));
  // Taken apart and put together again by the engine's own encoder.
  const MutableTransaction unpacked = Unpack(view);
  HR_CHECK(unpacked.Serialize(true) == whole && unpacked.Serialize(false) == stripped);
  HR_CHECK(unpacked.Txid() == view.txid());
}

}  // namespace headrace::fuzz
