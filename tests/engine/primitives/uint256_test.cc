#include "engine/primitives/uint256.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "tests/reference/big_integer.h"

namespace headrace {
namespace {

using testing::BigInteger;

BigInteger Big(const Uint256& value) {
  const Hash256 hash = value.ToHash();
  return BigInteger(std::vector<uint8_t>(hash.bytes.begin(), hash.bytes.end()));
}

// Modulo 2^256.
Uint256 Wrapped(const BigInteger& value) {
  Hash256 hash;
  for (size_t i = 0; i < 32 && i < value.digits().size(); ++i) hash.bytes[i] = value.digits()[i];
  return Uint256::FromHash(hash);
}

BigInteger PowerOfTwo(unsigned exponent) {
  std::vector<uint8_t> digits(exponent / 8 + 1, 0);
  digits.back() = static_cast<uint8_t>(1u << (exponent % 8));
  return BigInteger(digits);
}

class RandomNumbers {
 public:
  // Every size is as likely, and runs of zeros and ones are common: that is where carries go wrong.
  Uint256 Next() {
    Uint256 value;
    for (int i = 0; i < 4; ++i) {
      const uint64_t choice = random_() % 4;
      const uint64_t limb = choice == 0 ? 0 : choice == 1 ? ~uint64_t{0} : random_();
      value = (value << 64) + Uint256(limb);
    }
    return value >> static_cast<unsigned>(random_() % 257);
  }
  uint64_t Below(uint64_t limit) { return random_() % limit; }

 private:
  std::mt19937_64 random_{20090103};
};

TEST(Uint256, EqualsPaperArithmeticOnRandomNumbers) {
  RandomNumbers random;
  const BigInteger modulus = PowerOfTwo(256);
  for (int i = 0; i < 3000; ++i) {
    const Uint256 a = random.Next();
    const Uint256 b = random.Next();
    const BigInteger big_a = Big(a);
    const BigInteger big_b = Big(b);
    ASSERT_EQ(a + b, Wrapped(big_a + big_b));
    ASSERT_EQ(a - b, Wrapped(big_a + modulus - big_b));
    ASSERT_EQ(a * b, Wrapped(big_a * big_b));
    ASSERT_EQ(a < b, big_a < big_b);
    ASSERT_EQ(a == b, big_a == big_b);
    if (!b.IsZero()) {
      ASSERT_EQ(a / b, Wrapped(big_a / big_b)) << a.ToHex() << " / " << b.ToHex();
    }
    const unsigned shift = static_cast<unsigned>(random.Below(260));
    ASSERT_EQ(a << shift, Wrapped(big_a * PowerOfTwo(shift))) << shift;
    ASSERT_EQ(a >> shift, Wrapped(big_a / PowerOfTwo(shift))) << shift;
  }
}

TEST(Uint256, KnowsItsLength) {
  EXPECT_EQ(Uint256(0).bit_length(), 0);
  for (unsigned bit = 0; bit < 256; ++bit) EXPECT_EQ((Uint256(1) << bit).bit_length(), static_cast<int>(bit) + 1);
}

TEST(Uint256, ReadsAndWritesHex) {
  EXPECT_EQ(Uint256::FromHex("ff"), Uint256(255));
  EXPECT_EQ(Uint256::FromHex("1" + std::string(63, '0')), Uint256(1) << 252);
  EXPECT_EQ(Uint256(0x1234).ToHex(), std::string(60, '0') + "1234");
  EXPECT_FALSE(Uint256::FromHex(""));
  EXPECT_FALSE(Uint256::FromHex(std::string(65, '0')));
  EXPECT_FALSE(Uint256::FromHex("0x12"));
}

TEST(Uint256, ApproximatesAsDouble) {
  EXPECT_EQ(Uint256(0).ToDouble(), 0.0);
  EXPECT_EQ((Uint256(3) << 200).ToDouble(), 3 * std::pow(2.0, 200));
}

TEST(Uint256DeathTest, RefusesToDivideByZero) { EXPECT_DEATH(Uint256(1) / Uint256(0), "IsZero"); }

}  // namespace
}  // namespace headrace
