// The signature hashes of BIP143, BIP341 and BIP342 against their plain twins: on random transactions, on published
// vectors, and on real spends, whose signatures must also verify against what the plain twin says.
#include <gtest/gtest.h>

#include <iostream>
#include <map>

#include "engine/base/hex.h"
#include "engine/crypto/signature.h"
#include "engine/primitives/byte_reader.h"
#include "engine/script/script_builder.h"
#include "engine/script/script_iterator.h"
#include "engine/script/signature_hash.h"
#include "engine/script/taproot.h"
#include "tests/engine/script/random_spend.h"
#include "tests/engine/script/real_spends.h"
#include "tests/reference/plain_sighash.h"
#include "tests/reference/plain_witness_sighash.h"
#include "tests/support/data.h"

namespace headrace {
namespace {

using testing::PlainLeaf;
using testing::PlainTaprootSignatureHash;
using testing::PlainWitnessV0SignatureHash;
using testing::Random;
using testing::RealSource;
using testing::RealTransaction;
using testing::SpendFixture;

constexpr uint8_t kDefinedTypes[] = {0x00, 0x01, 0x02, 0x03, 0x81, 0x82, 0x83};

uint8_t AnyType(Random& random) {
  return random() % 4 == 0 ? static_cast<uint8_t>(random()) : kDefinedTypes[random() % std::size(kDefinedTypes)];
}

TaprootSignatureScope ScopeOf(const std::optional<Bytes>& annex, const std::optional<PlainLeaf>& leaf) {
  TaprootSignatureScope scope;
  if (annex) scope.annex_hash = AnnexHash(*annex);
  if (!leaf) return scope;
  scope.is_tapscript = true;
  scope.leaf_hash = TapLeafHash(leaf->version, leaf->script);
  scope.code_separator_position = leaf->code_separator_position;
  return scope;
}

// A transaction with a witness, so that its midstates are made, and with a taproot output among those that it spends.
struct RandomCase {
  explicit RandomCase(Random& random) : fields(testing::RandomTransaction(random)) {
    fields.version = static_cast<int32_t>(random());
    fields.inputs[0].witness.push_back({1});
    if (random() % 50 == 0) fields.outputs.resize(300);
    for (size_t i = 0; i < fields.inputs.size(); ++i) {
      // Amounts need not be money to be hashed; long scripts take longer counts.
      Bytes script = testing::RandomOutputScript(random);
      if (random() % 20 == 0) script = testing::RandomBytes(random, 250 + random() % 10);
      spent.push_back({static_cast<Amount>(random()), script});
    }
    spent[random() % spent.size()].script = ScriptBuilder().Number(1).Data(testing::RandomBytes(random, 32)).Take();
    input = static_cast<uint32_t>(random() % fields.inputs.size());
  }

  MutableTransaction fields;
  std::vector<TransactionOutput> spent;
  uint32_t input;
};

TEST(WitnessSignatureHashTest, Bip143EqualsPlainTwinOnRandomTransactions) {
  Random random(143);
  for (int round = 0; round < 4000; ++round) {
    const RandomCase one(random);
    const SpendFixture fixture(one.fields.Serialize(), one.spent);
    const Bytes script_code = testing::RandomScript(random, round % 50 == 0 ? 400 : 30);
    const Amount amount = static_cast<Amount>(random());
    const uint32_t hash_type = random() % 4 == 0 ? static_cast<uint32_t>(random()) : AnyType(random);
    ASSERT_EQ(
        WitnessV0SignatureHash(fixture.transaction(), one.input, script_code, amount, hash_type, fixture.midstates()),
        PlainWitnessV0SignatureHash(one.fields, one.input, script_code, amount, hash_type))
        << HexEncode(one.fields.Serialize()) << " " << HexEncode(script_code) << " " << one.input << " " << hash_type;
  }
}

TEST(WitnessSignatureHashTest, Bip341AndBip342EqualPlainTwinOnRandomTransactions) {
  Random random(341);
  size_t refused = 0;
  for (int round = 0; round < 4000; ++round) {
    const RandomCase one(random);
    const SpendFixture fixture(one.fields.Serialize(), one.spent);
    std::optional<Bytes> annex;
    std::optional<PlainLeaf> leaf;
    if (random() % 2 == 0) {
      annex = testing::RandomBytes(random, 1 + random() % 300);
      annex->front() = kAnnexTag;
    }
    if (random() % 2 == 0) {
      leaf = PlainLeaf{static_cast<uint8_t>(random() & kTaprootLeafMask), testing::RandomScript(random, 120),
                       random() % 2 == 0 ? 0xffffffff : static_cast<uint32_t>(random())};
    }
    const uint8_t hash_type = AnyType(random);
    const auto expected = PlainTaprootSignatureHash(one.fields, one.input, one.spent, hash_type, annex, leaf);
    refused += !expected.has_value();
    ASSERT_EQ(TaprootSignatureHash(fixture.transaction(), one.input, fixture.coins(), hash_type, ScopeOf(annex, leaf),
                                   fixture.midstates()),
              expected)
        << HexEncode(one.fields.Serialize()) << " input " << one.input << " type " << int{hash_type};
  }
  EXPECT_GT(refused, 100u);
  EXPECT_LT(refused, 3000u);
}

// BIP341's vectors give the message as well as its hash: the plain twin is right by itself.
TEST(WitnessSignatureHashTest, PlainTwinGivesBip341sMessages) {
  HR_NEEDS_DATA("vectors/bip341_wallet_vectors.json");
  const nlohmann::json vectors = testing::ReadJson(testing::DataDirectory() + "/vectors/bip341_wallet_vectors.json");
  size_t ran = 0;
  for (const nlohmann::json& entry : vectors["keyPathSpending"]) {
    const Bytes raw = testing::FromHex(entry["given"]["rawUnsignedTx"]);
    TransactionColumns columns;
    ASSERT_EQ(DecodeTransaction(raw, WitnessEncoding::kAllowed, columns), DecodeError::kNone);
    const MutableTransaction fields = Unpack({columns, 0});
    std::vector<TransactionOutput> spent;
    for (const nlohmann::json& output : entry["given"]["utxosSpent"]) {
      spent.push_back({output["amountSats"].get<Amount>(), testing::FromHex(output["scriptPubKey"])});
    }
    for (const nlohmann::json& input : entry["inputSpending"]) {
      const uint32_t index = input["given"]["txinIndex"];
      const uint8_t hash_type = input["given"]["hashType"];
      const auto message = testing::PlainTaprootMessage(fields, index, spent, hash_type, {}, {});
      ASSERT_TRUE(message);
      EXPECT_EQ(HexEncode(*message), input["intermediary"]["sigMsg"].get<std::string>());
      EXPECT_EQ(HexEncode(*PlainTaprootSignatureHash(fields, index, spent, hash_type, {}, {})),
                input["intermediary"]["sigHash"].get<std::string>());
      ++ran;
    }
  }
  EXPECT_GT(ran, 0u);
  std::cout << "messages: " << ran << "\n";
}

// A real spend, unpacked once: what the plain twins work on.
class RealSpendCheck {
 public:
  explicit RealSpendCheck(const RealTransaction& real) : real_(real), fields_(Unpack(real.transaction)) {
    PrepareMidstates(real.transaction, real.spent, midstates_);
    for (const Coin& coin : real.spent) spent_.push_back({coin.amount, Bytes(coin.script.begin(), coin.script.end())});
  }

  // Counts what it compared, by form; a form ending in "verified" is of signatures that hold against the plain hash.
  void Check(uint32_t input, std::map<std::string, uint64_t>& counts) const {
    const Bytes& script = spent_[input].script;
    const Bytes& script_sig = fields_.inputs[input].script_sig;
    const std::vector<Bytes>& witness = fields_.inputs[input].witness;
    if (IsKeyHash(script)) CheckKeyHash(input, script, counts);
    if (witness.empty()) return;
    Bytes program = script;
    if (script.size() == 23 && script_sig.size() > 1) program.assign(script_sig.begin() + 1, script_sig.end());
    if (program.size() == 22 && program[0] == 0 && witness.size() == 2) CheckWitnessKeyHash(input, program, counts);
    if (program.size() == 34 && program[0] == 0) CheckWitnessScript(input, counts);
    if (script.size() == 34 && script[0] == 0x51 && script[1] == 32) CheckTaproot(input, counts);
  }

 private:
  static bool IsKeyHash(const Bytes& script) {
    return script.size() == 25 && script[0] == 0x76 && script[1] == 0xa9 && script[2] == 20 && script[23] == 0x88 &&
           script[24] == 0xac;
  }

  void CheckKeyHash(uint32_t input, const Bytes& script, std::map<std::string, uint64_t>& counts) const {
    const Bytes& script_sig = fields_.inputs[input].script_sig;
    ScriptIterator operation(script_sig);
    if (!operation.Next() || operation.data().empty()) return;
    const ByteSpan signature = operation.data();
    if (!operation.Next()) return;
    const Digest256 digest = testing::PlainLegacySignatureHash(fields_, input, script, signature.back());
    EXPECT_EQ(LegacySignatureHash(real_.transaction, input, script, signature.back()), digest);
    EXPECT_TRUE(VerifyEcdsa(operation.data(), signature.first(signature.size() - 1), digest)) << Name(input);
    ++counts["pubkeyhash verified"];
  }

  void CheckWitnessKeyHash(uint32_t input, const Bytes& program, std::map<std::string, uint64_t>& counts) const {
    const Bytes& signature = fields_.inputs[input].witness[0];
    if (signature.empty()) return;
    Bytes script_code{0x76, 0xa9, 20};
    script_code.insert(script_code.end(), program.begin() + 2, program.end());
    script_code.insert(script_code.end(), {0x88, 0xac});
    CompareV0(input, script_code);
    const Digest256 digest =
        PlainWitnessV0SignatureHash(fields_, input, script_code, spent_[input].amount, signature.back());
    EXPECT_TRUE(VerifyEcdsa(fields_.inputs[input].witness[1], ByteSpan(signature).first(signature.size() - 1), digest))
        << Name(input);
    ++counts["p2wpkh verified"];
  }

  void CheckWitnessScript(uint32_t input, std::map<std::string, uint64_t>& counts) const {
    CompareV0(input, fields_.inputs[input].witness.back());
    ++counts["p2wsh compared"];
  }

  void CompareV0(uint32_t input, const Bytes& script_code) const {
    for (const uint8_t hash_type : {0x01, 0x02, 0x03, 0x81, 0x82, 0x83, 0x00, 0xff}) {
      EXPECT_EQ(
          WitnessV0SignatureHash(real_.transaction, input, script_code, spent_[input].amount, hash_type, midstates_),
          PlainWitnessV0SignatureHash(fields_, input, script_code, spent_[input].amount, hash_type))
          << Name(input);
    }
  }

  void CheckTaproot(uint32_t input, std::map<std::string, uint64_t>& counts) const {
    std::vector<Bytes> items = fields_.inputs[input].witness;
    std::optional<Bytes> annex;
    std::optional<PlainLeaf> leaf;
    if (items.size() >= 2 && !items.back().empty() && items.back()[0] == kAnnexTag) {
      annex = items.back();
      items.pop_back();
    }
    if (items.size() >= 2 && !items.back().empty()) {
      leaf = PlainLeaf{static_cast<uint8_t>(items.back()[0] & kTaprootLeafMask), items[items.size() - 2]};
    }
    const auto digest = [&](uint8_t hash_type) {
      return PlainTaprootSignatureHash(fields_, input, spent_, hash_type, annex, leaf);
    };
    for (const uint8_t hash_type : {0x00, 0x01, 0x02, 0x03, 0x81, 0x82, 0x83, 0x04, 0x80, 0x84}) {
      EXPECT_EQ(
          TaprootSignatureHash(real_.transaction, input, real_.spent, hash_type, ScopeOf(annex, leaf), midstates_),
          digest(hash_type))
          << Name(input);
    }
    ++counts[leaf ? "taproot leaf compared" : "taproot key compared"];
    if (items.size() != 1 && !(items.size() == 3 && leaf->script.size() == 34 && leaf->script[0] == 32 &&
                               leaf->script[33] == 0xac && leaf->version == kTapscriptLeafVersion)) {
      return;
    }
    const Bytes& signature = items[0];
    if (signature.size() != 64 && signature.size() != 65) return;
    const ByteSpan key = leaf ? ByteSpan(leaf->script).subspan(1, 32) : ByteSpan(spent_[input].script).subspan(2);
    const auto signed_digest = digest(signature.size() == 64 ? 0 : signature[64]);
    ASSERT_TRUE(signed_digest) << Name(input);
    EXPECT_TRUE(VerifySchnorr(key, ByteSpan(signature).first(64), *signed_digest)) << Name(input);
    ++counts[leaf ? "taproot leaf verified" : "taproot key verified"];
  }

  std::string Name(uint32_t input) const {
    return real_.transaction.txid().ToHex() + " input " + std::to_string(input);
  }

  const RealTransaction& real_;
  MutableTransaction fields_;
  std::vector<TransactionOutput> spent_;
  TransactionMidstates midstates_;
};

// Plain hashes take time that grows with the square of a transaction's size: of the largest ones some inputs are taken.
TEST(WitnessSignatureHashTest, RealSpendsAgreeAndTheirSignaturesHold) {
  const std::vector<RealSource> sources = testing::RealSources();
  if (sources.empty()) GTEST_SKIP() << testing::kNoRealSources;
  constexpr uint32_t kInputsOfOneMax = 40;
  for (const RealSource& source : sources) {
    std::map<std::string, uint64_t> counts;
    VisitRealTransactions(source, [&](const RealTransaction& real) {
      const RealSpendCheck check(real);
      const uint32_t count = real.transaction.input_count();
      const uint32_t stride = 1 + count / kInputsOfOneMax;
      for (uint32_t input = 0; input < count; input += stride) check.Check(input, counts);
    });
    // Each block has some; the first blocks of all have keys alone, whose hashes other tests compare.
    if (source.has_prevouts() || source.is_generated) {
      EXPECT_FALSE(counts.empty()) << source.path;
    }
    std::cout << source.name() << ":";
    for (const auto& [form, count] : counts) std::cout << " " << form << "=" << count;
    std::cout << "\n";
  }
}

}  // namespace
}  // namespace headrace
