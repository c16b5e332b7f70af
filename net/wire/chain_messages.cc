#include "net/wire/chain_messages.h"

#include "engine/base/limits.h"
#include "engine/primitives/byte_reader.h"
#include "engine/primitives/byte_writer.h"

namespace headrace {
namespace {

Hash256 ReadHash(ByteReader& reader) {
  const ByteSpan bytes = reader.Bytes(32);
  return reader.ok() ? Hash256::Load(bytes.data()) : Hash256();
}

DecodeError Finished(ByteReader& reader) {
  if (reader.ok() && reader.remaining() != 0) reader.Fail(DecodeError::kTrailingBytes);
  return reader.error();
}

}  // namespace

void EncodeLocator(const LocatorMessage& message, std::vector<uint8_t>& out) {
  ByteWriter writer(out);
  writer.U32(message.protocol_version);
  writer.CompactSize(message.locator.size());
  for (const Hash256& hash : message.locator) writer.Bytes(hash.span());
  writer.Bytes(message.stop.span());
}

DecodeError DecodeLocator(ByteSpan body, LocatorMessage& message) {
  ByteReader reader(body);
  message.protocol_version = reader.U32();
  const uint32_t count = reader.CompactSize();
  if (count > kMaxLocatorHashes) reader.Fail(DecodeError::kOversizedCount);
  message.locator.clear();
  for (uint32_t i = 0; i < count && reader.ok(); ++i) message.locator.push_back(ReadHash(reader));
  message.stop = ReadHash(reader);
  return Finished(reader);
}

void EncodeHeaders(const std::vector<BlockHeader>& headers, std::vector<uint8_t>& out) {
  ByteWriter writer(out);
  writer.CompactSize(headers.size());
  for (const BlockHeader& header : headers) {
    writer.Bytes(header.Serialize());
    writer.CompactSize(0);
  }
}

DecodeError DecodeHeaders(ByteSpan body, std::vector<BlockHeader>& headers) {
  ByteReader reader(body);
  const uint32_t count = reader.CompactSize();
  if (count > kMaxHeadersPerMessage) reader.Fail(DecodeError::kOversizedCount);
  headers.clear();
  for (uint32_t i = 0; i < count && reader.ok(); ++i) {
    const ByteSpan bytes = reader.Bytes(BlockHeader::kSerializedBytes);
    if (!reader.ok()) break;
    headers.push_back(BlockHeader::Load(bytes.data()));
    // No transactions follow in this message.
    if (reader.CompactSize() != 0) reader.Fail(DecodeError::kOversizedCount);
  }
  return Finished(reader);
}

}  // namespace headrace
