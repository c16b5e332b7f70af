// The field's transaction vectors: whole transactions with the outputs that they spend.
#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <random>

#include "tests/engine/script/script_assembler.h"
#include "tests/engine/script/spend_fixture.h"
#include "tests/reference/plain_check_transaction.h"
#include "tests/support/data.h"

namespace headrace {
namespace {

using testing::SpendFixture;

struct VectorCase {
  std::map<OutPoint, TransactionOutput> prevouts;
  Bytes raw;
  std::string flags;
};

VectorCase ReadCase(const nlohmann::json& entry) {
  VectorCase result;
  for (const nlohmann::json& prevout : entry[0]) {
    const OutPoint outpoint{*Hash256::FromHex(prevout[0].get<std::string>()),
                            static_cast<uint32_t>(prevout[1].get<int64_t>())};
    const Amount amount = prevout.size() > 3 ? prevout[3].get<Amount>() : 0;
    result.prevouts[outpoint] = {amount, testing::AssembleScript(prevout[2])};
  }
  result.raw = testing::FromHex(entry[1]);
  result.flags = entry[2];
  return result;
}

// The coins of a case in the order of its inputs.
std::vector<TransactionOutput> CoinsOf(const VectorCase& vector_case) {
  TransactionColumns columns;
  const DecodeError error = DecodeTransaction(vector_case.raw, WitnessEncoding::kAllowed, columns);
  if (error != DecodeError::kNone) throw std::runtime_error(std::string(DecodeErrorText(error)));
  std::vector<TransactionOutput> coins;
  for (uint32_t i = 0; i < columns.input_count(); ++i) coins.push_back(vector_case.prevouts.at(columns.prevout(i)));
  return coins;
}

bool EveryInputVerifies(const SpendFixture& fixture, ScriptFlags flags) {
  for (uint32_t input = 0; input < fixture.transaction().input_count(); ++input) {
    if (fixture.Verify(input, flags) != ScriptError::kOk) return false;
  }
  return true;
}

TEST(TransactionVectorsTest, ValidOnesPassWithoutTheirExcludedFlags) {
  HR_NEEDS_DATA("vectors/tx_valid.json");
  const nlohmann::json cases = testing::ReadJson(testing::DataDirectory() + "/vectors/tx_valid.json");
  std::mt19937 random(1);
  size_t ran = 0;
  for (const nlohmann::json& entry : cases) {
    if (!entry[0].is_array()) continue;  // a comment
    SCOPED_TRACE(entry.dump());
    const VectorCase vector_case = ReadCase(entry);
    const SpendFixture fixture(vector_case.raw, CoinsOf(vector_case));
    EXPECT_TRUE(testing::PlainCheckTransaction(fixture.transaction()));
    const ScriptFlags excluded = testing::ParseFlags(vector_case.flags);
    const ScriptFlags most = testing::TrimFlags(testing::AllFlags() & ~excluded);
    EXPECT_TRUE(EveryInputVerifies(fixture, most));
    for (ScriptFlags flag = 1; flag <= testing::AllFlags(); flag <<= 1) {
      EXPECT_TRUE(EveryInputVerifies(fixture, testing::TrimFlags(most & ~flag))) << "without flag " << flag;
    }
    for (int round = 0; round < 8; ++round) {
      EXPECT_TRUE(EveryInputVerifies(fixture, testing::TrimFlags(most & static_cast<ScriptFlags>(random()))));
    }
    // The list of excluded flags is as short as it can be: each alone makes the transaction fail.
    for (ScriptFlags flag = 1; flag <= testing::AllFlags(); flag <<= 1) {
      if ((excluded & flag) == 0) continue;
      EXPECT_FALSE(EveryInputVerifies(fixture, testing::TrimFlags(most | flag))) << "with flag " << flag;
    }
    ++ran;
  }
  std::cout << "valid transactions: " << ran << " cases\n";
  EXPECT_GT(ran, 0u);
}

TEST(TransactionVectorsTest, InvalidOnesFailWithTheirFlags) {
  HR_NEEDS_DATA("vectors/tx_invalid.json");
  const nlohmann::json cases = testing::ReadJson(testing::DataDirectory() + "/vectors/tx_invalid.json");
  std::mt19937 random(2);
  size_t ran = 0;
  for (const nlohmann::json& entry : cases) {
    if (!entry[0].is_array()) continue;
    SCOPED_TRACE(entry.dump());
    const VectorCase vector_case = ReadCase(entry);
    ++ran;
    if (vector_case.flags == "BADTX") {
      TransactionColumns columns;
      if (DecodeTransaction(vector_case.raw, WitnessEncoding::kAllowed, columns) != DecodeError::kNone) continue;
      EXPECT_FALSE(testing::PlainCheckTransaction({columns, 0}));
      continue;
    }
    const SpendFixture fixture(vector_case.raw, CoinsOf(vector_case));
    EXPECT_TRUE(testing::PlainCheckTransaction(fixture.transaction()));
    const ScriptFlags least = testing::FillFlags(testing::ParseFlags(vector_case.flags));
    EXPECT_FALSE(EveryInputVerifies(fixture, least));
    for (int round = 0; round < 8; ++round) {
      EXPECT_FALSE(EveryInputVerifies(fixture, testing::FillFlags(least | (random() & testing::AllFlags()))));
    }
    // The list is as short as it can be: without any one of its flags the transaction passes.
    for (ScriptFlags flag = 1; flag <= testing::AllFlags(); flag <<= 1) {
      if ((least & flag) == 0) continue;
      EXPECT_TRUE(EveryInputVerifies(fixture, testing::TrimFlags(least & ~flag))) << "without flag " << flag;
    }
  }
  std::cout << "invalid transactions: " << ran << " cases\n";
  EXPECT_GT(ran, 0u);
}

}  // namespace
}  // namespace headrace
