// Numbers on the stack: little-endian with the sign in the top bit of the last byte; zero is empty.
#pragma once

#include <array>
#include <cstdint>

#include "engine/base/bytes.h"

namespace headrace {

// Operands have at most four bytes, so that arithmetic cannot overflow; lock times have five.
inline constexpr size_t kScriptNumberBytes = 4;
inline constexpr size_t kLockTimeNumberBytes = 5;

// The number that `bytes` encode. False when there are more than `size_max` (at most 8) bytes, or when minimal encoding
// is required and a shorter encoding exists.
inline bool DecodeScriptNumber(ByteSpan bytes, bool require_minimal, size_t size_max, int64_t& number) {
  number = 0;
  if (bytes.size() > size_max) return false;
  if (bytes.empty()) return true;
  const uint8_t last = bytes.back();
  if (require_minimal && (last & 0x7f) == 0 && (bytes.size() == 1 || (bytes[bytes.size() - 2] & 0x80) == 0)) return false;
  uint64_t magnitude = 0;
  for (size_t i = 0; i < bytes.size(); ++i) magnitude |= static_cast<uint64_t>(bytes[i]) << (8 * i);
  const uint64_t sign = uint64_t{0x80} << (8 * (bytes.size() - 1));
  number = (magnitude & sign) != 0 ? -static_cast<int64_t>(magnitude & ~sign) : static_cast<int64_t>(magnitude);
  return true;
}

// A number in its shortest encoding.
class EncodedScriptNumber {
 public:
  explicit EncodedScriptNumber(int64_t number) {
    uint64_t magnitude = number < 0 ? ~static_cast<uint64_t>(number) + 1 : static_cast<uint64_t>(number);
    while (magnitude != 0) {
      bytes_[size_++] = static_cast<uint8_t>(magnitude);
      magnitude >>= 8;
    }
    if (size_ != 0 && (bytes_[size_ - 1] & 0x80) != 0) bytes_[size_++] = 0;
    if (number < 0) bytes_[size_ - 1] |= 0x80;
  }

  ByteSpan span() const { return {bytes_.data(), size_}; }

 private:
  std::array<uint8_t, 9> bytes_;
  size_t size_ = 0;
};

// Any non-zero byte makes true, but for the sign of negative zero.
inline bool CastToBool(ByteSpan bytes) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] != 0) return i + 1 != bytes.size() || bytes[i] != 0x80;
  }
  return false;
}

}  // namespace headrace
