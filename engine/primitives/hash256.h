// A 256-bit identifier (block hash, txid, wtxid) in memory order; text shows it reversed, as the field does.
#pragma once

#include <array>
#include <compare>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/bytes.h"
#include "engine/crypto/sha256.h"

namespace headrace {

struct Hash256 {
  std::array<uint8_t, 32> bytes{};

  Hash256() = default;
  explicit Hash256(const Digest256& digest) : bytes(digest) {}
  // `at` points to 32 readable bytes.
  static Hash256 Load(const uint8_t* at) {
    Hash256 hash;
    std::memcpy(hash.bytes.data(), at, 32);
    return hash;
  }

  auto operator<=>(const Hash256&) const = default;

  bool IsZero() const { return *this == Hash256(); }
  ByteSpan span() const { return bytes; }

  // 64 hex digits, reversed ("display order").
  std::string ToHex() const;
  static std::optional<Hash256> FromHex(std::string_view text);

  template <typename H>
  friend H AbslHashValue(H state, const Hash256& hash) {
    return H::combine_contiguous(std::move(state), hash.bytes.data(), hash.bytes.size());
  }
};
static_assert(sizeof(Hash256) == 32);

}  // namespace headrace
