#include "engine/script/bech32.h"

#include <array>

namespace headrace {
namespace {

constexpr std::string_view kAlphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr size_t kChecksumValues = 6;
constexpr size_t kTextCharactersMax = 90;

constexpr uint32_t ChecksumConstant(Bech32Variant variant) {
  return variant == Bech32Variant::kBech32 ? 1 : 0x2bc830a3;
}

// One step of the checksum: a polynomial division over GF(32), as BIP173 gives it.
uint32_t PolymodStep(uint32_t state, uint8_t value) {
  constexpr std::array<uint32_t, 5> kGenerator = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
  const uint32_t top = state >> 25;
  state = ((state & 0x1ffffff) << 5) ^ value;
  for (size_t i = 0; i < kGenerator.size(); ++i) state ^= ((top >> i) & 1) != 0 ? kGenerator[i] : 0;
  return state;
}

uint32_t PolymodHumanPart(std::string_view human_part) {
  uint32_t state = 1;
  for (const char c : human_part) state = PolymodStep(state, static_cast<uint8_t>(c) >> 5);
  state = PolymodStep(state, 0);
  for (const char c : human_part) state = PolymodStep(state, static_cast<uint8_t>(c) & 31);
  return state;
}

// The text in lower case; nothing when it has both cases or characters outside of printable ASCII.
std::optional<std::string> LowerCase(std::string_view text) {
  bool has_lower = false;
  bool has_upper = false;
  std::string lower(text);
  for (char& c : lower) {
    if (c < 33 || c > 126) return std::nullopt;
    has_lower |= c >= 'a' && c <= 'z';
    if (c >= 'A' && c <= 'Z') {
      has_upper = true;
      c = static_cast<char>(c - 'A' + 'a');
    }
  }
  if (has_lower && has_upper) return std::nullopt;
  return lower;
}

}  // namespace

std::string Bech32Encode(Bech32Variant variant, std::string_view human_part, ByteSpan values) {
  uint32_t state = PolymodHumanPart(human_part);
  std::string text(human_part);
  text.push_back('1');
  for (const uint8_t value : values) {
    state = PolymodStep(state, value);
    text.push_back(kAlphabet[value]);
  }
  for (size_t i = 0; i < kChecksumValues; ++i) state = PolymodStep(state, 0);
  state ^= ChecksumConstant(variant);
  for (size_t i = 0; i < kChecksumValues; ++i) text.push_back(kAlphabet[(state >> (5 * (kChecksumValues - 1 - i))) & 31]);
  return text;
}

std::optional<Bech32Text> Bech32Decode(std::string_view text) {
  if (text.size() > kTextCharactersMax) return std::nullopt;
  const std::optional<std::string> lower = LowerCase(text);
  if (!lower) return std::nullopt;
  const size_t separator = lower->rfind('1');
  if (separator == std::string::npos || separator == 0 || separator + 1 + kChecksumValues > lower->size()) {
    return std::nullopt;
  }
  Bech32Text result{Bech32Variant::kBech32, lower->substr(0, separator), {}};
  uint32_t state = PolymodHumanPart(result.human_part);
  for (size_t i = separator + 1; i < lower->size(); ++i) {
    const size_t value = kAlphabet.find((*lower)[i]);
    if (value == std::string_view::npos) return std::nullopt;
    state = PolymodStep(state, static_cast<uint8_t>(value));
    result.values.push_back(static_cast<uint8_t>(value));
  }
  result.values.resize(result.values.size() - kChecksumValues);
  if (state == ChecksumConstant(Bech32Variant::kBech32)) return result;
  if (state != ChecksumConstant(Bech32Variant::kBech32m)) return std::nullopt;
  result.variant = Bech32Variant::kBech32m;
  return result;
}

std::vector<uint8_t> ToFiveBits(ByteSpan bytes) {
  std::vector<uint8_t> values;
  uint32_t buffer = 0;
  int bits = 0;
  for (const uint8_t byte : bytes) {
    buffer = (buffer << 8) | byte;
    bits += 8;
    for (; bits >= 5; bits -= 5) values.push_back((buffer >> (bits - 5)) & 31);
  }
  if (bits > 0) values.push_back((buffer << (5 - bits)) & 31);
  return values;
}

std::optional<std::vector<uint8_t>> FromFiveBits(ByteSpan values) {
  std::vector<uint8_t> bytes;
  uint32_t buffer = 0;
  int bits = 0;
  for (const uint8_t value : values) {
    buffer = (buffer << 5) | value;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push_back(static_cast<uint8_t>(buffer >> bits));
    }
  }
  const uint32_t padding = buffer & ((1u << bits) - 1);
  if (bits >= 5 || padding != 0) return std::nullopt;
  return bytes;
}

}  // namespace headrace
