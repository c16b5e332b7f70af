#include "engine/primitives/targets.h"

namespace headrace {

namespace {
constexpr uint32_t kMantissaMask = 0x007fffff;
constexpr uint32_t kSignBit = 0x00800000;
}  // namespace

CompactTarget DecodeCompact(uint32_t bits) {
  const unsigned size = bits >> 24;
  uint32_t mantissa = bits & kMantissaMask;
  CompactTarget target;
  if (size <= 3) {
    mantissa >>= 8 * (3 - size);
    target.value = mantissa;
  } else {
    target.value = Uint256(mantissa) << (8 * (size - 3));
  }
  target.is_negative = mantissa != 0 && (bits & kSignBit) != 0;
  // The mantissa has one to three bytes; its highest must not stand above the 32nd.
  target.overflows = mantissa != 0 && (size > 34 || (mantissa > 0xff && size > 33) || (mantissa > 0xffff && size > 32));
  return target;
}

uint32_t EncodeCompact(const Uint256& value) {
  unsigned size = static_cast<unsigned>(value.bit_length() + 7) / 8;
  uint32_t mantissa = static_cast<uint32_t>(size <= 3 ? value.low64() << (8 * (3 - size))
                                                      : (value >> (8 * (size - 3))).low64());
  // A mantissa that would reach the sign bit moves down a byte.
  if ((mantissa & kSignBit) != 0) {
    mantissa >>= 8;
    ++size;
  }
  return mantissa | size << 24;
}

std::optional<Uint256> TargetFromBits(uint32_t bits, const Uint256& limit) {
  const CompactTarget target = DecodeCompact(bits);
  if (target.is_negative || target.overflows || target.value.IsZero() || target.value > limit) return std::nullopt;
  return target.value;
}

Uint256 WorkFromBits(uint32_t bits) {
  const CompactTarget target = DecodeCompact(bits);
  if (target.is_negative || target.overflows || target.value.IsZero()) return 0;
  // 2^256 does not fit, but 2^256 / (t + 1) = (2^256 - t - 1) / (t + 1) + 1, and 2^256 - t - 1 is ~t.
  return ~target.value / (target.value + 1) + 1;
}

}  // namespace headrace
