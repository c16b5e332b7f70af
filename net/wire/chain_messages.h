// Messages about the chain of headers: `getheaders`, `getblocks`, `headers`.
//
// Values; any thread. Decoders are strict: the whole body must be the message.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/primitives/block_header.h"
#include "engine/primitives/decode_error.h"

namespace headrace {

// The body of `getheaders` and `getblocks`: where the asker stands, newest first.
struct LocatorMessage {
  uint32_t protocol_version = 0;
  std::vector<Hash256> locator;  // at most kMaxLocatorHashes
  Hash256 stop;                  // zero: as many as fit
  bool operator==(const LocatorMessage&) const = default;
};

void EncodeLocator(const LocatorMessage& message, std::vector<uint8_t>& out);
[[nodiscard]] DecodeError DecodeLocator(ByteSpan body, LocatorMessage& message);

// At most kMaxHeadersPerMessage, each followed by a transaction count, which is zero.
void EncodeHeaders(const std::vector<BlockHeader>& headers, std::vector<uint8_t>& out);
[[nodiscard]] DecodeError DecodeHeaders(ByteSpan body, std::vector<BlockHeader>& headers);

}  // namespace headrace
