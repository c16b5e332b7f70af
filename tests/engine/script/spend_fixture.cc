#include "tests/engine/script/spend_fixture.h"

#include <algorithm>
#include <stdexcept>

#include "engine/base/hex.h"
#include "engine/primitives/byte_reader.h"
#include "engine/primitives/byte_writer.h"

namespace headrace::testing {

Bytes TestTransaction::Serialize() const {
  const bool has_witness = std::ranges::any_of(inputs, [](const TestInput& input) { return !input.witness.empty(); });
  Bytes raw;
  ByteWriter writer(raw);
  writer.U32(static_cast<uint32_t>(version));
  if (has_witness) writer.U16(0x0100);
  writer.CompactSize(inputs.size());
  for (const TestInput& input : inputs) {
    writer.Bytes(input.prevout.txid.span());
    writer.U32(input.prevout.index);
    writer.VarBytes(input.script_sig);
    writer.U32(input.sequence);
  }
  writer.CompactSize(outputs.size());
  for (const TestOutput& output : outputs) {
    writer.U64(static_cast<uint64_t>(output.amount));
    writer.VarBytes(output.script);
  }
  for (const TestInput& input : inputs) {
    if (!has_witness) break;
    writer.CompactSize(input.witness.size());
    for (const Bytes& item : input.witness) writer.VarBytes(item);
  }
  writer.U32(lock_time);
  return raw;
}

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

TestTransaction Unpack(TransactionView transaction) {
  TestTransaction fields{transaction.version(), {}, {}, transaction.lock_time()};
  for (uint32_t i = 0; i < transaction.input_count(); ++i) {
    const ByteSpan script_sig = transaction.script_sig(i);
    fields.inputs.push_back({transaction.prevout(i), Bytes(script_sig.begin(), script_sig.end()), transaction.sequence(i),
                             UnpackWitness(transaction.witness(i))});
  }
  for (uint32_t o = 0; o < transaction.output_count(); ++o) {
    const ByteSpan script = transaction.script_pubkey(o);
    fields.outputs.push_back({transaction.amount(o), Bytes(script.begin(), script.end())});
  }
  return fields;
}

SpendFixture::SpendFixture(Bytes raw, std::vector<TestOutput> spent) : raw_(std::move(raw)), spent_(std::move(spent)) {
  const DecodeError error = DecodeTransaction(raw_, WitnessEncoding::kAllowed, columns_);
  if (error != DecodeError::kNone) throw std::runtime_error(std::string(DecodeErrorText(error)));
  for (const TestOutput& output : spent_) coins_.push_back({output.amount, 0, false, output.script});
  PrepareMidstates(transaction(), coins_, midstates_);
}

Bytes FromHex(const std::string& hex) {
  const auto bytes = HexDecode(hex);
  if (!bytes) throw std::runtime_error("no hex: " + hex);
  return *bytes;
}

}  // namespace headrace::testing
