#include "net/wire/inventory_messages.h"

#include "engine/base/limits.h"
#include "engine/primitives/byte_reader.h"
#include "engine/primitives/byte_writer.h"

namespace headrace {

void EncodeInventory(const std::vector<InventoryItem>& items, std::vector<uint8_t>& out) {
  ByteWriter writer(out);
  writer.CompactSize(items.size());
  for (const InventoryItem& item : items) {
    writer.U32(item.type);
    writer.Bytes(item.hash.span());
  }
}

DecodeError DecodeInventory(ByteSpan body, std::vector<InventoryItem>& items) {
  ByteReader reader(body);
  const uint32_t count = reader.CompactSize();
  if (count > kMaxInventoryPerMessage) reader.Fail(DecodeError::kOversizedCount);
  items.clear();
  for (uint32_t i = 0; i < count && reader.ok(); ++i) {
    const uint32_t type = reader.U32();
    const ByteSpan hash = reader.Bytes(32);
    if (reader.ok()) items.push_back({type, Hash256::Load(hash.data())});
  }
  if (reader.ok() && reader.remaining() != 0) reader.Fail(DecodeError::kTrailingBytes);
  return reader.error();
}

}  // namespace headrace
