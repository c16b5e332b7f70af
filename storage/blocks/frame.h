// A frame: network magic, payload length, payload. The field's common layout of block files; undo files add a checksum
// behind the payload. Layout and limits are specified in FORMAT.md.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/strings/str_format.h"
#include "engine/base/bytes.h"
#include "engine/base/endian.h"
#include "engine/base/limits.h"
#include "engine/ports/block_store.h"

namespace headrace {

using NetworkMagic = std::array<uint8_t, 4>;

inline constexpr uint32_t kFrameHeaderBytes = 8;
// No frame is larger: a block that spends nothing but the largest scripts has 244 MB of undo.
inline constexpr uint32_t kFrameBytesMax = 512u << 20;
// An undo frame ends with the CRC-32C of the block's hash and the payload.
inline constexpr uint32_t kUndoTrailerBytes = 4;
// A block has at least its header and one byte that counts transactions.
inline constexpr uint32_t kFramedBlockBytesMin = BlockHeader::kSerializedBytes + 1;
inline constexpr uint32_t kFramedBlockBytesMax = kMaxBlockSerializedBytes;

inline void StoreFrameHeader(uint8_t* at, const NetworkMagic& magic, uint32_t length) {
  std::memcpy(at, magic.data(), magic.size());
  StoreLittle(at + magic.size(), length);
}

// `at` points to kFrameHeaderBytes.
inline bool IsFrameHeader(const uint8_t* at, const NetworkMagic& magic, uint32_t length) {
  return std::memcmp(at, magic.data(), magic.size()) == 0 && LoadLittle32(at + magic.size()) == length;
}

// "blk00007.dat", "rev00000.dat".
inline std::string NumberedFileName(const std::string& prefix, uint32_t number) {
  return absl::StrFormat("%s%05u.dat", prefix, number);
}

// Where the next frame of a numbered family of files starts. Ordered by file, then offset.
struct FrameExtent {
  uint32_t file = 0;
  uint32_t offset = 0;
  auto operator<=>(const FrameExtent&) const = default;
};

}  // namespace headrace
