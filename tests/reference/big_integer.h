// Unsigned arithmetic on base-256 digit vectors, as on paper: the naive twin of Uint256 and of what is built on it.
// Never wraps; digits are least significant first, without leading zeros.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace headrace::testing {

class BigInteger {
 public:
  BigInteger() = default;
  explicit BigInteger(uint64_t value) {
    for (; value != 0; value >>= 8) digits_.push_back(static_cast<uint8_t>(value));
  }
  explicit BigInteger(std::vector<uint8_t> digits) : digits_(std::move(digits)) { Trim(); }

  const std::vector<uint8_t>& digits() const { return digits_; }

  friend BigInteger operator+(const BigInteger& a, const BigInteger& b) {
    std::vector<uint8_t> sum;
    unsigned carry = 0;
    for (size_t i = 0; i < std::max(a.digits_.size(), b.digits_.size()) || carry != 0; ++i) {
      carry += a.Digit(i) + b.Digit(i);
      sum.push_back(static_cast<uint8_t>(carry));
      carry >>= 8;
    }
    return BigInteger(sum);
  }

  // `a` is at least `b`.
  friend BigInteger operator-(const BigInteger& a, const BigInteger& b) {
    std::vector<uint8_t> difference;
    int borrow = 0;
    for (size_t i = 0; i < a.digits_.size(); ++i) {
      int digit = a.Digit(i) - b.Digit(i) - borrow;
      borrow = digit < 0;
      difference.push_back(static_cast<uint8_t>(digit + 256 * borrow));
    }
    return BigInteger(difference);
  }

  friend BigInteger operator*(const BigInteger& a, const BigInteger& b) {
    BigInteger product;
    for (size_t i = 0; i < b.digits_.size(); ++i) {
      std::vector<uint8_t> row(i, 0);
      unsigned carry = 0;
      for (size_t j = 0; j < a.digits_.size() || carry != 0; ++j) {
        carry += a.Digit(j) * b.digits_[i];
        row.push_back(static_cast<uint8_t>(carry));
        carry >>= 8;
      }
      product = product + BigInteger(row);
    }
    return product;
  }

  friend BigInteger operator/(const BigInteger& a, const BigInteger& b) {
    std::vector<uint8_t> quotient(a.digits_.size(), 0);
    BigInteger rest;
    for (size_t i = a.digits_.size(); i-- > 0;) {
      std::vector<uint8_t> shifted = {a.digits_[i]};
      shifted.insert(shifted.end(), rest.digits_.begin(), rest.digits_.end());
      rest = BigInteger(shifted);
      while (!(rest < b)) {
        rest = rest - b;
        ++quotient[i];
      }
    }
    return BigInteger(quotient);
  }

  friend bool operator<(const BigInteger& a, const BigInteger& b) {
    if (a.digits_.size() != b.digits_.size()) return a.digits_.size() < b.digits_.size();
    return std::lexicographical_compare(a.digits_.rbegin(), a.digits_.rend(), b.digits_.rbegin(), b.digits_.rend());
  }
  friend bool operator==(const BigInteger& a, const BigInteger& b) = default;

 private:
  int Digit(size_t i) const { return i < digits_.size() ? digits_[i] : 0; }
  void Trim() {
    while (!digits_.empty() && digits_.back() == 0) digits_.pop_back();
  }

  std::vector<uint8_t> digits_;
};

}  // namespace headrace::testing
