// MuHash: the field's published value, set laws, and equality with a plain computation.
#include "engine/crypto/muhash.h"

#include <gmp.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "engine/base/hex.h"
#include "engine/crypto/chacha20.h"

namespace headrace {
namespace {

Bytes ElementOf(uint8_t first) {
  Bytes bytes(32);
  bytes[0] = first;
  return bytes;
}

std::string DisplayHex(Digest256 digest) {
  std::reverse(digest.begin(), digest.end());
  return HexEncode(digest);
}

Bytes OpenSslKeystream(const Digest256& key, size_t size) {
  const Bytes zeros(size);
  Bytes out(size);
  const uint8_t counter_and_nonce[16] = {};
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  int written = 0;
  EXPECT_EQ(EVP_EncryptInit_ex(context, EVP_chacha20(), nullptr, key.data(), counter_and_nonce), 1);
  EXPECT_EQ(EVP_EncryptUpdate(context, out.data(), &written, zeros.data(), static_cast<int>(size)), 1);
  EVP_CIPHER_CTX_free(context);
  return out;
}

// The definition itself, with whole divisions at every step.
Digest256 PlainMuHash(const std::vector<Bytes>& inserted, const std::vector<Bytes>& removed) {
  mpz_t modulus, product, number;
  mpz_inits(modulus, product, number, nullptr);
  mpz_ui_pow_ui(modulus, 2, 3072);
  mpz_sub_ui(modulus, modulus, 1103717);
  mpz_set_ui(product, 1);
  const auto multiply = [&](const Bytes& element, bool inverted) {
    const Bytes stream = OpenSslKeystream(Sha256(element), 384);
    mpz_import(number, stream.size(), -1, 1, 0, 0, stream.data());
    mpz_mod(number, number, modulus);
    if (inverted) mpz_invert(number, number, modulus);
    mpz_mul(product, product, number);
    mpz_mod(product, product, modulus);
  };
  for (const Bytes& element : inserted) multiply(element, false);
  for (const Bytes& element : removed) multiply(element, true);
  Bytes bytes(384);
  mpz_export(bytes.data(), nullptr, -1, 1, 0, 0, product);
  mpz_clears(modulus, product, number, nullptr);
  return Sha256(bytes);
}

TEST(ChaCha20, KeystreamAgreesWithOpenSsl) {
  std::mt19937_64 random(7);
  for (size_t size : {0, 1, 63, 64, 65, 255, 256, 257, 384, 1000}) {
    Digest256 key;
    for (uint8_t& byte : key) byte = static_cast<uint8_t>(random());
    Bytes out(size);
    ChaCha20Keystream(key, out);
    EXPECT_EQ(out, OpenSslKeystream(key, size)) << size;
  }
}

TEST(MuHash, PublishedValue) {
  MuHash set;
  set.Insert(ElementOf(0));
  set.Insert(ElementOf(1));
  set.Remove(ElementOf(2));
  EXPECT_EQ(DisplayHex(set.Finish()), "10d312b100cbd32ada024a6646e40d3482fcff103668d2625f10002a607d5863");
}

TEST(MuHash, EmptySetOfTheField) {
  // gettxoutsetinfo's muhash of regtest at genesis: no unspent outputs.
  EXPECT_EQ(DisplayHex(MuHash().Finish()), "dd5ad2a105c2d29495f577245c357409002329b9f4d6182c0af3dc2f462555c8");
}

TEST(MuHash, RandomSetsAgreeWithThePlainComputation) {
  std::mt19937_64 random(8);
  for (int round = 0; round < 20; ++round) {
    std::vector<Bytes> inserted, removed;
    MuHash set;
    for (uint64_t i = random() % 12; i != 0; --i) {
      Bytes element(random() % 100);
      for (uint8_t& byte : element) byte = static_cast<uint8_t>(random());
      const bool is_insert = random() % 3 != 0;
      is_insert ? set.Insert(element) : set.Remove(element);
      (is_insert ? inserted : removed).push_back(element);
    }
    EXPECT_EQ(set.Finish(), PlainMuHash(inserted, removed));
  }
}

TEST(MuHash, OrderAndRemovalLeaveNoTrace) {
  std::mt19937_64 random(9);
  std::vector<Bytes> elements;
  for (int i = 0; i < 30; ++i) elements.push_back(ElementOf(static_cast<uint8_t>(i)));
  MuHash forward;
  for (const Bytes& element : elements) forward.Insert(element);
  std::shuffle(elements.begin(), elements.end(), random);
  MuHash left, right;
  for (size_t i = 0; i < elements.size(); ++i) (i % 2 == 0 ? left : right).Insert(elements[i]);
  const Digest256 left_alone = left.Finish();
  MuHash both = left;
  both.Combine(right);
  EXPECT_EQ(both.Finish(), forward.Finish());
  EXPECT_EQ(left.Finish(), left_alone);
  for (size_t i = 1; i < elements.size(); i += 2) both.Remove(elements[i]);
  EXPECT_EQ(both.Finish(), left_alone);
  both = right;
  EXPECT_EQ(both.Finish(), right.Finish());
  EXPECT_NE(both.Finish(), left_alone);
}

}  // namespace
}  // namespace headrace
