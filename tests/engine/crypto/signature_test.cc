// Signatures: published values, every leniency of the old reader, and bytes that nobody would sign.
#include "engine/crypto/signature.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "engine/base/hex.h"
#include "engine/crypto/lax_der.h"
#include "engine/crypto/signing.h"
#include "tests/support/data.h"

namespace headrace {
namespace {

SecretKey SecretOf(uint8_t number) {
  SecretKey secret{};
  secret[31] = number;
  return secret;
}

template <size_t kSize>
std::array<uint8_t, kSize> ArrayOf(std::string_view hex) {
  const auto bytes = HexDecode(hex);
  std::array<uint8_t, kSize> array{};
  EXPECT_TRUE(bytes && bytes->size() == kSize) << hex;
  if (bytes && bytes->size() == kSize) std::copy(bytes->begin(), bytes->end(), array.begin());
  return array;
}

const Digest256 kMessage = Sha256(AsBytes("Satoshi Nakamoto"));
const std::string kOrder = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

// R and S of a strict DER signature, as 32 bytes each.
CompactSignature PartsOf(const Bytes& der) {
  const auto parts = ReadLaxDer(der);
  EXPECT_TRUE(parts.has_value());
  return parts.value_or(CompactSignature{});
}

Bytes Integer(ByteSpan magnitude) {
  while (magnitude.size() > 1 && magnitude[0] == 0) magnitude = magnitude.subspan(1);
  const bool looks_negative = !magnitude.empty() && magnitude[0] >= 0x80;
  Bytes out;
  out.push_back(0x02);
  out.push_back(static_cast<uint8_t>(magnitude.size() + (looks_negative ? 1 : 0)));
  if (looks_negative) out.push_back(0);
  out.insert(out.end(), magnitude.begin(), magnitude.end());
  return out;
}

Bytes Sequence(const Bytes& r, const Bytes& s) {
  Bytes out;
  out.push_back(0x30);
  out.push_back(static_cast<uint8_t>(r.size() + s.size()));
  for (uint8_t byte : r) out.push_back(byte);
  for (uint8_t byte : s) out.push_back(byte);
  return out;
}

// The group order minus a 32-byte big-endian number.
std::array<uint8_t, 32> Negate(ByteSpan number) {
  std::array<uint8_t, 32> result = ArrayOf<32>(kOrder);
  int borrow = 0;
  for (int i = 31; i >= 0; --i) {
    const int difference = result[i] - number[i] - borrow;
    borrow = difference < 0 ? 1 : 0;
    result[i] = static_cast<uint8_t>(difference + 256 * borrow);
  }
  return result;
}

struct Signed {
  Bytes key = PublicKeyOf(SecretOf(1), true);
  Bytes der = SignEcdsa(SecretOf(1), kMessage);
  Bytes r = Integer(ByteSpan(PartsOf(der)).first(32));
  Bytes s = Integer(ByteSpan(PartsOf(der)).last(32));

  bool Verifies(const Bytes& signature) const { return VerifyEcdsa(key, signature, kMessage); }
};

TEST(Ecdsa, PublishedDeterministicSignature) {
  const CompactSignature parts = PartsOf(SignEcdsa(SecretOf(1), kMessage));
  EXPECT_EQ(HexEncode(parts), "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8"
                              "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5");
}

TEST(Ecdsa, KeysOfEveryEncodingVerify) {
  const Signed it;
  Bytes uncompressed = PublicKeyOf(SecretOf(1), false);
  ASSERT_EQ(uncompressed.size(), 65u);
  EXPECT_TRUE(VerifyEcdsa(it.key, it.der, kMessage));
  EXPECT_TRUE(VerifyEcdsa(uncompressed, it.der, kMessage));
  // Hybrid keys name the parity of y in the first byte, and it must be the right one.
  const uint8_t parity = uncompressed[64] & 1;
  uncompressed[0] = 6 | parity;
  EXPECT_TRUE(VerifyEcdsa(uncompressed, it.der, kMessage));
  uncompressed[0] = 7 ^ parity;
  EXPECT_FALSE(VerifyEcdsa(uncompressed, it.der, kMessage));
  EXPECT_FALSE(IsValidPublicKey(uncompressed));
}

TEST(Ecdsa, WrongMessageOrKeyFails) {
  const Signed it;
  EXPECT_FALSE(VerifyEcdsa(it.key, it.der, Sha256(AsBytes("someone else"))));
  EXPECT_FALSE(VerifyEcdsa(PublicKeyOf(SecretOf(2), true), it.der, kMessage));
}

TEST(Ecdsa, UnusableKeysFail) {
  const Signed it;
  const Bytes whole = PublicKeyOf(SecretOf(1), false);
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(VerifyEcdsa(ByteSpan(whole).first(size), it.der, kMessage)) << size;
  }
  EXPECT_FALSE(IsValidPublicKey({}));
  // x = 5 is on no point of the curve.
  Bytes off_curve(33);
  off_curve[0] = 2;
  off_curve[32] = 5;
  EXPECT_FALSE(IsValidPublicKey(off_curve));
  EXPECT_TRUE(IsValidPublicKey(it.key));
}

TEST(Ecdsa, HighSVerifiesButIsNotLow) {
  const Signed it;
  const Bytes high = Sequence(it.r, Integer(Negate(ByteSpan(PartsOf(it.der)).last(32))));
  EXPECT_TRUE(it.Verifies(high));
  EXPECT_FALSE(IsLowS(high));
  EXPECT_TRUE(IsLowS(it.der));
  EXPECT_FALSE(IsLowS({}));
}

TEST(LaxDer, EverythingTheOldNetworkTook) {
  const Signed it;
  const auto with = [&](size_t at, Bytes inserted, Bytes base) {
    base.insert(base.begin() + at, inserted.begin(), inserted.end());
    return base;
  };
  Bytes wrong_sequence_length = it.der;
  wrong_sequence_length[1] = 0x05;
  EXPECT_TRUE(it.Verifies(wrong_sequence_length));
  EXPECT_TRUE(it.Verifies(with(it.der.size(), {0xde, 0xad}, it.der))) << "bytes after the end";
  EXPECT_TRUE(it.Verifies(with(1, {0x81}, it.der))) << "long form of the sequence's length";
  EXPECT_TRUE(it.Verifies(with(1, {0x83, 0xff, 0xff}, it.der))) << "sequence length that is not believed";
  EXPECT_TRUE(it.Verifies(with(3, {0x81}, it.der))) << "long form of R's length";
  EXPECT_TRUE(it.Verifies(with(3, {0x85, 0, 0, 0, 0}, it.der))) << "zeros before R's length";
  Bytes padded_s = it.s;
  padded_s.insert(padded_s.begin() + 2, 40, 0);
  padded_s[1] += 40;
  EXPECT_TRUE(it.Verifies(Sequence(it.r, padded_s))) << "superfluous zeros before S";
  // R of this signature has its top bit set: without the zero in front it reads as negative, and the sign is ignored.
  ASSERT_EQ(it.r[2], 0);
  Bytes negative_r = it.r;
  negative_r.erase(negative_r.begin() + 2);
  --negative_r[1];
  EXPECT_TRUE(it.Verifies(Sequence(negative_r, it.s)));
}

TEST(LaxDer, WhatIsNoSignatureEvenSo) {
  const Signed it;
  for (size_t size = 0; size < it.der.size(); ++size) {
    EXPECT_FALSE(ReadLaxDer(ByteSpan(it.der).first(size))) << size;
    EXPECT_FALSE(it.Verifies(Bytes(it.der.begin(), it.der.begin() + size))) << size;
  }
  Bytes wrong_tag = it.der;
  wrong_tag[0] = 0x31;
  EXPECT_FALSE(ReadLaxDer(wrong_tag));
  wrong_tag = it.der;
  wrong_tag[2] = 0x03;
  EXPECT_FALSE(ReadLaxDer(wrong_tag));
  EXPECT_FALSE(ReadLaxDer(Bytes{0x30, 0x85, 0, 0})) << "long form that runs past the end";
  EXPECT_FALSE(ReadLaxDer(Bytes{0x30, 6, 2, 0x84, 1, 0, 0, 0, 1})) << "length of four significant bytes";
  EXPECT_FALSE(ReadLaxDer(Bytes{0x30, 6, 2, 0x83, 0xff, 0xff, 0xff, 1}));
}

TEST(LaxDer, OverflowParsesAndVerifiesNothing) {
  const Signed it;
  Bytes long_r = it.r;
  long_r.insert(long_r.begin() + 2, 1);
  ++long_r[1];
  const Bytes too_long = Sequence(long_r, it.s);
  ASSERT_TRUE(ReadLaxDer(too_long));
  EXPECT_EQ(*ReadLaxDer(too_long), CompactSignature{});
  EXPECT_FALSE(it.Verifies(too_long));
  const Bytes order = Integer(ArrayOf<32>(kOrder));
  EXPECT_FALSE(it.Verifies(Sequence(order, it.s)));
  EXPECT_FALSE(it.Verifies(Sequence(it.r, order)));
  // Zero is low: BIP146 asks nothing of a signature that fails anyway.
  EXPECT_TRUE(IsLowS(Sequence(it.r, order)));
  const Bytes zero = {0x02, 0x00};
  EXPECT_TRUE(ReadLaxDer(Sequence(zero, zero)));
  EXPECT_FALSE(it.Verifies(Sequence(zero, zero)));
}

TEST(LaxDer, MutatedSignaturesNeverCrash) {
  const Signed it;
  std::mt19937_64 random(6);
  int still_read = 0;
  for (int round = 0; round < 20'000; ++round) {
    Bytes mutated = it.der;
    for (uint64_t changes = random() % 4 + 1; changes != 0; --changes) {
      mutated[random() % std::min<size_t>(mutated.size(), random() % 2 == 0 ? 8 : 80)] = static_cast<uint8_t>(random());
    }
    mutated.resize(random() % (mutated.size() + 1));
    still_read += ReadLaxDer(mutated).has_value() ? 1 : 0;
  }
  for (int round = 0; round < 300; ++round) {
    Bytes key = it.key, signature = it.der;
    key[random() % key.size()] ^= static_cast<uint8_t>(random() | 1);
    signature[random() % signature.size()] ^= static_cast<uint8_t>(random() | 1);
    EXPECT_FALSE(VerifyEcdsa(key, signature, kMessage));
    IsLowS(signature);
  }
  EXPECT_GT(still_read, 0);
}

TEST(Schnorr, PublishedSignature) {
  const Digest256 zero{};
  EXPECT_EQ(HexEncode(XOnlyKeyOf(SecretOf(3))), "f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9");
  EXPECT_EQ(HexEncode(SignSchnorr(SecretOf(3), zero)),
            "e907831f80848d1069a5371b402410364bdf1c5f8307b0084c55f1ce2dca8215"
            "25f66a4a85ea8b71e482a74f382d2ce5ebeee8fdb2172f477df4900d310536c0");
}

TEST(Schnorr, SignVerifyAndEveryBitMatters) {
  const XOnlyKey key = XOnlyKeyOf(SecretOf(9));
  const auto signature = SignSchnorr(SecretOf(9), kMessage);
  EXPECT_TRUE(VerifySchnorr(key, signature, kMessage));
  for (size_t bit = 0; bit < 512; bit += 7) {
    auto flipped = signature;
    flipped[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    EXPECT_FALSE(VerifySchnorr(key, flipped, kMessage)) << bit;
  }
  EXPECT_FALSE(VerifySchnorr(ByteSpan(key).first(31), signature, kMessage));
  EXPECT_FALSE(VerifySchnorr(key, ByteSpan(signature).first(63), kMessage));
  EXPECT_FALSE(VerifySchnorr({}, {}, kMessage));
  EXPECT_FALSE(VerifySchnorr(key, signature, Sha256(AsBytes("other"))));
  Bytes not_on_curve(32, 0xff);
  EXPECT_FALSE(VerifySchnorr(not_on_curve, signature, kMessage));
}

TEST(Taproot, TweakedSecretSignsForTweakedKey) {
  for (uint8_t number = 1; number < 40; ++number) {
    const XOnlyKey internal = XOnlyKeyOf(SecretOf(number));
    const Digest256 tweak = TaggedHasher("TapTweak").Write(internal).Finish();
    const TweakedOutputKey output = TweakOutputKey(internal, tweak);
    const SecretKey secret = TweakSecretKey(SecretOf(number), tweak);
    EXPECT_EQ(XOnlyKeyOf(secret), output.key);
    EXPECT_TRUE(VerifySchnorr(output.key, SignSchnorr(secret, kMessage), kMessage));
    EXPECT_TRUE(CheckTaprootTweak(internal, output.key, output.is_odd, tweak));
    EXPECT_FALSE(CheckTaprootTweak(internal, output.key, !output.is_odd, tweak));
    EXPECT_FALSE(CheckTaprootTweak(internal, internal, output.is_odd, tweak));
    EXPECT_FALSE(CheckTaprootTweak(ByteSpan(internal).first(31), output.key, output.is_odd, tweak));
    EXPECT_FALSE(CheckTaprootTweak(internal, ByteSpan(output.key).first(31), output.is_odd, tweak));
    Digest256 overflowing;
    overflowing.fill(0xff);
    EXPECT_FALSE(CheckTaprootTweak(internal, output.key, output.is_odd, overflowing));
  }
}

TEST(Taproot, PublishedWalletVectors) {
  HR_NEEDS_DATA("vectors/bip341_wallet_vectors.json");
  const auto vectors = testing::ReadJson(testing::DataDirectory() + "/vectors/bip341_wallet_vectors.json");
  int cases = 0;
  for (const auto& vector : vectors.at("scriptPubKey")) {
    const XOnlyKey internal = ArrayOf<32>(vector.at("given").at("internalPubkey").get<std::string>());
    const Digest256 tweak = ArrayOf<32>(vector.at("intermediary").at("tweak").get<std::string>());
    const TweakedOutputKey output = TweakOutputKey(internal, tweak);
    EXPECT_EQ(HexEncode(output.key), vector.at("intermediary").at("tweakedPubkey").get<std::string>());
    EXPECT_TRUE(CheckTaprootTweak(internal, output.key, output.is_odd, tweak));
    ++cases;
  }
  for (const auto& spending : vectors.at("keyPathSpending")) {
    for (const auto& input : spending.at("inputSpending")) {
      const SecretKey secret = ArrayOf<32>(input.at("given").at("internalPrivkey").get<std::string>());
      const Digest256 tweak = ArrayOf<32>(input.at("intermediary").at("tweak").get<std::string>());
      const SecretKey tweaked = TweakSecretKey(secret, tweak);
      EXPECT_EQ(HexEncode(tweaked), input.at("intermediary").at("tweakedPrivkey").get<std::string>());
      const Digest256 sighash = ArrayOf<32>(input.at("intermediary").at("sigHash").get<std::string>());
      const std::string witness = input.at("expected").at("witness").at(0).get<std::string>();
      EXPECT_EQ(HexEncode(SignSchnorr(tweaked, sighash)), witness.substr(0, 128));
      ++cases;
    }
  }
  EXPECT_GT(cases, 0);
  std::cout << "cases=" << cases << "\n";
}

TEST(Signing, SecretKeysMustBeInRange) {
  EXPECT_FALSE(IsValidSecretKey(SecretKey{}));
  EXPECT_FALSE(IsValidSecretKey(ArrayOf<32>(kOrder)));
  SecretKey last = ArrayOf<32>(kOrder);
  --last[31];
  EXPECT_TRUE(IsValidSecretKey(last));
}

}  // namespace
}  // namespace headrace
