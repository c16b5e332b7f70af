// Every limit of the script language from both sides, without outside data: the last value that passes, and the first
// that does not.
#include <gtest/gtest.h>

#include "tests/engine/script/made_spend.h"

namespace headrace {
namespace {

using testing::MadeSpend;
using testing::Repeated;
using testing::SpendOfLeaf;
using testing::SpendOfScript;
using testing::SpendOfWitnessScript;

std::string_view Name(ScriptError error) { return ScriptErrorName(error); }

// Pushes of 500 bytes, each dropped again, up to exactly `bytes`; leaves one true element.
Bytes ScriptOfSize(size_t bytes) {
  ScriptBuilder script;
  const Bytes filler(500, 7);
  while (script.script().size() + 1010 < bytes) script.Data(filler).Op(Opcode::kDrop);
  // The last push takes up what is missing; its length takes three bytes in front, and a drop and a one follow.
  const size_t size = bytes - script.script().size() - 5;
  script.Data(Bytes(std::min<size_t>(size, 500), 7)).Op(Opcode::kDrop);
  if (const size_t left = bytes - script.script().size() - 1; left != 0) {
    script.Data(Bytes(left - 4, 7)).Op(Opcode::kDrop);
  }
  return script.Number(1).Take();
}

TEST(ScriptLimits, AScriptHasTenThousandBytes) {
  ASSERT_EQ(ScriptOfSize(10'000).size(), 10'000u);
  ASSERT_EQ(ScriptOfSize(10'001).size(), 10'001u);
  EXPECT_EQ(Name(SpendOfScript(ScriptOfSize(10'000)).Verify()), "OK");
  EXPECT_EQ(Name(SpendOfScript(ScriptOfSize(10'001)).Verify()), "SCRIPT_SIZE");
  EXPECT_EQ(Name(SpendOfWitnessScript(ScriptOfSize(10'000)).Verify()), "OK");
  EXPECT_EQ(Name(SpendOfWitnessScript(ScriptOfSize(10'001)).Verify()), "SCRIPT_SIZE");
  // A tapscript is bounded by the block's weight alone. (BIP342)
  EXPECT_EQ(Name(SpendOfLeaf(ScriptOfSize(20'000)).Verify()), "OK");
}

TEST(ScriptLimits, APushHas520BytesInBranchesThatAreNotRunToo) {
  for (const size_t size : {520u, 521u}) {
    const std::string_view expected = size == 520 ? "OK" : "PUSH_SIZE";
    const Bytes script =
        ScriptBuilder().Number(0).Op(Opcode::kIf).Data(Bytes(size, 7)).Op(Opcode::kEndIf).Number(1).Take();
    EXPECT_EQ(Name(SpendOfScript(script).Verify()), expected);
    EXPECT_EQ(Name(SpendOfWitnessScript(script).Verify()), expected);
    EXPECT_EQ(Name(SpendOfLeaf(script).Verify()), expected);
    const Bytes run = ScriptBuilder().Data(Bytes(size, 7)).Take();
    EXPECT_EQ(Name(SpendOfScript(run).Verify()), expected);
  }
}

TEST(ScriptLimits, AWitnessItemHas520BytesWhereverItStands) {
  const Bytes keep_last = ScriptBuilder().Op(Opcode::kNip).Take();
  for (const size_t size : {520u, 521u}) {
    const std::string_view expected = size == 520 ? "OK" : "PUSH_SIZE";
    EXPECT_EQ(Name(SpendOfWitnessScript(keep_last, {Bytes(size, 7), {1}}).Verify()), expected);
    EXPECT_EQ(Name(SpendOfWitnessScript(keep_last, {{1}, Bytes(size, 7)}).Verify()), expected);
    EXPECT_EQ(Name(SpendOfLeaf(keep_last, {Bytes(size, 7), {1}}).Verify()), expected);
  }
}

// Keys of multisigs count as operations, also of one that has no signatures to check.
TEST(ScriptLimits, AScriptHas201OperationsAndKeysAreAmongThem) {
  const auto script = [](size_t nops, int keys) {
    ScriptBuilder builder;
    builder.Raw(Repeated(Opcode::kNop, nops)).Number(0).Number(0);
    for (int i = 0; i < keys; ++i) builder.Number(1);
    return builder.Number(keys).Op(Opcode::kCheckMultisig).Take();
  };
  EXPECT_EQ(Name(SpendOfScript(script(200, 0)).Verify()), "OK");
  EXPECT_EQ(Name(SpendOfScript(script(201, 0)).Verify()), "OP_COUNT");
  EXPECT_EQ(Name(SpendOfScript(script(180, 20)).Verify()), "OK");
  EXPECT_EQ(Name(SpendOfScript(script(181, 20)).Verify()), "OP_COUNT");
  EXPECT_EQ(Name(SpendOfWitnessScript(script(180, 20)).Verify()), "OK");
  EXPECT_EQ(Name(SpendOfWitnessScript(script(181, 20)).Verify()), "OP_COUNT");
  EXPECT_EQ(Name(SpendOfScript(script(0, 21)).Verify()), "PUBKEY_COUNT");
  EXPECT_EQ(Name(SpendOfScript(script(0, -1)).Verify()), "PUBKEY_COUNT");
  // None of this holds in tapscript.
  const Bytes many = ScriptBuilder().Raw(Repeated(Opcode::kNop, 500)).Number(1).Take();
  EXPECT_EQ(Name(SpendOfLeaf(many).Verify()), "OK");
}

TEST(ScriptLimits, BothStacksTogetherHold1000Elements) {
  const auto script = [](size_t elements) {
    return ScriptBuilder()
        .Raw(Repeated(Opcode::k1, 900))
        .Raw(Repeated(Opcode::kToAltStack, 100))
        .Raw(Repeated(Opcode::k1, elements - 900))
        .Take();
  };
  EXPECT_EQ(Name(SpendOfScript(script(1000)).Verify()), "OK");
  EXPECT_EQ(Name(SpendOfScript(script(1001)).Verify()), "STACK_SIZE");
  EXPECT_EQ(Name(SpendOfScript(Repeated(Opcode::k1, 1000)).Verify()), "OK");
  EXPECT_EQ(Name(SpendOfScript(Repeated(Opcode::k1, 1001)).Verify()), "STACK_SIZE");
}

// The limit is looked at before the first operation, unlike that of version 0. (BIP342)
TEST(ScriptLimits, ATapscriptBeginsWith1000Elements) {
  const auto verify = [](size_t items) {
    return SpendOfLeaf(Repeated(Opcode::kDrop, items - 1), std::vector<Bytes>(items, Bytes{1})).Verify();
  };
  EXPECT_EQ(Name(verify(1000)), "OK");
  EXPECT_EQ(Name(verify(1001)), "STACK_SIZE");
}

TEST(ScriptLimits, NumbersHaveFourBytesAndLockTimesFive) {
  const Bytes five{0, 0, 0, 0x80, 0};  // 2^31
  const auto unary = [](const Bytes& operand) {
    return ScriptBuilder().Data(operand).Op(Opcode::k1Add).Op(Opcode::kSize).Op(Opcode::kNip).Take();
  };
  EXPECT_EQ(Name(SpendOfScript(unary({0xff, 0xff, 0xff, 0x7f})).Verify()), "OK");
  EXPECT_EQ(Name(SpendOfScript(unary(five)).Verify()), "SCRIPTNUM");
  // A result of five bytes may be looked at, and is no operand any more.
  const Bytes overflow =
      ScriptBuilder().Data(Bytes{0xff, 0xff, 0xff, 0x7f}).Op(Opcode::k1Add).Data(five).Op(Opcode::kEqual).Take();
  EXPECT_EQ(Name(SpendOfScript(overflow).Verify()), "OK");

  // A sequence with the disable flag is 2^31 and needs five bytes; it asks for nothing. (BIP112)
  EXPECT_EQ(Name(SpendOfScript(ScriptBuilder().Data(five).Op(Opcode::kCheckSequenceVerify).Take()).Verify()), "OK");
  const Bytes six{0, 0, 0, 0x80, 0, 0};
  EXPECT_EQ(Name(SpendOfScript(ScriptBuilder().Data(six).Op(Opcode::kCheckSequenceVerify).Take()).Verify()),
            "SCRIPTNUM");
  MadeSpend latest =
      SpendOfScript(ScriptBuilder().Data(Bytes{0xff, 0xff, 0xff, 0xff, 0}).Op(Opcode::kCheckLockTimeVerify).Take());
  latest.lock_time = 0xffffffff;
  EXPECT_EQ(Name(latest.Verify()), "OK");
  latest.lock_time = 0xfffffffe;
  EXPECT_EQ(Name(latest.Verify()), "UNSATISFIED_LOCKTIME");
}

TEST(ScriptLimits, AControlBlockHas128Nodes) {
  const Bytes script = ScriptBuilder().Number(1).Take();
  // Nodes of all sizes, so that the path's nodes are the lesser and the greater ones by turns.
  const auto path = [](size_t nodes) {
    Bytes bytes;
    for (size_t i = 0; i < nodes; ++i) bytes.insert(bytes.end(), 32, static_cast<uint8_t>(i % 2 == 0 ? 1 : 0xfe));
    return bytes;
  };
  for (const size_t nodes : {0u, 1u, 2u, 127u, 128u}) {
    EXPECT_EQ(Name(SpendOfLeaf(script, {}, path(nodes)).Verify()), "OK") << nodes;
  }
  EXPECT_EQ(Name(SpendOfLeaf(script, {}, path(129)).Verify()), "TAPROOT_WRONG_CONTROL_SIZE");
}

TEST(ScriptLimits, AWitnessProgramHasTwoToFortyBytes) {
  const auto verify = [](size_t bytes) {
    MadeSpend spend = SpendOfScript(ScriptBuilder().Number(16).Data(Bytes(bytes, 7)).Take());
    spend.witness = {{1}};
    return spend.Verify();
  };
  EXPECT_EQ(Name(verify(1)), "WITNESS_UNEXPECTED");
  EXPECT_EQ(Name(verify(2)), "OK");
  EXPECT_EQ(Name(verify(40)), "OK");
  EXPECT_EQ(Name(verify(41)), "WITNESS_UNEXPECTED");
}

// 50 units of weight for each signature that is not empty, whatever the key's kind; 50 are given. (BIP342)
TEST(ScriptLimits, ATapscriptPaysForItsSignatures) {
  // Keys of unknown kinds take any signature.
  const auto verify = [](size_t padding) {
    ScriptBuilder script;
    for (int i = 0; i < 2; ++i) script.Number(1).Data(Bytes{9, 9}).Op(Opcode::kCheckSigVerify);
    MadeSpend spend = SpendOfLeaf(script.Raw(Repeated(Opcode::kNop, padding)).Number(1).Take());
    return spend.Verify();
  };
  // Count, length and script, length and control block: 1 + 1 + 11 + 1 + 33 = 47 bytes, and 3 more make 50.
  EXPECT_EQ(Name(verify(3)), "OK");
  EXPECT_EQ(Name(verify(2)), "TAPSCRIPT_VALIDATION_WEIGHT");
}

}  // namespace
}  // namespace headrace
