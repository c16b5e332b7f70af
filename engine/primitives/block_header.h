// The 80 bytes that proof of work is done over.
#pragma once

#include <array>
#include <cstdint>

#include "engine/primitives/hash256.h"

namespace headrace {

struct BlockHeader {
  static constexpr size_t kSerializedBytes = 80;

  int32_t version = 0;
  Hash256 previous;
  Hash256 merkle_root;
  uint32_t time_s = 0;
  uint32_t bits = 0;
  uint32_t nonce = 0;

  // `at` points to 80 bytes.
  static BlockHeader Load(const uint8_t* at);
  void Store(uint8_t* at) const;
  std::array<uint8_t, kSerializedBytes> Serialize() const;
  // Double SHA-256 of the serialisation: the block's name.
  Hash256 Hash() const;

  bool operator==(const BlockHeader&) const = default;
};
static_assert(sizeof(BlockHeader) == BlockHeader::kSerializedBytes);

}  // namespace headrace
