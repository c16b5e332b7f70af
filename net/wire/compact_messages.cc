#include "net/wire/compact_messages.h"

#include <array>

#include "engine/base/limits.h"
#include "engine/primitives/byte_reader.h"
#include "engine/primitives/byte_writer.h"
#include "engine/primitives/decode.h"

namespace headrace {
namespace {

DecodeError EndOfMessage(ByteReader& reader) {
  if (reader.ok() && reader.remaining() != 0) reader.Fail(DecodeError::kTrailingBytes);
  return reader.error();
}

// A count of transactions of one block.
uint32_t ReadTransactionCount(ByteReader& reader) {
  const uint32_t count = reader.CompactSize();
  if (count > kMaxBlockTransactions) reader.Fail(DecodeError::kOversizedCount);
  return reader.ok() ? count : 0;
}

// BIP152: every index but the first is sent as its distance from the last one, less one. `next` is the least that it
// can be, and becomes the least that the next one can be. Neither it nor a distance exceeds 2^25, so the sum does not
// overflow.
uint32_t ReadIndex(ByteReader& reader, uint32_t& next, uint32_t count) {
  const uint32_t distance = reader.CompactSize();
  const uint32_t index = next + distance;
  if (index >= count) reader.Fail(DecodeError::kIndexOutOfRange);
  next = index + 1;
  return index;
}

void WriteIndex(ByteWriter& writer, uint32_t& next, uint32_t index) {
  writer.CompactSize(index - next);
  next = index + 1;
}

Hash256 ReadHash(ByteReader& reader) {
  const ByteSpan bytes = reader.Bytes(32);
  return reader.ok() ? Hash256::Load(bytes.data()) : Hash256();
}

std::vector<uint8_t> CopyOf(ByteSpan bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace

void EncodeCompactBlock(const CompactBlock& block, std::vector<uint8_t>& out) {
  ByteWriter writer(out);
  writer.Bytes(block.header.Serialize());
  writer.U64(block.nonce);
  writer.CompactSize(block.short_ids.size());
  for (const uint64_t short_id : block.short_ids) {
    std::array<uint8_t, 8> bytes;
    StoreLittle(bytes.data(), short_id);
    writer.Bytes(ByteSpan(bytes).first(ShortIdKey::kBytes));
  }
  writer.CompactSize(block.prefilled.size());
  uint32_t next = 0;
  for (const PrefilledTransaction& transaction : block.prefilled) {
    WriteIndex(writer, next, transaction.index);
    writer.Bytes(transaction.bytes);
  }
}

DecodeError DecodeCompactBlock(ByteSpan body, CompactBlock& block) {
  block.short_ids.clear();
  block.prefilled.clear();
  ByteReader reader(body);
  const ByteSpan header = reader.Bytes(BlockHeader::kSerializedBytes);
  block.nonce = reader.U64();
  if (!reader.ok()) return reader.error();
  block.header = BlockHeader::Load(header.data());
  const uint32_t short_id_count = ReadTransactionCount(reader);
  for (uint32_t i = 0; i < short_id_count && reader.ok(); ++i) {
    const uint64_t low = reader.U32();
    block.short_ids.push_back(low | uint64_t{reader.U16()} << 32);
  }
  const uint32_t prefilled_count = ReadTransactionCount(reader);
  const uint32_t count = short_id_count + prefilled_count;
  if (count > kMaxBlockTransactions) reader.Fail(DecodeError::kOversizedCount);
  if (count == 0) reader.Fail(DecodeError::kNoTransactions);
  TransactionColumns scratch;
  uint32_t next = 0;
  for (uint32_t i = 0; i < prefilled_count && reader.ok(); ++i) {
    const uint32_t index = ReadIndex(reader, next, count);
    const ByteSpan bytes = ReadTransaction(reader, scratch);
    if (reader.ok()) block.prefilled.push_back({index, CopyOf(bytes)});
  }
  return EndOfMessage(reader);
}

void EncodeBlockTransactionsRequest(const BlockTransactionsRequest& request, std::vector<uint8_t>& out) {
  ByteWriter writer(out);
  writer.Bytes(request.block.span());
  writer.CompactSize(request.indexes.size());
  uint32_t next = 0;
  for (const uint32_t index : request.indexes) WriteIndex(writer, next, index);
}

DecodeError DecodeBlockTransactionsRequest(ByteSpan body, BlockTransactionsRequest& request) {
  request.indexes.clear();
  ByteReader reader(body);
  request.block = ReadHash(reader);
  const uint32_t count = ReadTransactionCount(reader);
  uint32_t next = 0;
  for (uint32_t i = 0; i < count && reader.ok(); ++i) {
    const uint32_t index = ReadIndex(reader, next, kMaxBlockTransactions);
    if (reader.ok()) request.indexes.push_back(index);
  }
  return EndOfMessage(reader);
}

void EncodeBlockTransactions(const BlockTransactions& answer, std::vector<uint8_t>& out) {
  ByteWriter writer(out);
  writer.Bytes(answer.block.span());
  writer.CompactSize(answer.transactions.size());
  for (const std::vector<uint8_t>& transaction : answer.transactions) writer.Bytes(transaction);
}

DecodeError DecodeBlockTransactions(ByteSpan body, BlockTransactions& answer) {
  answer.transactions.clear();
  ByteReader reader(body);
  answer.block = ReadHash(reader);
  const uint32_t count = ReadTransactionCount(reader);
  TransactionColumns scratch;
  for (uint32_t i = 0; i < count && reader.ok(); ++i) {
    const ByteSpan bytes = ReadTransaction(reader, scratch);
    if (reader.ok()) answer.transactions.push_back(CopyOf(bytes));
  }
  return EndOfMessage(reader);
}

}  // namespace headrace
