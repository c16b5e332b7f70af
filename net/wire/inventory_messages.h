// Messages that are a list of inventory items: `inv`, `getdata`, `notfound`.
//
// Values; any thread. Decoders are strict: the whole body must be the message.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/ports/peer_gateway.h"
#include "engine/primitives/decode_error.h"

namespace headrace {

// At most kMaxInventoryPerMessage items.
void EncodeInventory(const std::vector<InventoryItem>& items, std::vector<uint8_t>& out);
[[nodiscard]] DecodeError DecodeInventory(ByteSpan body, std::vector<InventoryItem>& items);

}  // namespace headrace
