// Base58 and its form with a checksum (four bytes of double SHA-256). Pure; sizes are bounded, since the conversion is
// quadratic.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/bytes.h"

namespace headrace {

std::string Base58Encode(ByteSpan bytes);
// Nothing for other characters and for more than `size_max` bytes.
std::optional<std::vector<uint8_t>> Base58Decode(std::string_view text, size_t size_max);

std::string Base58CheckEncode(ByteSpan payload);
// The payload without its checksum; nothing when that does not match.
std::optional<std::vector<uint8_t>> Base58CheckDecode(std::string_view text, size_t size_max);

}  // namespace headrace
