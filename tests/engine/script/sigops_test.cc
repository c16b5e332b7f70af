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

// Shapes that are counted without a walk, and everything that is one byte away from one.
TEST(SigopsTest, TemplatesAndTheirNeighboursEqualPlainTwin) {
  testing::Random random(7);
  const auto push = [&](size_t size) {
    Bytes bytes{static_cast<uint8_t>(size)};
    // Opcodes that would count, if they were read as such.
    for (size_t i = 0; i < size; ++i) bytes.push_back(static_cast<uint8_t>(0xac + random() % 4));
    return bytes;
  };
  const auto join = [](Bytes first, const Bytes& middle, const Bytes& last) {
    first.insert(first.end(), middle.begin(), middle.end());
    first.insert(first.end(), last.begin(), last.end());
    return first;
  };
  std::vector<Bytes> templates = {{}, join({0x76, 0xa9}, push(20), {0x88, 0xac}), join({0xa9}, push(20), {0x87})};
  for (const uint8_t version : {0x00, 0x51, 0x60}) {
    for (const size_t size : {1, 2, 20, 32, 40, 41}) templates.push_back(join({version}, push(size), {}));
  }
  const auto expect_equal = [](const Bytes& script) {
    for (const bool accurate : {false, true}) {
      ASSERT_EQ(CountScriptSigops(script, accurate), testing::PlainScriptSigops(script, accurate)) << HexEncode(script);
    }
  };
  for (const Bytes& script : templates) {
    ASSERT_NO_FATAL_FAILURE(expect_equal(script));
    for (size_t at = 0; at < script.size(); ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        Bytes changed = script;
        changed[at] = static_cast<uint8_t>(byte);
        ASSERT_NO_FATAL_FAILURE(expect_equal(changed));
      }
      Bytes shorter = script;
      shorter.erase(shorter.begin() + static_cast<ptrdiff_t>(at));
      ASSERT_NO_FATAL_FAILURE(expect_equal(shorter));
    }
    for (const uint8_t more : {0x00, 0x51, 0xac, 0xae}) {
      Bytes longer = script;
      longer.push_back(more);
      ASSERT_NO_FATAL_FAILURE(expect_equal(longer));
    }
  }
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
