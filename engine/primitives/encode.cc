#include "engine/primitives/encode.h"

#include "engine/primitives/byte_writer.h"

namespace headrace {

void AppendTransactionStripped(TransactionView transaction, std::vector<uint8_t>& out) {
  const ByteSpan whole = transaction.serialized();
  const TransactionColumns& columns = transaction.columns();
  ByteWriter writer(out);
  writer.Bytes(whole.first(4));
  writer.Bytes(columns.body[transaction.transaction_index()].In(columns.raw));
  writer.Bytes(whole.last(4));
}

SlabRef EncodeBlockStripped(const BlockColumns& columns) {
  std::vector<uint8_t> out;
  out.reserve(columns.stripped_size());
  ByteWriter(out).Bytes(columns.raw.first(columns.begin.front()));
  for (uint32_t t = 0; t < columns.transaction_count(); ++t) AppendTransactionStripped(columns.transaction(t), out);
  return Slab::Copy(out);
}

}  // namespace headrace
