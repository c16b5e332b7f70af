#include "engine/primitives/mutable_transaction.h"

#include <algorithm>

#include "engine/crypto/sha256.h"
#include "engine/primitives/byte_reader.h"
#include "engine/primitives/byte_writer.h"

namespace headrace {
namespace {

std::vector<Bytes> UnpackWitness(ByteSpan serialized) {
  std::vector<Bytes> items;
  if (serialized.empty()) return items;
  ByteReader reader(serialized);
  const uint32_t count = reader.CompactSize();
  for (uint32_t i = 0; i < count && reader.ok(); ++i) {
    const ByteSpan item = reader.VarBytes();
    items.emplace_back(item.begin(), item.end());
  }
  return items;
}

}  // namespace

bool MutableTransaction::HasWitness() const {
  return std::any_of(inputs.begin(), inputs.end(), [](const TransactionInput& input) { return !input.witness.empty(); });
}

Bytes MutableTransaction::Serialize(bool with_witness) const {
  const bool writes_witness = with_witness && HasWitness();
  Bytes out;
  ByteWriter writer(out);
  writer.U32(static_cast<uint32_t>(version));
  // Marker and flag stand where the input count would be.
  if (writes_witness) writer.U16(0x0100);
  writer.CompactSize(inputs.size());
  for (const TransactionInput& input : inputs) {
    uint8_t prevout[OutPoint::kSerializedBytes];
    input.prevout.Store(prevout);
    writer.Bytes(prevout);
    writer.VarBytes(input.script_sig);
    writer.U32(input.sequence);
  }
  writer.CompactSize(outputs.size());
  for (const TransactionOutput& output : outputs) {
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

Hash256 MutableTransaction::Txid() const { return Hash256(Sha256d(Serialize(false))); }

MutableTransaction Unpack(TransactionView transaction) {
  MutableTransaction fields{transaction.version(), {}, {}, transaction.lock_time()};
  for (uint32_t i = 0; i < transaction.input_count(); ++i) {
    const ByteSpan script_sig = transaction.script_sig(i);
    fields.inputs.push_back({transaction.prevout(i), Bytes(script_sig.begin(), script_sig.end()),
                             transaction.sequence(i), UnpackWitness(transaction.witness(i))});
  }
  for (uint32_t o = 0; o < transaction.output_count(); ++o) {
    const ByteSpan script = transaction.script_pubkey(o);
    fields.outputs.push_back({transaction.amount(o), Bytes(script.begin(), script.end())});
  }
  return fields;
}

}  // namespace headrace
