#include "tools/chaingen/transaction.h"

#include <algorithm>

#include "engine/primitives/byte_writer.h"

namespace headrace::chaingen {

bool Transaction::HasWitness() const {
  return std::any_of(inputs.begin(), inputs.end(), [](const Input& input) { return !input.witness.empty(); });
}

Bytes Transaction::Serialize(bool with_witness) const {
  const bool writes_witness = with_witness && HasWitness();
  Bytes out;
  ByteWriter writer(out);
  writer.U32(static_cast<uint32_t>(version));
  // BIP144: marker and flag where the input count would stand.
  if (writes_witness) writer.U16(0x0100);
  writer.CompactSize(inputs.size());
  for (const Input& input : inputs) {
    uint8_t previous[OutPoint::kSerializedBytes];
    input.previous.Store(previous);
    writer.Bytes(previous);
    writer.VarBytes(input.script_sig);
    writer.U32(input.sequence);
  }
  writer.CompactSize(outputs.size());
  for (const Output& output : outputs) {
    writer.U64(static_cast<uint64_t>(output.amount));
    writer.VarBytes(output.script);
  }
  for (size_t i = 0; writes_witness && i < inputs.size(); ++i) {
    writer.CompactSize(inputs[i].witness.size());
    for (const Bytes& item : inputs[i].witness) writer.VarBytes(item);
  }
  writer.U32(lock_time);
  return out;
}

Hash256 Transaction::Txid() const { return Hash256(Sha256d(Serialize(false))); }

}  // namespace headrace::chaingen
