// The plain signature hashes against published cases, and against the signatures of real blocks.
#include "tools/chaingen/sighash.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>

#include "engine/base/hex.h"
#include "engine/primitives/byte_reader.h"
#include "tests/support/data.h"
#include "tests/tools/chaingen/plain_chain.h"

namespace headrace::chaingen {
namespace {

MutableTransaction TransactionOf(const std::string& hex) {
  const auto plain = reference::DecodePlainTransaction(HexDecode(hex).value(), true);
  EXPECT_TRUE(plain.has_value());
  return testing::FromPlain(plain.value_or(reference::PlainTransaction()));
}

TEST(Sighash, PublishedLegacyCases) {
  HR_NEEDS_DATA("vectors/sighash.json");
  int cases = 0;
  for (const auto& row : testing::ReadJson(testing::DataDirectory() + "/vectors/sighash.json")) {
    if (row.size() != 5) continue;  // the comment at the top
    const MutableTransaction transaction = TransactionOf(row[0].get<std::string>());
    const Bytes script = HexDecode(row[1].get<std::string>()).value();
    const auto type = static_cast<uint32_t>(row[3].get<int64_t>());
    const Digest256 hash = LegacySighash(transaction, row[2].get<uint32_t>(), script, type);
    EXPECT_EQ(Hash256(hash).ToHex(), row[4].get<std::string>());
    ++cases;
  }
  EXPECT_GT(cases, 0);
  std::cout << "cases=" << cases << "\n";
}

TEST(Sighash, PublishedTaprootCases) {
  HR_NEEDS_DATA("vectors/bip341_wallet_vectors.json");
  int cases = 0;
  const auto vectors = testing::ReadJson(testing::DataDirectory() + "/vectors/bip341_wallet_vectors.json");
  for (const auto& spending : vectors.at("keyPathSpending")) {
    const MutableTransaction transaction = TransactionOf(spending.at("given").at("rawUnsignedTx").get<std::string>());
    std::vector<TransactionOutput> spent;
    for (const auto& output : spending.at("given").at("utxosSpent")) {
      spent.push_back({output.at("amountSats").get<Amount>(),
                       HexDecode(output.at("scriptPubKey").get<std::string>()).value()});
    }
    for (const auto& input : spending.at("inputSpending")) {
      const auto hash = TaprootSighash(transaction, input.at("given").at("txinIndex").get<uint32_t>(), spent,
                                       input.at("given").at("hashType").get<uint8_t>());
      ASSERT_TRUE(hash);
      EXPECT_EQ(HexEncode(*hash), input.at("intermediary").at("sigHash").get<std::string>());
      ++cases;
    }
  }
  EXPECT_GT(cases, 0);
  std::cout << "cases=" << cases << "\n";
}

TEST(Sighash, TaprootRefusesUnknownTypesAndMissingOutputs) {
  MutableTransaction transaction;
  transaction.inputs.resize(2);
  transaction.outputs.resize(1);
  const std::vector<TransactionOutput> spent(2);
  for (int type = 0; type < 256; ++type) {
    const bool is_known = type <= 3 || (type >= 0x81 && type <= 0x83);
    EXPECT_EQ(TaprootSighash(transaction, 0, spent, static_cast<uint8_t>(type)).has_value(), is_known) << type;
  }
  EXPECT_FALSE(TaprootSighash(transaction, 1, spent, kSighashSingle));
  EXPECT_NE(TaprootSighash(transaction, 0, spent, kSighashAll, std::nullopt, Bytes{0x50}),
            TaprootSighash(transaction, 0, spent, kSighashAll));
}

TEST(Sighash, LegacySingleWithoutOutputIsOne) {
  MutableTransaction transaction;
  transaction.inputs.resize(2);
  transaction.outputs.resize(1);
  EXPECT_EQ(LegacySighash(transaction, 1, {}, kSighashSingle), Digest256{1});
  EXPECT_NE(LegacySighash(transaction, 0, {}, kSighashSingle), Digest256{1});
  EXPECT_EQ(LegacySighash(transaction, 2, {}, kSighashAll), Digest256{1});
}

// Real signatures commit to real hashes: that they verify proves all three hash functions at once.
TEST(Sighash, SignaturesOfRealBlocksVerify) {
  HR_NEEDS_DATA(".");
  uint64_t inputs = 0, valid = 0, verified = 0;
  for (const std::string& path : testing::DataFilesEndingWith(".prevouts")) {
    SCOPED_TRACE(path);
    const std::string block_path = path.substr(0, path.size() - std::string(".prevouts").size()) + ".raw";
    const auto block = reference::DecodePlainBlock(testing::ReadFileBytes(block_path));
    ASSERT_TRUE(block.has_value());
    const Bytes prevouts = testing::ReadFileBytes(path);
    ByteReader reader(prevouts);
    for (size_t t = 1; t < block->transactions.size(); ++t) {
      const MutableTransaction transaction = testing::FromPlain(block->transactions[t]);
      std::vector<TransactionOutput> spent;
      for (size_t i = 0; i < transaction.inputs.size(); ++i) {
        const auto amount = static_cast<Amount>(reader.U64());
        const ByteSpan script = reader.VarBytes();
        spent.push_back({amount, Bytes(script.begin(), script.end())});
      }
      // The plain hashes take quadratic time; the largest transactions add nothing but that.
      if (transaction.inputs.size() > 50) continue;
      for (uint32_t i = 0; i < transaction.inputs.size(); ++i) {
        const auto check = testing::CheckInput(transaction, i, spent, verified);
        EXPECT_NE(check, testing::TemplateCheck::kInvalid) << "transaction " << t << " input " << i;
        ++inputs;
        valid += check == testing::TemplateCheck::kValid ? 1 : 0;
      }
    }
    EXPECT_TRUE(reader.ok());
    EXPECT_EQ(reader.remaining(), 0u);
  }
  EXPECT_GT(valid, inputs / 2);
  std::cout << "inputs=" << inputs << " valid=" << valid << " signatures=" << verified << "\n";
}

}  // namespace
}  // namespace headrace::chaingen
