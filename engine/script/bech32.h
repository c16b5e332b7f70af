// Bech32 (BIP173) and Bech32m (BIP350): text of a human-readable part, the separator 1, and 5-bit values that end in a
// checksum of six. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/bytes.h"

namespace headrace {

enum class Bech32Variant : uint8_t { kBech32, kBech32m };

struct Bech32Text {
  Bech32Variant variant;
  std::string human_part;  // lower case
  std::vector<uint8_t> values;  // 5 bits each, without the checksum
};

// Human part in lower case.
std::string Bech32Encode(Bech32Variant variant, std::string_view human_part, ByteSpan values);
// Nothing for mixed case, other characters, a missing part, more than 90 characters or a wrong checksum.
std::optional<Bech32Text> Bech32Decode(std::string_view text);

// Bytes as groups of five bits, the last padded with zeros.
std::vector<uint8_t> ToFiveBits(ByteSpan bytes);
// Back; nothing when the padding is a whole group or not zero.
std::optional<std::vector<uint8_t>> FromFiveBits(ByteSpan values);

}  // namespace headrace
