// The field's script vectors: witness, scriptSig, scriptPubKey, flags and the name of the result.
#include <gtest/gtest.h>

#include <cmath>
#include <iostream>

#include "engine/crypto/signing.h"
#include "engine/primitives/transaction_hashes.h"
#include "engine/base/hex.h"
#include "engine/script/taproot.h"
#include "tests/engine/script/script_assembler.h"
#include "tests/engine/script/spend_fixture.h"
#include "tests/support/data.h"

namespace headrace {
namespace {

using testing::SpendFixture;

constexpr uint32_t kFinal = 0xffffffff;

// The transaction that the vectors' spends are signed for: one coinbase-like input, one output.
MutableTransaction CreditingTransaction(const Bytes& script_pubkey, Amount amount) {
  return {1, {{{Hash256(), OutPoint::kNullIndex}, {0, 0}, kFinal, {}}}, {{amount, script_pubkey}}, 0};
}

MutableTransaction SpendingTransaction(const MutableTransaction& credit, const Bytes& script_sig,
                                    std::vector<Bytes> witness) {
  const Hash256 txid(Sha256d(credit.Serialize()));
  return {1, {{{txid, 0}, script_sig, kFinal, std::move(witness)}}, {{credit.outputs[0].amount, {}}}, 0};
}

// Witness items are hex, but for the placeholders of taproot cases: a script to assemble, and the control block and the
// output key of the tree that has only this script, under a key that nobody knows the secret of (BIP341's).
class WitnessReader {
 public:
  explicit WitnessReader(const nlohmann::json& items) {
    constexpr std::string_view kScript = "#SCRIPT#";
    const Bytes internal = testing::FromHex("50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0");
    for (size_t i = 0; i + 1 < items.size(); ++i) {
      const std::string text = items[i].get<std::string>();
      if (text.starts_with(kScript)) {
        witness_.push_back(testing::AssembleScript(text.substr(kScript.size())));
        XOnlyKey internal_key;
        std::copy(internal.begin(), internal.end(), internal_key.begin());
        const Digest256 leaf = TapLeafHash(kTapscriptLeafVersion, witness_.back());
        output_ = TweakOutputKey(internal_key, TapTweakHash(internal_key, leaf));
      } else if (text == "#CONTROLBLOCK#") {
        witness_.push_back({static_cast<uint8_t>(kTapscriptLeafVersion | (output_.is_odd ? 1 : 0))});
        witness_.back().insert(witness_.back().end(), internal.begin(), internal.end());
      } else {
        witness_.push_back(testing::FromHex(text));
      }
    }
  }

  std::string FillIn(std::string script_text) const {
    constexpr std::string_view kOutput = "#TAPROOTOUTPUT#";
    const size_t at = script_text.find(kOutput);
    if (at != std::string::npos) script_text.replace(at, kOutput.size(), "0x" + HexEncode(output_.key));
    return script_text;
  }
  const std::vector<Bytes>& witness() const { return witness_; }

 private:
  std::vector<Bytes> witness_;
  TweakedOutputKey output_{};
};

TEST(ScriptVectorsTest, EveryCaseHasItsResult) {
  HR_NEEDS_DATA("vectors/script_tests.json");
  const nlohmann::json cases = testing::ReadJson(testing::DataDirectory() + "/vectors/script_tests.json");
  size_t ran = 0;
  for (const nlohmann::json& entry : cases) {
    if (entry.size() == 1) continue;  // a comment
    SCOPED_TRACE(entry.dump());
    const size_t at = entry[0].is_array() ? 1 : 0;
    ASSERT_GE(entry.size(), at + 4);
    const WitnessReader witness(at == 1 ? entry[0] : nlohmann::json::array());
    const Amount amount = at == 1 ? std::llround(entry[0].back().get<double>() * kCoin) : 0;
    const Bytes script_sig = testing::AssembleScript(entry[at]);
    const Bytes script_pubkey = testing::AssembleScript(witness.FillIn(entry[at + 1]));
    const ScriptFlags flags = testing::FillFlags(testing::ParseFlags(entry[at + 2].get<std::string>()));

    const MutableTransaction credit = CreditingTransaction(script_pubkey, amount);
    const MutableTransaction spend = SpendingTransaction(credit, script_sig, witness.witness());
    const SpendFixture fixture(spend.Serialize(), credit.outputs);
    EXPECT_EQ(ScriptErrorName(fixture.Verify(0, flags)), entry[at + 3].get<std::string>());
    ++ran;
  }
  std::cout << "script vectors: " << ran << " cases\n";
  EXPECT_GT(ran, 0u);
}

}  // namespace
}  // namespace headrace
