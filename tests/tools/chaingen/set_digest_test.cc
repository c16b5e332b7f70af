// The unspent set's digests against those that Bitcoin Core reported for a chain of every script kind.
#include "tools/chaingen/set_digest.h"

#include <gtest/gtest.h>

#include <iostream>

#include "engine/primitives/coin.h"
#include "tests/support/data.h"
#include "tests/tools/chaingen/plain_chain.h"

namespace headrace::chaingen {
namespace {

TEST(SetDigest, EmptySet) {
  const SetDigest digest = DigestSet({}, 1);
  EXPECT_EQ(digest.txouts, 0u);
  EXPECT_EQ(digest.muhash.ToHex(), "dd5ad2a105c2d29495f577245c357409002329b9f4d6182c0af3dc2f462555c8");
}

TEST(SetDigest, ReportedChain) {
  HR_NEEDS_DATA("regtest/scripts-chain.blocks.dat");
  const auto expected = testing::ReadJson(testing::DataDirectory() + "/regtest/scripts-chain.expected.json");
  const Bytes file = testing::ReadFileBytes(testing::DataDirectory() + "/regtest/scripts-chain.blocks.dat");
  std::map<uint32_t, nlohmann::json> reports;
  for (const auto& report : expected.at("coinstats")) reports[report.at("height").get<uint32_t>()] = report;

  testing::PlainCoins coins;
  uint32_t height = 0, compared = 0;
  for (const ByteSpan raw : testing::FramedBlocks(file)) {
    const auto block = reference::DecodePlainBlock(raw);
    ASSERT_TRUE(block);
    for (size_t t = 0; height != 0 && t < block->transactions.size(); ++t) {
      const MutableTransaction transaction = testing::FromPlain(block->transactions[t]);
      const Hash256 txid = transaction.Txid();
      for (size_t i = 0; t != 0 && i < transaction.inputs.size(); ++i) {
        ASSERT_EQ(coins.erase(transaction.inputs[i].prevout), 1u) << height;
      }
      for (uint32_t i = 0; i < transaction.outputs.size(); ++i) {
        const TransactionOutput& output = transaction.outputs[i];
        if (!IsUnspendable(output.script)) coins[{txid, i}] = {height, t == 0, output.amount, output.script};
      }
    }
    if (const auto report = reports.find(height); report != reports.end()) {
      const SetDigest digest = testing::DigestOf(coins, 2);
      EXPECT_EQ(digest.muhash.ToHex(), report->second.at("muhash").get<std::string>()) << height;
      EXPECT_EQ(digest.txouts, report->second.at("txouts").get<uint64_t>()) << height;
      ++compared;
    }
    ++height;
  }
  const SetDigest digest = testing::DigestOf(coins, 2);
  const auto& tip = expected.at("hash_serialized_3");
  EXPECT_EQ(height, tip.at("height").get<uint32_t>() + 1);
  EXPECT_EQ(digest.hash_serialized_3.ToHex(), tip.at("hash_serialized_3").get<std::string>());
  EXPECT_EQ(digest.txouts, tip.at("txouts").get<uint64_t>());
  EXPECT_DOUBLE_EQ(static_cast<double>(digest.total_amount) / kCoin, tip.at("total_amount").get<double>());
  EXPECT_GT(compared, 0u);
  std::cout << "blocks=" << height << " reports=" << compared << "\n";
}

}  // namespace
}  // namespace headrace::chaingen
