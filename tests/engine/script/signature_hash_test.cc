#include "engine/script/signature_hash.h"

#include <gtest/gtest.h>

#include <iostream>

#include "engine/base/hex.h"
#include "engine/script/interpreter.h"
#include "tests/engine/script/random_spend.h"
#include "tests/reference/plain_sighash.h"
#include "tests/support/data.h"

namespace headrace {
namespace {

TEST(SignatureHashTest, LegacyVectors) {
  HR_NEEDS_DATA("vectors/sighash.json");
  const nlohmann::json cases = testing::ReadJson(testing::DataDirectory() + "/vectors/sighash.json");
  size_t ran = 0;
  for (const nlohmann::json& entry : cases) {
    if (entry.size() == 1) continue;  // the header
    const Bytes raw = testing::FromHex(entry[0]);
    TransactionColumns columns;
    ASSERT_EQ(DecodeTransaction(raw, WitnessEncoding::kAllowed, columns), DecodeError::kNone);
    const Digest256 hash = LegacySignatureHash({columns, 0}, entry[2], testing::FromHex(entry[1]),
                                               static_cast<uint32_t>(entry[3].get<int64_t>()));
    EXPECT_EQ(Hash256(hash).ToHex(), entry[4].get<std::string>()) << entry.dump();
    ++ran;
  }
  std::cout << "legacy signature hashes: " << ran << " cases\n";
  EXPECT_GT(ran, 0u);
}

TEST(SignatureHashTest, StreamingEqualsCopying) {
  testing::Random random(4);
  for (int round = 0; round < 4000; ++round) {
    const MutableTransaction fields = testing::RandomTransaction(random);
    const Bytes raw = fields.Serialize();
    TransactionColumns columns;
    ASSERT_EQ(DecodeTransaction(raw, WitnessEncoding::kAllowed, columns), DecodeError::kNone);
    const uint32_t input = static_cast<uint32_t>(random() % fields.inputs.size());
    const Bytes script_code = testing::RandomScript(random, round % 50 == 0 ? 400 : 30);
    const uint32_t hash_type =
        random() % 2 == 0 ? static_cast<uint32_t>(random()) : 1 + random() % 3 + 0x80 * (random() % 2);
    EXPECT_EQ(LegacySignatureHash({columns, 0}, input, script_code, hash_type),
              testing::PlainLegacySignatureHash(fields, input, script_code, hash_type))
        << HexEncode(raw) << " " << HexEncode(script_code) << " " << input << " " << hash_type;
  }
}

TEST(SignatureHashTest, DeletingEqualsCopying) {
  testing::Random random(5);
  size_t deletions = 0;
  for (int round = 0; round < 20000; ++round) {
    // Few distinct bytes, so that needles occur, overlap, and lie across operations.
    Bytes script = testing::RandomBytes(random, random() % 40);
    Bytes needle = testing::RandomBytes(random, 1 + random() % 3);
    for (uint8_t& byte : script) byte %= 4;
    for (uint8_t& byte : needle) byte %= 4;
    Bytes out{0xee};
    const bool found = FindAndDelete(script, needle, out);
    const Bytes expected = testing::PlainFindAndDelete(script, needle);
    EXPECT_EQ(found, expected.size() != script.size());
    EXPECT_EQ(out, found ? expected : Bytes{0xee}) << HexEncode(script) << " " << HexEncode(needle);
    deletions += found;
  }
  EXPECT_GT(deletions, 1000u);
}

TEST(SignatureHashTest, SingleWithoutOutputSignsOne) {
  MutableTransaction fields;
  fields.inputs.resize(2);
  fields.outputs.resize(1);
  const Bytes raw = fields.Serialize();
  TransactionColumns columns;
  ASSERT_EQ(DecodeTransaction(raw, WitnessEncoding::kAllowed, columns), DecodeError::kNone);
  EXPECT_EQ(LegacySignatureHash({columns, 0}, 1, {}, kSighashSingle), Digest256{1});
  EXPECT_NE(LegacySignatureHash({columns, 0}, 0, {}, kSighashSingle), Digest256{1});
}

}  // namespace
}  // namespace headrace
