// Spends of every kind in all combinations, with and without their flaws: files whose entries have a transaction,
// prevouts, an index, flags and a scriptSig and witness that succeed.
#include <gtest/gtest.h>

#include <iostream>
#include <random>

#include "engine/primitives/byte_reader.h"
#include "tests/engine/script/script_assembler.h"
#include "tests/engine/script/spend_fixture.h"
#include "tests/support/data.h"

namespace headrace {
namespace {

using testing::SpendFixture;

MutableTransaction WithSpend(MutableTransaction transaction, uint32_t input, const nlohmann::json& spend) {
  transaction.inputs[input].script_sig = testing::FromHex(spend["scriptSig"]);
  transaction.inputs[input].witness.clear();
  for (const nlohmann::json& item : spend["witness"]) {
    transaction.inputs[input].witness.push_back(testing::FromHex(item));
  }
  return transaction;
}

std::vector<TransactionOutput> ReadPrevouts(const nlohmann::json& prevouts) {
  std::vector<TransactionOutput> coins;
  for (const nlohmann::json& hex : prevouts) {
    const Bytes bytes = testing::FromHex(hex);
    ByteReader reader(bytes);
    const Amount amount = static_cast<Amount>(reader.U64());
    const ByteSpan script = reader.VarBytes();
    coins.push_back({amount, Bytes(script.begin(), script.end())});
  }
  return coins;
}

void RunCase(const nlohmann::json& entry, std::mt19937& random) {
  const Bytes raw = testing::FromHex(entry["tx"]);
  TransactionColumns columns;
  ASSERT_EQ(DecodeTransaction(raw, WitnessEncoding::kAllowed, columns), DecodeError::kNone);
  const MutableTransaction base = Unpack({columns, 0});
  const std::vector<TransactionOutput> coins = ReadPrevouts(entry["prevouts"]);
  ASSERT_EQ(coins.size(), base.inputs.size());
  const uint32_t input = entry["index"];
  const ScriptFlags flags = testing::ParseFlags(entry["flags"].get<std::string>());

  const SpendFixture good(WithSpend(base, input, entry["success"]).Serialize(), coins);
  EXPECT_EQ(ScriptErrorName(good.Verify(input, flags)), "OK");
  for (int round = 0; round < 4; ++round) {
    const ScriptFlags subset = testing::TrimFlags(flags & static_cast<ScriptFlags>(random()));
    EXPECT_EQ(ScriptErrorName(good.Verify(input, subset)), "OK") << "flags " << subset;
  }
  if (!entry.contains("failure")) return;
  const SpendFixture bad(WithSpend(base, input, entry["failure"]).Serialize(), coins);
  EXPECT_NE(ScriptErrorName(bad.Verify(input, flags)), "OK");
}

bool HasShape(const nlohmann::json& cases) {
  return cases.is_array() && !cases.empty() && cases[0].is_object() && cases[0].contains("tx") &&
         cases[0].contains("prevouts") && cases[0].contains("index") && cases[0].contains("flags");
}

TEST(ScriptAssetsTest, SuccessesPassAndFailuresFail) {
  HR_NEEDS_DATA("vectors");
  std::mt19937 random(3);
  size_t files_ran = 0;
  for (const std::string& path : testing::DataFilesEndingWith(".json")) {
    const nlohmann::json cases = testing::ReadJson(path);
    if (!HasShape(cases)) continue;
    for (const nlohmann::json& entry : cases) {
      SCOPED_TRACE(entry.dump().substr(0, 2000));
      RunCase(entry, random);
    }
    std::cout << "script assets: " << cases.size() << " cases\n";
    ++files_ran;
  }
  EXPECT_GT(files_ran, 0u) << "no file under $HEADRACE_DATA has the shape of script assets";
}

}  // namespace
}  // namespace headrace
