#include "engine/primitives/block_header.h"

#include <cstring>

namespace headrace {

// The struct's layout is the wire's: six fields in order, little-endian, without padding.
static_assert(std::is_trivially_copyable_v<BlockHeader>);
static_assert(offsetof(BlockHeader, previous) == 4 && offsetof(BlockHeader, merkle_root) == 36 &&
              offsetof(BlockHeader, time_s) == 68 && offsetof(BlockHeader, bits) == 72 &&
              offsetof(BlockHeader, nonce) == 76);

BlockHeader BlockHeader::Load(const uint8_t* at) {
  BlockHeader header;
  std::memcpy(static_cast<void*>(&header), at, kSerializedBytes);
  return header;
}

void BlockHeader::Store(uint8_t* at) const { std::memcpy(at, this, kSerializedBytes); }

std::array<uint8_t, BlockHeader::kSerializedBytes> BlockHeader::Serialize() const {
  std::array<uint8_t, kSerializedBytes> bytes;
  Store(bytes.data());
  return bytes;
}

Hash256 BlockHeader::Hash() const { return Hash256(Sha256d(Serialize())); }

}  // namespace headrace
