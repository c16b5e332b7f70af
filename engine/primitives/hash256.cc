#include "engine/primitives/hash256.h"

#include <algorithm>

#include "engine/base/hex.h"

namespace headrace {

std::string Hash256::ToHex() const {
  std::array<uint8_t, 32> reversed = bytes;
  std::reverse(reversed.begin(), reversed.end());
  return HexEncode(reversed);
}

std::optional<Hash256> Hash256::FromHex(std::string_view text) {
  const auto decoded = HexDecode(text);
  if (!decoded || decoded->size() != 32) return std::nullopt;
  Hash256 hash;
  std::reverse_copy(decoded->begin(), decoded->end(), hash.bytes.begin());
  return hash;
}

}  // namespace headrace
