// BIP341's wallet vectors: trees, tweaks, control blocks, and signature hashes with their intermediate values.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

#include "engine/base/hex.h"
#include "engine/crypto/signature.h"
#include "engine/crypto/signing.h"
#include "engine/script/address.h"
#include "engine/script/script_builder.h"
#include "engine/script/signature_hash.h"
#include "engine/script/taproot.h"
#include "tests/engine/script/spend_fixture.h"
#include "tests/support/data.h"

namespace headrace {
namespace {

using testing::SpendFixture;

std::array<uint8_t, 32> ReadKey(const nlohmann::json& hex) {
  const Bytes bytes = testing::FromHex(hex);
  std::array<uint8_t, 32> key{};
  std::copy_n(bytes.begin(), std::min(bytes.size(), key.size()), key.begin());
  return key;
}

// The hash of a subtree; every leaf below adds its hash and its path, in the order of the text.
struct Leaf {
  Digest256 hash;
  uint8_t version;
  Bytes path;
};

Digest256 HashTree(const nlohmann::json& node, std::vector<Leaf>& leaves) {
  if (node.is_object()) {
    const uint8_t version = node["leafVersion"];
    const Digest256 hash = TapLeafHash(version, testing::FromHex(node["script"]));
    leaves.push_back({hash, version, {}});
    return hash;
  }
  std::vector<Leaf> left;
  std::vector<Leaf> right;
  const Digest256 left_hash = HashTree(node[0], left);
  const Digest256 right_hash = HashTree(node[1], right);
  for (Leaf& leaf : left) leaf.path.insert(leaf.path.end(), right_hash.begin(), right_hash.end());
  for (Leaf& leaf : right) leaf.path.insert(leaf.path.end(), left_hash.begin(), left_hash.end());
  leaves.insert(leaves.end(), left.begin(), left.end());
  leaves.insert(leaves.end(), right.begin(), right.end());
  return TapBranchHash(left_hash, right_hash);
}

void CheckOutput(const nlohmann::json& entry) {
  const nlohmann::json& given = entry["given"];
  const nlohmann::json& expected = entry["expected"];
  const XOnlyKey internal_key = ReadKey(given["internalPubkey"]);
  std::vector<Leaf> leaves;
  std::optional<Digest256> root;
  if (!given["scriptTree"].is_null()) root = HashTree(given["scriptTree"], leaves);
  const Digest256 tweak = TapTweakHash(internal_key, root);
  EXPECT_EQ(HexEncode(tweak), entry["intermediary"]["tweak"].get<std::string>());
  const TweakedOutputKey output = TweakOutputKey(internal_key, tweak);
  EXPECT_EQ(HexEncode(output.key), entry["intermediary"]["tweakedPubkey"].get<std::string>());
  const Bytes script = ScriptBuilder().Number(1).Data(output.key).Take();
  EXPECT_EQ(HexEncode(script), expected["scriptPubKey"].get<std::string>());
  EXPECT_EQ(EncodeAddress(script, kMainnetAddressPrefixes), expected["bip350Address"].get<std::string>());
  for (size_t i = 0; i < leaves.size(); ++i) {
    EXPECT_EQ(HexEncode(leaves[i].hash), entry["intermediary"]["leafHashes"][i].get<std::string>());
    Bytes control{static_cast<uint8_t>(leaves[i].version | (output.is_odd ? 1 : 0))};
    control.insert(control.end(), internal_key.begin(), internal_key.end());
    control.insert(control.end(), leaves[i].path.begin(), leaves[i].path.end());
    EXPECT_EQ(HexEncode(control), expected["scriptPathControlBlocks"][i].get<std::string>());
    EXPECT_TRUE(IsControlBlockSize(control.size()));
    EXPECT_TRUE(IsTaprootCommitment(control, output.key, leaves[i].hash));
    control[0] ^= 1;
    EXPECT_FALSE(IsTaprootCommitment(control, output.key, leaves[i].hash));
  }
}

TEST(TaprootVectorsTest, Outputs) {
  HR_NEEDS_DATA("vectors/bip341_wallet_vectors.json");
  const nlohmann::json vectors = testing::ReadJson(testing::DataDirectory() + "/vectors/bip341_wallet_vectors.json");
  for (const nlohmann::json& entry : vectors["scriptPubKey"]) {
    SCOPED_TRACE(entry.dump());
    CheckOutput(entry);
  }
  std::cout << "taproot outputs: " << vectors["scriptPubKey"].size() << " cases\n";
  EXPECT_GT(vectors["scriptPubKey"].size(), 0u);
}

void CheckMidstates(const TransactionMidstates& midstates, const nlohmann::json& expected) {
  EXPECT_TRUE(midstates.taproot_ready);
  EXPECT_EQ(HexEncode(midstates.amounts_single), expected["hashAmounts"].get<std::string>());
  EXPECT_EQ(HexEncode(midstates.outputs_single), expected["hashOutputs"].get<std::string>());
  EXPECT_EQ(HexEncode(midstates.prevouts_single), expected["hashPrevouts"].get<std::string>());
  EXPECT_EQ(HexEncode(midstates.scripts_single), expected["hashScriptPubkeys"].get<std::string>());
  EXPECT_EQ(HexEncode(midstates.sequences_single), expected["hashSequences"].get<std::string>());
}

void CheckInput(const SpendFixture& fixture, const nlohmann::json& entry) {
  const nlohmann::json& given = entry["given"];
  const nlohmann::json& intermediary = entry["intermediary"];
  const SecretKey secret = ReadKey(given["internalPrivkey"]);
  const XOnlyKey internal_key = XOnlyKeyOf(secret);
  EXPECT_EQ(HexEncode(internal_key), intermediary["internalPubkey"].get<std::string>());
  std::optional<Digest256> root;
  if (!given["merkleRoot"].is_null()) root = ReadKey(given["merkleRoot"]);
  const Digest256 tweak = TapTweakHash(internal_key, root);
  EXPECT_EQ(HexEncode(tweak), intermediary["tweak"].get<std::string>());
  const SecretKey tweaked = TweakSecretKey(secret, tweak);
  EXPECT_EQ(HexEncode(tweaked), intermediary["tweakedPrivkey"].get<std::string>());
  const uint8_t hash_type = given["hashType"];
  const auto digest = TaprootSignatureHash(fixture.transaction(), given["txinIndex"], fixture.coins(), hash_type, {},
                                           fixture.midstates());
  ASSERT_TRUE(digest);
  EXPECT_EQ(HexEncode(*digest), intermediary["sigHash"].get<std::string>());
  const Bytes witness = testing::FromHex(entry["expected"]["witness"][0]);
  EXPECT_TRUE(VerifySchnorr(XOnlyKeyOf(tweaked), ByteSpan(witness).first(64), *digest));
}

TEST(TaprootVectorsTest, KeyPathSpends) {
  HR_NEEDS_DATA("vectors/bip341_wallet_vectors.json");
  const nlohmann::json vectors = testing::ReadJson(testing::DataDirectory() + "/vectors/bip341_wallet_vectors.json");
  size_t ran = 0;
  for (const nlohmann::json& entry : vectors["keyPathSpending"]) {
    const Bytes raw = testing::FromHex(entry["given"]["rawUnsignedTx"]);
    TransactionColumns columns;
    ASSERT_EQ(DecodeTransaction(raw, WitnessEncoding::kAllowed, columns), DecodeError::kNone);
    MutableTransaction fields = Unpack({columns, 0});
    // Midstates are made for transactions that have a witness; what it says does not enter the hashes.
    for (const nlohmann::json& input : entry["inputSpending"]) {
      fields.inputs[input["given"]["txinIndex"].get<size_t>()].witness = {
          testing::FromHex(input["expected"]["witness"][0])};
    }
    std::vector<TransactionOutput> spent;
    for (const nlohmann::json& output : entry["given"]["utxosSpent"]) {
      spent.push_back({output["amountSats"].get<Amount>(), testing::FromHex(output["scriptPubKey"])});
    }
    const SpendFixture fixture(fields.Serialize(), spent);
    CheckMidstates(fixture.midstates(), entry["intermediary"]);
    for (const nlohmann::json& input : entry["inputSpending"]) {
      SCOPED_TRACE(input.dump());
      CheckInput(fixture, input);
      const uint32_t index = input["given"]["txinIndex"];
      EXPECT_EQ(ScriptErrorName(fixture.Verify(index, kVerifyP2sh | kVerifyWitness | kVerifyTaproot)), "OK");
      ++ran;
    }
  }
  std::cout << "taproot key path spends: " << ran << " cases\n";
  EXPECT_GT(ran, 0u);
}

}  // namespace
}  // namespace headrace
