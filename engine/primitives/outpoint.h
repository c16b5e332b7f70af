// The name of an output: the transaction that made it and its position there. 36 bytes, as on the wire.
#pragma once

#include <compare>
#include <cstring>

#include "engine/base/endian.h"
#include "engine/primitives/hash256.h"

namespace headrace {

struct OutPoint {
  static constexpr size_t kSerializedBytes = 36;
  static constexpr uint32_t kNullIndex = 0xffffffff;

  Hash256 txid;
  uint32_t index = 0;

  // `at` points to 36 readable bytes.
  static OutPoint Load(const uint8_t* at) { return {Hash256::Load(at), LoadLittle32(at + 32)}; }
  void Store(uint8_t* at) const {
    std::memcpy(at, txid.bytes.data(), 32);
    StoreLittle(at + 32, index);
  }
  // What a coinbase's only input names.
  bool IsNull() const { return index == kNullIndex && txid.IsZero(); }

  auto operator<=>(const OutPoint&) const = default;

  template <typename H>
  friend H AbslHashValue(H state, const OutPoint& outpoint) {
    return H::combine(std::move(state), outpoint.txid, outpoint.index);
  }
};
static_assert(sizeof(OutPoint) == OutPoint::kSerializedBytes);

}  // namespace headrace
