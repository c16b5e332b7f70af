// Unsigned 256-bit arithmetic for targets and chain work. All operations wrap around modulo 2^256, as the field's do:
// difficulty depends on it. A value type; any thread; no allocation.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/primitives/hash256.h"

namespace headrace {

class Uint256 {
 public:
  constexpr Uint256() = default;
  constexpr Uint256(uint64_t value) : limbs_{value, 0, 0, 0} {}  // implicit: small numbers read as numbers
  // Least significant limb first.
  constexpr Uint256(uint64_t limb0, uint64_t limb1, uint64_t limb2, uint64_t limb3)
      : limbs_{limb0, limb1, limb2, limb3} {}

  // A hash read as a little-endian number, which is how proof of work reads it.
  static Uint256 FromHash(const Hash256& hash);
  Hash256 ToHash() const;
  // At most 64 hex digits, most significant first.
  static std::optional<Uint256> FromHex(std::string_view text);
  // Always 64 hex digits.
  std::string ToHex() const;
  // The nearest double: for difficulty figures in reports, never for rules.
  double ToDouble() const;

  constexpr uint64_t low64() const { return limbs_[0]; }
  constexpr uint64_t limb(int index) const { return limbs_[index]; }
  constexpr bool IsZero() const { return (limbs_[0] | limbs_[1] | limbs_[2] | limbs_[3]) == 0; }
  // Position of the highest set bit plus one; 0 for zero.
  int bit_length() const;

  Uint256 operator~() const { return {~limbs_[0], ~limbs_[1], ~limbs_[2], ~limbs_[3]}; }
  Uint256& operator+=(const Uint256& other);
  Uint256& operator-=(const Uint256& other);
  Uint256& operator*=(const Uint256& other);
  // The divisor must not be zero.
  Uint256& operator/=(const Uint256& divisor);
  // Shifts of 256 and more give zero.
  Uint256& operator<<=(unsigned bits);
  Uint256& operator>>=(unsigned bits);

  friend Uint256 operator+(Uint256 a, const Uint256& b) { return a += b; }
  friend Uint256 operator-(Uint256 a, const Uint256& b) { return a -= b; }
  friend Uint256 operator*(Uint256 a, const Uint256& b) { return a *= b; }
  friend Uint256 operator/(Uint256 a, const Uint256& b) { return a /= b; }
  friend Uint256 operator<<(Uint256 a, unsigned bits) { return a <<= bits; }
  friend Uint256 operator>>(Uint256 a, unsigned bits) { return a >>= bits; }

  friend constexpr bool operator==(const Uint256&, const Uint256&) = default;
  friend constexpr std::strong_ordering operator<=>(const Uint256& a, const Uint256& b) {
    for (int i = 3; i > 0; --i) {
      if (a.limbs_[i] != b.limbs_[i]) return a.limbs_[i] <=> b.limbs_[i];
    }
    return a.limbs_[0] <=> b.limbs_[0];
  }

 private:
  std::array<uint64_t, 4> limbs_{};
};
static_assert(sizeof(Uint256) == 32);

}  // namespace headrace
