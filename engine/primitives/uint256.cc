#include "engine/primitives/uint256.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "engine/base/check.h"

namespace headrace {

using Uint128 = unsigned __int128;

Uint256 Uint256::FromHash(const Hash256& hash) {
  Uint256 value;
  std::memcpy(value.limbs_.data(), hash.bytes.data(), sizeof(value.limbs_));
  return value;
}

Hash256 Uint256::ToHash() const {
  return Hash256::Load(reinterpret_cast<const uint8_t*>(limbs_.data()));
}

std::optional<Uint256> Uint256::FromHex(std::string_view text) {
  if (text.empty() || text.size() > 64) return std::nullopt;
  const auto hash = Hash256::FromHex(std::string(64 - text.size(), '0').append(text));
  if (!hash) return std::nullopt;
  return FromHash(*hash);
}

std::string Uint256::ToHex() const { return ToHash().ToHex(); }

double Uint256::ToDouble() const {
  double value = 0;
  for (int i = 3; i >= 0; --i) value = std::ldexp(value, 64) + static_cast<double>(limbs_[i]);
  return value;
}

int Uint256::bit_length() const {
  for (int i = 3; i >= 0; --i) {
    if (limbs_[i] != 0) return i * 64 + std::bit_width(limbs_[i]);
  }
  return 0;
}

Uint256& Uint256::operator+=(const Uint256& other) {
  Uint128 carry = 0;
  for (int i = 0; i < 4; ++i) {
    carry += static_cast<Uint128>(limbs_[i]) + other.limbs_[i];
    limbs_[i] = static_cast<uint64_t>(carry);
    carry >>= 64;
  }
  return *this;
}

Uint256& Uint256::operator-=(const Uint256& other) {
  uint64_t borrow = 0;
  for (int i = 0; i < 4; ++i) {
    const Uint128 difference = static_cast<Uint128>(limbs_[i]) - other.limbs_[i] - borrow;
    limbs_[i] = static_cast<uint64_t>(difference);
    borrow = static_cast<uint64_t>(difference >> 64) & 1;
  }
  return *this;
}

Uint256& Uint256::operator*=(const Uint256& other) {
  std::array<uint64_t, 4> product{};
  for (int i = 0; i < 4; ++i) {
    Uint128 carry = 0;
    for (int j = 0; i + j < 4; ++j) {
      carry += static_cast<Uint128>(limbs_[i]) * other.limbs_[j] + product[i + j];
      product[i + j] = static_cast<uint64_t>(carry);
      carry >>= 64;
    }
  }
  limbs_ = product;
  return *this;
}

// Binary long division: one subtraction a bit of quotient. Dividing happens once a header.
Uint256& Uint256::operator/=(const Uint256& divisor) {
  HR_CHECK(!divisor.IsZero());
  Uint256 remainder = *this;
  Uint256 quotient;
  const int shift = bit_length() - divisor.bit_length();
  Uint256 shifted = shift > 0 ? divisor << static_cast<unsigned>(shift) : divisor;
  for (int bit = shift; bit >= 0; --bit) {
    if (remainder >= shifted) {
      remainder -= shifted;
      quotient.limbs_[bit / 64] |= uint64_t{1} << (bit % 64);
    }
    shifted >>= 1;
  }
  return *this = quotient;
}

Uint256& Uint256::operator<<=(unsigned bits) {
  const int limbs = static_cast<int>(bits / 64);
  const unsigned rest = bits % 64;
  for (int i = 3; i >= 0; --i) {
    const uint64_t high = bits < 256 && i >= limbs ? limbs_[i - limbs] : 0;
    const uint64_t low = bits < 256 && i > limbs ? limbs_[i - limbs - 1] : 0;
    limbs_[i] = rest == 0 ? high : (high << rest) | (low >> (64 - rest));
  }
  return *this;
}

Uint256& Uint256::operator>>=(unsigned bits) {
  const int limbs = bits < 256 ? static_cast<int>(bits / 64) : 4;
  const unsigned rest = bits % 64;
  for (int i = 0; i < 4; ++i) {
    const uint64_t low = i + limbs < 4 ? limbs_[i + limbs] : 0;
    const uint64_t high = i + limbs + 1 < 4 ? limbs_[i + limbs + 1] : 0;
    limbs_[i] = rest == 0 ? low : (low >> rest) | (high << (64 - rest));
  }
  return *this;
}

}  // namespace headrace
