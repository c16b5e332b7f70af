#include "engine/script/base58.h"

#include <algorithm>
#include <array>

#include "engine/crypto/sha256.h"

namespace headrace {
namespace {

constexpr std::string_view kAlphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
constexpr size_t kChecksumBytes = 4;

constexpr std::array<int8_t, 256> kDigitOf = [] {
  std::array<int8_t, 256> digits{};
  digits.fill(-1);
  for (size_t i = 0; i < kAlphabet.size(); ++i) digits[static_cast<uint8_t>(kAlphabet[i])] = static_cast<int8_t>(i);
  return digits;
}();

// Multiplies a number of big-endian digits in base `base`, kept in reverse, by `factor` and adds `digit`.
void MultiplyAdd(std::vector<uint8_t>& reversed, uint32_t base, uint32_t factor, uint32_t digit) {
  uint32_t carry = digit;
  for (uint8_t& place : reversed) {
    carry += factor * place;
    place = static_cast<uint8_t>(carry % base);
    carry /= base;
  }
  for (; carry != 0; carry /= base) reversed.push_back(static_cast<uint8_t>(carry % base));
}

}  // namespace

std::string Base58Encode(ByteSpan bytes) {
  const size_t zeros = static_cast<size_t>(std::ranges::find_if(bytes, [](uint8_t b) { return b != 0; }) - bytes.begin());
  std::vector<uint8_t> reversed;
  for (const uint8_t byte : bytes.subspan(zeros)) MultiplyAdd(reversed, 58, 256, byte);
  std::string text(zeros, kAlphabet[0]);
  for (auto digit = reversed.rbegin(); digit != reversed.rend(); ++digit) text.push_back(kAlphabet[*digit]);
  return text;
}

std::optional<std::vector<uint8_t>> Base58Decode(std::string_view text, size_t size_max) {
  const size_t zeros = std::min(text.find_first_not_of(kAlphabet[0]), text.size());
  if (zeros > size_max) return std::nullopt;
  std::vector<uint8_t> reversed;
  for (const char character : text.substr(zeros)) {
    const int8_t digit = kDigitOf[static_cast<uint8_t>(character)];
    if (digit < 0) return std::nullopt;
    MultiplyAdd(reversed, 256, 58, static_cast<uint32_t>(digit));
    if (zeros + reversed.size() > size_max) return std::nullopt;
  }
  std::vector<uint8_t> bytes(zeros, 0);
  bytes.insert(bytes.end(), reversed.rbegin(), reversed.rend());
  return bytes;
}

std::string Base58CheckEncode(ByteSpan payload) {
  std::vector<uint8_t> bytes(payload.begin(), payload.end());
  const Digest256 checksum = Sha256d(payload);
  bytes.insert(bytes.end(), checksum.begin(), checksum.begin() + kChecksumBytes);
  return Base58Encode(bytes);
}

std::optional<std::vector<uint8_t>> Base58CheckDecode(std::string_view text, size_t size_max) {
  auto bytes = Base58Decode(text, size_max + kChecksumBytes);
  if (!bytes || bytes->size() < kChecksumBytes) return std::nullopt;
  const size_t payload_size = bytes->size() - kChecksumBytes;
  const Digest256 checksum = Sha256d(ByteSpan(*bytes).first(payload_size));
  if (!std::equal(bytes->end() - kChecksumBytes, bytes->end(), checksum.begin())) return std::nullopt;
  bytes->resize(payload_size);
  return bytes;
}

}  // namespace headrace
