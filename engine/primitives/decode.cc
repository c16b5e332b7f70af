#include "engine/primitives/decode.h"

#include "engine/primitives/byte_reader.h"

namespace headrace {
namespace {

// Appends to a column with a count that came from outside. Nothing is reserved from the count alone: memory grows only
// with bytes that were really there.
void DecodeInputs(ByteReader& reader, uint32_t count, TransactionColumns& columns) {
  for (uint32_t i = 0; i < count && reader.ok(); ++i) {
    columns.prevout_offset.push_back(static_cast<uint32_t>(reader.offset()));
    reader.Skip(OutPoint::kSerializedBytes);
    columns.script_sig.push_back(reader.VarRange());
    columns.sequence.push_back(reader.U32());
    columns.witness.push_back({});
  }
}

void DecodeOutputs(ByteReader& reader, uint32_t count, TransactionColumns& columns) {
  for (uint32_t i = 0; i < count && reader.ok(); ++i) {
    columns.amount.push_back(static_cast<Amount>(reader.U64()));
    columns.script_pubkey.push_back(reader.VarRange());
  }
}

// Reads one stack an input (BIP144). A witness in which every stack is empty is superfluous: the encoding without
// marker says the same, and only one may be valid.
void DecodeWitnesses(ByteReader& reader, uint32_t first_input, TransactionColumns& columns) {
  bool any_item = false;
  const uint32_t end = columns.input_count();
  for (uint32_t input = first_input; input < end && reader.ok(); ++input) {
    const uint32_t offset = static_cast<uint32_t>(reader.offset());
    const uint32_t items = reader.CompactSize();
    for (uint32_t item = 0; item < items && reader.ok(); ++item) reader.VarRange();
    columns.witness[input] = {offset, static_cast<uint32_t>(reader.offset()) - offset};
    any_item |= items != 0;
  }
  if (!any_item) reader.Fail(DecodeError::kSuperfluousWitness);
}

void DecodeOneTransaction(ByteReader& reader, WitnessEncoding encoding, TransactionColumns& columns) {
  const uint32_t first_input = columns.input_count();
  columns.begin.push_back(static_cast<uint32_t>(reader.offset()));
  columns.first_input.push_back(first_input);
  columns.first_output.push_back(columns.output_count());
  columns.version.push_back(static_cast<int32_t>(reader.U32()));

  uint32_t body_offset = static_cast<uint32_t>(reader.offset());
  uint32_t input_count = reader.CompactSize();
  uint8_t flags = 0;
  bool outputs_follow = true;
  if (input_count == 0 && encoding == WitnessEncoding::kAllowed) {
    // No inputs: either BIP144's marker, and flags follow, or the output count of a transaction that has neither.
    flags = reader.U8();
    if (flags != 0) {
      body_offset = static_cast<uint32_t>(reader.offset());
      input_count = reader.CompactSize();
    } else {
      outputs_follow = false;
    }
  }
  DecodeInputs(reader, input_count, columns);
  if (outputs_follow) DecodeOutputs(reader, reader.CompactSize(), columns);
  columns.body.push_back({body_offset, static_cast<uint32_t>(reader.offset()) - body_offset});

  if ((flags & 1) != 0) DecodeWitnesses(reader, first_input, columns);
  columns.has_witness.push_back(flags & 1);
  if ((flags & ~1) != 0) reader.Fail(DecodeError::kUnknownTransactionFlags);
  columns.lock_time.push_back(reader.U32());
}

void CloseColumns(const ByteReader& reader, TransactionColumns& columns) {
  columns.begin.push_back(static_cast<uint32_t>(reader.offset()));
  columns.first_input.push_back(columns.input_count());
  columns.first_output.push_back(columns.output_count());
  columns.txid.resize(columns.transaction_count());
  columns.wtxid.resize(columns.transaction_count());
}

DecodeError Finish(ByteReader& reader) {
  if (reader.ok() && reader.remaining() != 0) reader.Fail(DecodeError::kTrailingBytes);
  return reader.error();
}

}  // namespace

DecodeError DecodeBlock(ByteSpan raw, BlockColumns& columns) {
  columns.Clear();
  columns.raw = raw;
  if (raw.size() < BlockHeader::kSerializedBytes) return DecodeError::kTruncated;
  if (raw.size() > UINT32_MAX) return DecodeError::kOversizedCount;
  columns.header = BlockHeader::Load(raw.data());
  columns.hash = columns.header.Hash();
  ByteReader reader(raw);
  reader.Skip(BlockHeader::kSerializedBytes);
  const uint32_t count = reader.CompactSize();
  for (uint32_t t = 0; t < count && reader.ok(); ++t) DecodeOneTransaction(reader, WitnessEncoding::kAllowed, columns);
  const DecodeError error = Finish(reader);
  if (error == DecodeError::kNone) CloseColumns(reader, columns);
  return error;
}

ByteSpan ReadTransaction(ByteReader& reader, TransactionColumns& scratch) {
  scratch.Clear();
  const ByteReader start = reader;
  DecodeOneTransaction(reader, WitnessEncoding::kAllowed, scratch);
  if (!reader.ok()) return {};
  return ByteReader(start).Bytes(reader.offset() - start.offset());
}

DecodeError DecodeTransaction(ByteSpan raw, WitnessEncoding encoding, TransactionColumns& columns) {
  columns.Clear();
  columns.raw = raw;
  if (raw.size() > UINT32_MAX) return DecodeError::kOversizedCount;
  ByteReader reader(raw);
  DecodeOneTransaction(reader, encoding, columns);
  const DecodeError error = Finish(reader);
  if (error == DecodeError::kNone) CloseColumns(reader, columns);
  return error;
}

}  // namespace headrace
