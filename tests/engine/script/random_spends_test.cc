// Random scripts behind correct hashes and commitments, so that evaluation really reaches them: whatever they say, the
// verdict is the same twice, and rules only ever forbid.
#include <gtest/gtest.h>

#include <array>
#include <iostream>

#include "engine/base/hex.h"
#include "engine/crypto/signing.h"
#include "engine/crypto/small_hashes.h"
#include "engine/script/script_builder.h"
#include "engine/script/taproot.h"
#include "tests/engine/script/random_spend.h"
#include "tests/engine/script/script_assembler.h"

namespace headrace {
namespace {

using testing::Random;

// Opcodes that succeed often, so that scripts come to their end.
Bytes BenignScript(Random& random) {
  static constexpr std::array kOperations = {Opcode::kDup,
                                             Opcode::kOver,
                                             Opcode::kSwap,
                                             Opcode::kTuck,
                                             Opcode::kSize,
                                             Opcode::kAdd,
                                             Opcode::kNot,
                                             Opcode::kDrop,
                                             Opcode::kNip,
                                             Opcode::kRot,
                                             Opcode::kNop,
                                             Opcode::kHash160,
                                             Opcode::kIf,
                                             Opcode::kElse,
                                             Opcode::kEndIf,
                                             Opcode::kToAltStack,
                                             Opcode::kFromAltStack,
                                             Opcode::kCheckSig,
                                             Opcode::kNop4,
                                             Opcode::kCodeSeparator,
                                             Opcode::kRoll,
                                             Opcode::kPick,
                                             Opcode::kWithin,
                                             Opcode::kCheckSequenceVerify,
                                             Opcode::kCheckLockTimeVerify,
                                             Opcode::kCheckSigAdd,
                                             Opcode::kCheckMultisig,
                                             Opcode::kDepth};
  ScriptBuilder script;
  for (size_t count = random() % 12; count > 0; --count) {
    if (random() % 2 == 0) {
      script.Number(static_cast<int64_t>(random() % 3));
    } else if (random() % 8 == 0) {
      script.Data(testing::RandomBytes(random, random() % 34));
    } else {
      script.Op(kOperations[random() % kOperations.size()]);
    }
  }
  if (random() % 4 != 0) script.Number(1);
  return script.Take();
}

Bytes AnyScript(Random& random) { return random() % 3 == 0 ? testing::RandomScript(random, 20) : BenignScript(random); }

std::vector<Bytes> StackItems(Random& random) {
  std::vector<Bytes> items;
  for (size_t count = random() % 4; count > 0; --count) {
    items.push_back(random() % 2 == 0 ? Bytes{1} : testing::RandomBytes(random, random() % 80));
  }
  return items;
}

// Fills in the input's witness and gives the output script that it spends.
Bytes MakeTaproot(Random& random, TransactionInput& input) {
  static const XOnlyKey internal_key = XOnlyKeyOf(SecretKey{1, 2, 3});
  const uint8_t leaf_version = random() % 4 == 0 ? 0xc2 : kTapscriptLeafVersion;
  const Bytes script = AnyScript(random);
  const Bytes path = testing::RandomBytes(random, 32 * (random() % 3));
  Digest256 node = TapLeafHash(leaf_version, script);
  for (size_t at = 0; at < path.size(); at += 32) node = TapBranchHash(node, ByteSpan(path).subspan(at, 32));
  const TweakedOutputKey output = TweakOutputKey(internal_key, TapTweakHash(internal_key, node));
  Bytes control{static_cast<uint8_t>(leaf_version | (output.is_odd ? 1 : 0))};
  control.insert(control.end(), internal_key.begin(), internal_key.end());
  control.insert(control.end(), path.begin(), path.end());
  input.witness = StackItems(random);
  input.witness.push_back(script);
  input.witness.push_back(control);
  if (random() % 4 == 0) input.witness.push_back({kAnnexTag, 1, 2});
  return ScriptBuilder().Number(1).Data(output.key).Take();
}

Bytes MakeWitnessScriptHash(Random& random, TransactionInput& input) {
  const Bytes script = AnyScript(random);
  input.witness = StackItems(random);
  input.witness.push_back(script);
  return ScriptBuilder().Number(0).Data(Sha256(script)).Take();
}

Bytes WrapInScriptHash(const Bytes& redeem_script, TransactionInput& input) {
  ScriptBuilder script_sig;
  script_sig.Raw(input.script_sig);
  input.script_sig = script_sig.Data(redeem_script).Take();
  return ScriptBuilder().Op(Opcode::kHash160).Data(Hash160(redeem_script)).Op(Opcode::kEqual).Take();
}

Bytes MakeSpend(Random& random, TransactionInput& input) {
  input.witness.clear();
  input.script_sig.clear();
  switch (random() % 6) {
    case 0:
      return MakeTaproot(random, input);
    case 1:
      return MakeWitnessScriptHash(random, input);
    case 2:
      return WrapInScriptHash(MakeWitnessScriptHash(random, input), input);
    case 3: {
      ScriptBuilder pushes;
      for (const Bytes& item : StackItems(random)) pushes.Data(item);
      input.script_sig = pushes.Take();
      return WrapInScriptHash(AnyScript(random), input);
    }
    case 4:
      input.script_sig = AnyScript(random);
      return AnyScript(random);
    default:
      input.script_sig = testing::RandomScript(random, 10);
      input.witness = testing::RandomWitness(random);
      return testing::RandomOutputScript(random);
  }
}

TEST(RandomSpendsTest, VerdictsAreStableAndRulesOnlyForbid) {
  Random random(8);
  std::array<size_t, 64> seen{};
  size_t passed = 0;
  for (int round = 0; round < 6000; ++round) {
    MutableTransaction fields = testing::RandomTransaction(random);
    std::vector<TransactionOutput> spent;
    for (TransactionInput& input : fields.inputs)
      spent.push_back({static_cast<Amount>(random() % 1000), MakeSpend(random, input)});
    const testing::SpendFixture fixture(fields.Serialize(), spent);
    for (uint32_t input = 0; input < fields.inputs.size(); ++input) {
      const ScriptFlags flags = testing::TrimFlags(testing::AllFlags() & static_cast<ScriptFlags>(random()));
      const ScriptError error = fixture.Verify(input, flags);
      EXPECT_EQ(fixture.Verify(input, flags), error);
      ++seen[static_cast<size_t>(error)];
      if (error != ScriptError::kOk) continue;
      ++passed;
      const ScriptFlags fewer = testing::TrimFlags(flags & static_cast<ScriptFlags>(random()));
      EXPECT_EQ(ScriptErrorName(fixture.Verify(input, fewer)), "OK")
          << HexEncode(fields.Serialize()) << " input " << input << " flags " << flags << " fewer " << fewer;
    }
  }
  size_t kinds = 0;
  for (const size_t count : seen) kinds += count != 0;
  std::cout << "random spends: " << passed << " passed, " << kinds << " different results\n";
  EXPECT_GT(passed, 500u);
  EXPECT_GT(kinds, 25u);
}

// A witness may begin with more elements than the limit if the first operation takes the surplus away.
TEST(RandomSpendsTest, WitnessStacksAroundTheirLimit) {
  for (const size_t items : {999u, 1000u, 1001u, 1002u, 3000u}) {
    const Bytes script = ScriptBuilder().Op(Opcode::kDrop).Op(Opcode::kDrop).Take();
    MutableTransaction fields;
    fields.outputs.push_back({0, {}});
    fields.inputs.resize(1);
    fields.inputs[0].witness.assign(items, Bytes{});
    fields.inputs[0].witness.push_back(script);
    const testing::SpendFixture fixture(fields.Serialize(),
                                        {{0, ScriptBuilder().Number(0).Data(Sha256(script)).Take()}});
    // The limit is looked at after the first element was dropped; what the script leaves is more than one in any case.
    const ScriptError expected = items > 1001 ? ScriptError::kStackSize : ScriptError::kCleanStack;
    EXPECT_EQ(ScriptErrorName(fixture.Verify(0, kVerifyP2sh | kVerifyWitness)), ScriptErrorName(expected)) << items;
  }
}

}  // namespace
}  // namespace headrace
