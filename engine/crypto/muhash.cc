#include "engine/crypto/muhash.h"

#include <gmp.h>

#include <cstring>

#include "engine/base/check.h"
#include "engine/crypto/chacha20.h"

namespace headrace {
namespace {

constexpr size_t kNumberBytes = 384;
constexpr mp_size_t kLimbs = kNumberBytes / sizeof(mp_limb_t);
// The modulus is the largest safe prime below 2^3072, which is this much below.
constexpr mp_limb_t kModulusGap = 1103717;
static_assert(sizeof(mp_limb_t) == 8 && GMP_NAIL_BITS == 0);

// A residue in [0, 2^3072): not always the smallest one, which is brought about once, at the end.
struct Number {
  mp_limb_t limbs[kLimbs] = {1};

  // 2^3072 is congruent to the gap, so the upper half of a product folds into the lower by one multiplication.
  void Multiply(const Number& other) {
    mp_limb_t product[2 * kLimbs];
    mpn_mul_n(product, limbs, other.limbs, kLimbs);
    mp_limb_t carry = mpn_addmul_1(product, product + kLimbs, kLimbs, kModulusGap);
    // The carry is below the gap plus one, and its product with the gap fits one limb.
    carry = mpn_add_1(limbs, product, kLimbs, carry * kModulusGap);
    if (carry != 0) mpn_add_1(limbs, limbs, kLimbs, kModulusGap);
  }
};

Number NumberOf(ByteSpan element) {
  Number number;
  uint8_t bytes[kNumberBytes];
  ChaCha20Keystream(Sha256(element), bytes);
  std::memcpy(number.limbs, bytes, kNumberBytes);
  return number;
}

// An integer of the GMP library, freed with its scope.
struct Integer {
  Integer() { mpz_init(value); }
  explicit Integer(const Number& number) : Integer() {
    mpz_import(value, kLimbs, -1, sizeof(mp_limb_t), 0, 0, number.limbs);
  }
  ~Integer() { mpz_clear(value); }
  Integer(const Integer&) = delete;
  Integer& operator=(const Integer&) = delete;

  mpz_t value;
};

}  // namespace

struct MuHash::Fraction {
  Number numerator;
  Number denominator;
};

MuHash::MuHash() : fraction_(std::make_unique<Fraction>()) {}
MuHash::MuHash(const MuHash& other) : fraction_(std::make_unique<Fraction>(*other.fraction_)) {}
MuHash& MuHash::operator=(const MuHash& other) {
  *fraction_ = *other.fraction_;
  return *this;
}
MuHash::~MuHash() = default;

void MuHash::Insert(ByteSpan element) { fraction_->numerator.Multiply(NumberOf(element)); }

void MuHash::Remove(ByteSpan element) { fraction_->denominator.Multiply(NumberOf(element)); }

void MuHash::Combine(const MuHash& other) {
  fraction_->numerator.Multiply(other.fraction_->numerator);
  fraction_->denominator.Multiply(other.fraction_->denominator);
}

Digest256 MuHash::Finish() const {
  Integer modulus;
  mpz_setbit(modulus.value, kNumberBytes * 8);
  mpz_sub_ui(modulus.value, modulus.value, kModulusGap);
  const Integer numerator(fraction_->numerator);
  const Integer denominator(fraction_->denominator);
  Integer quotient;
  // Fails only for multiples of the modulus, which nobody can find an element for.
  HR_CHECK(mpz_invert(quotient.value, denominator.value, modulus.value) != 0);
  mpz_mul(quotient.value, quotient.value, numerator.value);
  mpz_mod(quotient.value, quotient.value, modulus.value);
  uint8_t bytes[kNumberBytes] = {};
  mpz_export(bytes, nullptr, -1, 1, 0, 0, quotient.value);
  return Sha256(bytes);
}

}  // namespace headrace
