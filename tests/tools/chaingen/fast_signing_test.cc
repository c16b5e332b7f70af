// The fast ways of signing against their plain twins: signatures with nonces from the table verify, and cached
// signature hashes are those of sighash.h, for random transactions of every size and all hash types.
#include <gtest/gtest.h>

#include <optional>

#include "engine/crypto/signature.h"
#include "tests/tools/chaingen/plain_chain.h"
#include "tools/chaingen/nonce_table.h"
#include "tools/chaingen/random.h"
#include "tools/chaingen/sighash_cache.h"
#include "tools/chaingen/unlock.h"

namespace headrace::chaingen {
namespace {

Digest256 DrawDigest(Random& random) {
  Digest256 digest;
  for (uint8_t& byte : digest) byte = static_cast<uint8_t>(random.Next());
  return digest;
}

Bytes DrawBytes(Random& random, uint64_t most) {
  Bytes bytes(random.Below(most + 1));
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.Next());
  return bytes;
}

TEST(NonceTable, EcdsaSignaturesVerifyAndAreStrict) {
  Random random(5);
  for (const bool low_r_only : {false, true}) {
    const NonceTable table(7, low_r_only, 1);
    size_t longest = 0;
    for (int i = 0; i < 3000; ++i) {
      const SecretKey secret = DrawDigest(random);
      const Digest256 message = DrawDigest(random);
      const std::vector<uint8_t> der = table.SignEcdsa(secret, message);
      longest = std::max(longest, der.size());
      ASSERT_TRUE(VerifyEcdsa(PublicKeyOf(secret, true), der, message)) << i;
      // BIP66's lengths and BIP146's low S: the second number never needs padding to 33 bytes.
      ASSERT_EQ(der[0], 0x30);
      ASSERT_EQ(der[1], der.size() - 2);
      ASSERT_LE(der[5 + der[3]], 32);
      EXPECT_EQ(table.SignEcdsa(secret, message), der);
    }
    EXPECT_EQ(longest, low_r_only ? 70u : 71u);
  }
}

TEST(NonceTable, SchnorrSignaturesVerify) {
  Random random(6);
  const NonceTable table(7, false, 1);
  for (int i = 0; i < 3000; ++i) {
    const SecretKey secret = EvenSecret(DrawDigest(random));
    const XOnlyKey key = XOnlyKeyOf(secret);
    Digest256 message = DrawDigest(random);
    const auto signature = table.SignSchnorr(secret, key, message);
    ASSERT_TRUE(VerifySchnorr(key, signature, message)) << i;
    message[i % 32] ^= 1;
    ASSERT_FALSE(VerifySchnorr(key, signature, message)) << i;
  }
}

TEST(NonceTable, ThreadsDoNotMatter) {
  const SecretKey secret = {1, 2, 3};
  const NonceTable one(9, true, 1), three(9, true, 3), other(10, true, 1);
  for (uint8_t i = 0; i < 100; ++i) {
    EXPECT_EQ(one.SignEcdsa(secret, {i}), three.SignEcdsa(secret, {i}));
    EXPECT_NE(one.SignEcdsa(secret, {i}), other.SignEcdsa(secret, {i}));
  }
}

struct DrawnTransaction {
  MutableTransaction transaction;
  std::vector<TransactionOutput> spent;
};

DrawnTransaction Draw(Random& random) {
  DrawnTransaction drawn;
  drawn.transaction.version = static_cast<int32_t>(random.Next());
  drawn.transaction.lock_time = static_cast<uint32_t>(random.Next());
  const uint64_t inputs = random.OneIn(10) ? 300 : 1 + random.Below(6);
  for (uint64_t i = 0; i < inputs; ++i) {
    const OutPoint prevout{Hash256(DrawDigest(random)), static_cast<uint32_t>(random.Next())};
    drawn.transaction.inputs.push_back({prevout, DrawBytes(random, 40), static_cast<uint32_t>(random.Next()), {}});
    drawn.spent.push_back({static_cast<Amount>(random.Next() >> 1), DrawBytes(random, 60)});
  }
  const uint64_t outputs = random.OneIn(10) ? 300 : 1 + random.Below(6);
  for (uint64_t i = 0; i < outputs; ++i) {
    drawn.transaction.outputs.push_back({static_cast<Amount>(random.Next() >> 1), DrawBytes(random, 300)});
  }
  return drawn;
}

TEST(SighashCache, EqualsThePlainHashes) {
  Random random(11);
  for (int round = 0; round < 200; ++round) {
    const DrawnTransaction drawn = Draw(random);
    const MutableTransaction& transaction = drawn.transaction;
    SighashCache cache(transaction, drawn.spent);
    for (int i = 0; i < 12; ++i) {
      const auto input = static_cast<uint32_t>(random.Below(transaction.inputs.size()));
      const bool has_output = input < transaction.outputs.size();
      const uint8_t base = static_cast<uint8_t>(1 + random.Below(has_output ? 3 : 2));
      const uint8_t type = random.OneIn(2) ? kSighashAll : base | (random.OneIn(2) ? kSighashAnyoneCanPay : 0);
      // Without the byte of a separator, which the plain hash would look for.
      const Bytes script(random.Below(200), 0x51);
      ASSERT_EQ(cache.Legacy(input, script, type), LegacySighash(transaction, input, script, type));
      ASSERT_EQ(cache.WitnessV0(input, script, type),
                WitnessV0Sighash(transaction, input, script, drawn.spent[input].amount, type));
      const uint8_t taproot_type = type == kSighashAll ? kSighashDefault : type;
      std::optional<TapLeafContext> leaf;
      if (random.OneIn(2)) leaf = TapLeafContext{DrawDigest(random)};
      ASSERT_EQ(cache.Taproot(input, taproot_type, leaf),
                TaprootSighash(transaction, input, drawn.spent, taproot_type, leaf));
    }
  }
}

TEST(Unlock, BothWaysOfSigningAreValidForEveryKindOfLock) {
  const KeyRing keys(3, 5, 1);
  const NonceTable nonces(3, false, 1);
  Random random(12);
  for (uint32_t kind = 0; kind < kLockKinds; ++kind) {
    for (uint32_t key = 0; key < keys.size(); ++key) {
      DrawnTransaction drawn = Draw(random);
      for (TransactionInput& input : drawn.transaction.inputs) input.script_sig.clear();
      const Lock lock{static_cast<LockKind>(kind), key};
      drawn.spent[0].script = keys.ScriptPubkey(lock);
      SighashCache hashes(drawn.transaction, drawn.spent);
      MutableTransaction plain = drawn.transaction;
      const uint32_t made = Unlock(keys, lock, kSighashAll, drawn.spent, 0, plain);
      EXPECT_EQ(UnlockWith(keys, nonces, hashes, lock, kSighashAll, drawn.spent, 0, drawn.transaction), made);
      uint64_t verified = 0;
      EXPECT_EQ(testing::CheckInput(plain, 0, drawn.spent, verified), testing::TemplateCheck::kValid) << kind;
      EXPECT_EQ(testing::CheckInput(drawn.transaction, 0, drawn.spent, verified), testing::TemplateCheck::kValid)
          << kind;
      EXPECT_EQ(verified, 2 * made);
    }
  }
}

// Blocks are filled by these costs: too low, and a block would be invalid; much too high, and it would not be full.
TEST(CostOf, HoldsForEveryKindOfLock) {
  const KeyRing keys(4, 5, 1);
  const NonceTable nonces(4, false, 1);
  Random random(13);
  for (uint32_t kind = 0; kind < kLockKinds; ++kind) {
    const Lock lock{static_cast<LockKind>(kind), 2};
    const LockCost cost = CostOf(lock.kind);
    EXPECT_EQ(keys.ScriptPubkey(lock).size(), cost.output_bytes) << kind;
    size_t heaviest = 0;
    for (int i = 0; i < 200; ++i) {
      MutableTransaction transaction;
      transaction.inputs.resize(1);
      transaction.inputs[0].prevout = {Hash256(DrawDigest(random)), 0};
      transaction.outputs.push_back({1, {}});
      const std::vector<TransactionOutput> spent = {{2, keys.ScriptPubkey(lock)}};
      SighashCache hashes(transaction, spent);
      EXPECT_EQ(UnlockWith(keys, nonces, hashes, lock, i % 2 == 0 ? kSighashAll : kSighashNone, spent, 0, transaction),
                SignaturesOf(lock.kind));
      // BIP141: all bytes but witnesses four times; 19 bytes are the transaction's own, with marker and flag 2 more.
      const size_t stripped = transaction.Serialize(false).size(), whole = transaction.Serialize(true).size();
      heaviest = std::max(heaviest, 3 * stripped + whole - 4 * 19 - (whole != stripped ? 2 : 0));
    }
    EXPECT_LE(heaviest, cost.input_weight) << kind;
    EXPECT_GE(heaviest + 40, cost.input_weight) << kind;
  }
}

}  // namespace
}  // namespace headrace::chaingen
