#include "engine/script/standard.h"

#include <gtest/gtest.h>

#include "engine/script/script_builder.h"
#include "tests/engine/script/random_spend.h"

namespace headrace {
namespace {

Bytes Key(uint8_t header, size_t size) {
  Bytes key(size, 0x11);
  key[0] = header;
  return key;
}

std::string KindName(const Bytes& script) {
  const OutputTemplate match = MatchOutput(script);
  EXPECT_EQ(match.kind, ClassifyOutput(script));
  return std::string(OutputKindName(match.kind));
}

TEST(StandardTest, EveryTemplate) {
  const Bytes hash20(20, 7);
  const Bytes hash32(32, 7);
  EXPECT_EQ(KindName(ScriptBuilder().Data(Key(2, 33)).Op(Opcode::kCheckSig).Take()), "pubkey");
  EXPECT_EQ(KindName(ScriptBuilder().Data(Key(4, 65)).Op(Opcode::kCheckSig).Take()), "pubkey");
  EXPECT_EQ(KindName(ScriptBuilder().Data(Key(4, 33)).Op(Opcode::kCheckSig).Take()), "nonstandard");
  EXPECT_EQ(KindName(ScriptBuilder().Op(Opcode::kDup).Op(Opcode::kHash160).Data(hash20).Op(Opcode::kEqualVerify)
                         .Op(Opcode::kCheckSig).Take()), "pubkeyhash");
  EXPECT_EQ(KindName(ScriptBuilder().Op(Opcode::kHash160).Data(hash20).Op(Opcode::kEqual).Take()), "scripthash");
  EXPECT_EQ(KindName(ScriptBuilder().Number(0).Data(hash20).Take()), "witness_v0_keyhash");
  EXPECT_EQ(KindName(ScriptBuilder().Number(0).Data(hash32).Take()), "witness_v0_scripthash");
  EXPECT_EQ(KindName(ScriptBuilder().Number(0).Data(Bytes(21, 7)).Take()), "nonstandard");
  EXPECT_EQ(KindName(ScriptBuilder().Number(1).Data(hash32).Take()), "witness_v1_taproot");
  EXPECT_EQ(KindName(ScriptBuilder().Number(1).Data(hash20).Take()), "witness_unknown");
  EXPECT_EQ(KindName(ScriptBuilder().Number(16).Data(Bytes(40, 7)).Take()), "witness_unknown");
  EXPECT_EQ(KindName(ScriptBuilder().Number(16).Data(Bytes(41, 7)).Take()), "nonstandard");
  EXPECT_EQ(KindName({0x51, 0x02, 0x4e, 0x73}), "anchor");
  EXPECT_EQ(KindName({0x51, 0x02, 0x4e, 0x74}), "witness_unknown");
  EXPECT_EQ(KindName({0x6a}), "nulldata");
  EXPECT_EQ(KindName(ScriptBuilder().Op(Opcode::kReturn).Data(Bytes(80, 1)).Take()), "nulldata");
  EXPECT_EQ(KindName({0x6a, 0x02, 0x01}), "nonstandard");
  EXPECT_EQ(KindName({0x6a, 0x61}), "nonstandard");
  EXPECT_EQ(KindName({}), "nonstandard");
}

Bytes Multisig(int required, int keys, int stated) {
  ScriptBuilder script;
  script.Number(required);
  for (int i = 0; i < keys; ++i) script.Data(Key(3, 33));
  return script.Number(stated).Op(Opcode::kCheckMultisig).Take();
}

TEST(StandardTest, Multisigs) {
  const Bytes script = Multisig(2, 3, 3);
  const OutputTemplate match = MatchOutput(script);
  EXPECT_EQ(match.kind, OutputKind::kMultisig);
  EXPECT_EQ(match.required, 2);
  EXPECT_EQ(match.keys.size(), 3u);
  EXPECT_EQ(KindName(Multisig(1, 1, 1)), "multisig");
  EXPECT_EQ(KindName(Multisig(17, 20, 20)), "multisig");
  EXPECT_EQ(KindName(Multisig(0, 1, 1)), "nonstandard");
  EXPECT_EQ(KindName(Multisig(3, 2, 2)), "nonstandard");
  EXPECT_EQ(KindName(Multisig(1, 21, 21)), "nonstandard");
  EXPECT_EQ(KindName(Multisig(1, 2, 3)), "nonstandard");
  Bytes trailing = Multisig(1, 1, 1);
  trailing.push_back(static_cast<uint8_t>(Opcode::kCheckMultisig));
  EXPECT_EQ(KindName(trailing), "nonstandard");
}

TEST(StandardTest, AnyBytesAreClassified) {
  testing::Random random(7);
  for (int round = 0; round < 20000; ++round) {
    const Bytes script =
        round % 2 == 0 ? testing::RandomOutputScript(random) : testing::RandomBytes(random, random() % 70);
    KindName(script);
  }
}

}  // namespace
}  // namespace headrace
