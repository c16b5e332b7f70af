// Byte spans: how raw memory is passed around everywhere. Never owning; a span lives as long as what it points into. `Bytes`
// own theirs: for building and for tests, off the hot path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace headrace {

using Bytes = std::vector<uint8_t>;
using ByteSpan = std::span<const uint8_t>;
using MutableByteSpan = std::span<uint8_t>;

inline ByteSpan AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

inline std::string_view AsText(ByteSpan bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A range inside a raw buffer: 32 bits reach any byte of a block (4 MB) or message.
struct ByteRange {
  uint32_t offset = 0;
  uint32_t size = 0;

  ByteSpan In(ByteSpan raw) const { return raw.subspan(offset, size); }
};
static_assert(sizeof(ByteRange) == 8);

}  // namespace headrace
