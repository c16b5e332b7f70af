// Hexadecimal text to bytes and back.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/bytes.h"

namespace headrace {

// Lower-case, two characters a byte, in memory order.
std::string HexEncode(ByteSpan bytes);

// Accepts both cases; nothing for an odd length or a character that is no hex digit.
std::optional<std::vector<uint8_t>> HexDecode(std::string_view text);

}  // namespace headrace
