#include "engine/script/sigops.h"

#include <gtest/gtest.h>

#include <iostream>

#include "engine/base/hex.h"
#include "engine/script/script_builder.h"
#include "tests/engine/script/random_spend.h"
#include "tests/engine/script/real_spends.h"
#include "tests/reference/plain_sigops.h"

namespace headrace {
namespace {

TEST(SigopsTest, CountsMultisigsByWhatStandsBeforeThem) {
  const Bytes script = ScriptBuilder().Number(3).Op(Opcode::kCheckMultisig).Op(Opcode::kCheckSig).Take();
  EXPECT_EQ(CountScriptSigops(script, true), 4u);
  EXPECT_EQ(CountScriptSigops(script, false), 21u);
  // OP_0 and a push of the byte 3 are no small numbers to the count.
  EXPECT_EQ(CountScriptSigops(ScriptBuilder().Number(0).Op(Opcode::kCheckMultisig).Take(), true), 20u);
  EXPECT_EQ(CountScriptSigops(ScriptBuilder().Data(Bytes{3}).Op(Opcode::kCheckMultisig).Take(), true), 20u);
}

TEST(SigopsTest, StopsAtMalformedPush) {
  EXPECT_EQ(CountScriptSigops(Bytes{0xac, 0x02, 0xac}, true), 1u);
  EXPECT_EQ(CountScriptSigops(Bytes{0xac, 0x4e, 0xff, 0xff, 0xff, 0xff, 0xac}, true), 1u);
  EXPECT_EQ(CountScriptSigops(Bytes{0xac, 0x4d, 0xff}, true), 1u);
}

TEST(SigopsTest, EqualsPlainTwin) {
  testing::Random random(6);
  uint64_t total = 0;
  for (int round = 0; round < 5000; ++round) {
    MutableTransaction fields = testing::RandomTransaction(random);
    std::vector<TransactionOutput> spent;
    for (TransactionInput& input : fields.inputs) {
      spent.push_back({0, testing::RandomOutputScript(random)});
      // Redeem scripts that are programs, and scripts that are counted.
      if (random() % 2 == 0) input.script_sig = ScriptBuilder().Data(testing::RandomOutputScript(random)).Take();
    }
    const testing::SpendFixture fixture(fields.Serialize(), spent);
    for (const ScriptFlags flags : {ScriptFlags{kVerifyNone}, ScriptFlags{kVerifyP2sh}, kVerifyP2sh | kVerifyWitness}) {
      const uint64_t cost = SigopCost(fixture.transaction(), fixture.coins(), flags);
      ASSERT_EQ(cost, testing::PlainSigopCost(fields, spent, flags)) << HexEncode(fields.Serialize());
      total += cost;
    }
  }
  EXPECT_GT(total, 0u);
}

TEST(SigopsTest, RealTransactionsEqualPlainTwin) {
  const std::vector<testing::RealSource> sources = testing::RealSources();
  if (sources.empty()) GTEST_SKIP() << testing::kNoRealSources;
  for (const testing::RealSource& source : sources) {
    uint64_t total = 0;
    uint64_t with_witness = 0;
    VisitRealTransactions(source, [&](const testing::RealTransaction& real) {
      const MutableTransaction fields = Unpack(real.transaction);
      std::vector<TransactionOutput> spent;
      for (const Coin& coin : real.spent) spent.push_back({coin.amount, Bytes(coin.script.begin(), coin.script.end())});
      for (const ScriptFlags flags :
           {ScriptFlags{kVerifyNone}, ScriptFlags{kVerifyP2sh}, kVerifyP2sh | kVerifyWitness}) {
        const uint64_t cost = SigopCost(real.transaction, real.spent, flags);
        EXPECT_EQ(cost, testing::PlainSigopCost(fields, spent, flags)) << real.transaction.txid().ToHex();
        total += cost;
        // Legacy and P2SH operations cost four each.
        with_witness += cost % 4 != 0;
      }
    });
    EXPECT_GT(total, 0u) << source.path;
    std::cout << source.name() << ": cost " << total << ", " << with_witness
              << " transactions cost no multiple of four\n";
  }
}

TEST(SigopsTest, CoinbaseHasItsLegacyPartAlone) {
  MutableTransaction fields;
  fields.inputs.push_back({{Hash256(), OutPoint::kNullIndex}, {0xac}, 0, {}});
  fields.outputs.push_back({0, {0xac, 0xac}});
  const Bytes raw = fields.Serialize();
  TransactionColumns columns;
  ASSERT_EQ(DecodeTransaction(raw, WitnessEncoding::kAllowed, columns), DecodeError::kNone);
  EXPECT_EQ(SigopCost({columns, 0}, {}, kVerifyP2sh | kVerifyWitness), 12u);
}

}  // namespace
}  // namespace headrace
