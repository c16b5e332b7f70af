// 256-bit arithmetic against numbers of any size, modulo 2^256.
#include "engine/primitives/uint256.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/reference/big_integer.h"

namespace headrace::fuzz {
namespace {

using testing::BigInteger;

BigInteger Plain(const Uint256& number) {
  const Hash256 hash = number.ToHash();
  return BigInteger({hash.bytes.begin(), hash.bytes.end()});
}

// The lowest 32 digits.
Uint256 Wrapped(const BigInteger& number) {
  Hash256 hash;
  for (size_t i = 0; i < 32 && i < number.digits().size(); ++i) hash.bytes[i] = number.digits()[i];
  return Uint256::FromHash(hash);
}

BigInteger PowerOfTwo(unsigned exponent) {
  std::vector<uint8_t> digits(exponent / 8 + 1);
  digits.back() = static_cast<uint8_t>(1u << exponent % 8);
  return BigInteger(digits);
}

Uint256 Number(FuzzInput& in) {
  Hash256 hash;
  const ByteSpan digits = in.Take(in.U8() % 33);
  std::copy(digits.begin(), digits.end(), hash.bytes.begin());
  // Long runs of ones are where carries travel.
  const Uint256 number = Uint256::FromHash(hash);
  return in.Flag() ? ~number : number;
}

void Run(ByteSpan input) {
  FuzzInput in(input);
  const Uint256 a = Number(in);
  const Uint256 b = Number(in);
  const unsigned shift = in.U16() % 300;
  const BigInteger plain_a = Plain(a);
  const BigInteger plain_b = Plain(b);
  const BigInteger modulus = PowerOfTwo(256);
  HR_CHECK(a + b == Wrapped(plain_a + plain_b));
  HR_CHECK(a - b == Wrapped(plain_a + modulus - plain_b));
  HR_CHECK(a * b == Wrapped(plain_a * plain_b));
  if (!b.IsZero()) HR_CHECK(a / b == Wrapped(plain_a / plain_b));
  HR_CHECK(a << shift == Wrapped(plain_a * PowerOfTwo(shift)));
  HR_CHECK(a >> shift == Wrapped(plain_a / PowerOfTwo(shift)));
  HR_CHECK(~a == Wrapped(modulus - BigInteger(1) - plain_a));
  HR_CHECK((a < b) == (plain_a < plain_b) && (a == b) == (plain_a == plain_b) && (a > b) == (plain_b < plain_a));
  const int bits = a.bit_length();
  HR_CHECK(bits == 0 ? a.IsZero() : !(plain_a < PowerOfTwo(bits - 1)) && plain_a < PowerOfTwo(bits));
}

std::vector<Bytes> Corpus() {
  std::vector<Bytes> corpus;
  for (const uint8_t size : {0, 1, 8, 9, 16, 24, 31, 32}) {
    for (const uint8_t digit : {0, 1, 0x80, 0xff}) {
      Bytes& input = corpus.emplace_back(1, size);
      input.insert(input.end(), size, digit);
      input.push_back(digit & 1);
      input.push_back(static_cast<uint8_t>(32 - size));
      input.insert(input.end(), 32 - size, static_cast<uint8_t>(digit + 1));
      input.insert(input.end(), {0, size, digit});
    }
  }
  return corpus;
}

FUZZ_TARGET(uint256, 1'500, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
