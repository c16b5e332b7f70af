// A whole chain that another implementation produced and accepted, through every rule, one block after the other over a
// plain map of coins: the naive twin of the validation pipeline.
#include <gtest/gtest.h>

#include <cmath>
#include <iostream>
#include <map>

#include "engine/base/arena.h"
#include "engine/chain/header_acceptance.h"
#include "engine/consensus/check_block.h"
#include "engine/consensus/check_spends.h"
#include "engine/primitives/byte_reader.h"
#include "engine/script/spend_verifier.h"
#include "tests/reference/block_builder.h"
#include "tests/support/data.h"

namespace headrace {
namespace {

using testing::DataDirectory;
using testing::DecodedBlock;

class PlainNode {
 public:
  explicit PlainNode(const ChainParams& params)
      : params_(params), tree_(BlockHeader::Load(GenesisBlock(params).data())) {}

  Verdict Apply(const BlockColumns& block) {
    const HeaderAcceptance accepted = AcceptHeader(tree_, block.header, params_, 4'000'000'000);
    if (!accepted.verdict.ok() || !accepted.is_new) return accepted.verdict;
    const TreeAncestry parent_chain(tree_, tree_.parent(accepted.id));
    const BlockContext context = MakeBlockContext(block.header, block.hash, parent_chain, params_);
    if (const Verdict verdict = CheckBlock(block, params_); !verdict.ok()) return verdict;
    if (const Verdict verdict = CheckBlockContext(block, context); !verdict.ok()) return verdict;
    std::vector<Coin> spent(block.input_count());
    MoveCoins(block, context.height, spent);
    Amount fees = 0;
    if (const Verdict verdict = CheckBlockSpends(block, spent, context, parent_chain, params_, &fees, missing_);
        !verdict.ok()) {
      return verdict;
    }
    return VerifyScripts(block, spent, context.script_flags);
  }

  const HeaderTree& tree() const { return tree_; }
  const std::map<OutPoint, Coin>& coins() const { return coins_; }
  uint64_t spends() const { return spends_; }

 private:
  void MoveCoins(const BlockColumns& block, uint32_t height, std::vector<Coin>& spent) {
    missing_ = kNoInput;
    for (uint32_t t = 0; t < block.transaction_count(); ++t) {
      const TransactionView transaction = block.transaction(t);
      for (uint32_t i = 0; t > 0 && i < transaction.input_count(); ++i) {
        const auto it = coins_.find(transaction.prevout(i));
        if (it == coins_.end()) {
          missing_ = std::min(missing_, transaction.first_input() + i);
          continue;
        }
        spent[transaction.first_input() + i] = it->second;
        coins_.erase(it);
      }
      for (uint32_t o = 0; o < transaction.output_count(); ++o) {
        const ByteSpan script = transaction.script_pubkey(o);
        if (IsUnspendable(script)) continue;
        coins_[{transaction.txid(), o}] = {transaction.amount(o), height, t == 0, scripts_.Copy(script)};
      }
    }
  }

  Verdict VerifyScripts(const BlockColumns& block, std::span<const Coin> spent, ScriptFlags flags) {
    for (uint32_t t = 1; t < block.transaction_count(); ++t) {
      const TransactionView transaction = block.transaction(t);
      const auto coins = spent.subspan(transaction.first_input(), transaction.input_count());
      TransactionMidstates midstates;
      PrepareMidstates(transaction, coins, midstates);
      for (uint32_t i = 0; i < transaction.input_count(); ++i, ++spends_) {
        const ScriptError error = VerifySpend(transaction, i, coins, flags, midstates);
        if (error != ScriptError::kOk) return Verdict::Script(t, i, error);
      }
    }
    return {};
  }

  const ChainParams& params_;
  HeaderTree tree_;
  std::map<OutPoint, Coin> coins_;
  Arena scripts_;
  uint32_t missing_ = kNoInput;
  uint64_t spends_ = 0;
};

TEST(WholeChain, EveryScriptKindSyncs) {
  HR_NEEDS_DATA("regtest/scripts-chain.blocks.dat");
  const std::vector<uint8_t> file = testing::ReadFileBytes(DataDirectory() + "/regtest/scripts-chain.blocks.dat");
  const nlohmann::json expected = testing::ReadJson(DataDirectory() + "/regtest/scripts-chain.expected.json");
  PlainNode node(ParamsFor(ChainId::kRegtest));
  ByteReader reader(file);
  while (reader.remaining() > 0) {
    reader.U32();
    const ByteSpan raw = reader.Bytes(reader.U32());
    ASSERT_TRUE(reader.ok());
    const DecodedBlock block({raw.begin(), raw.end()});
    const Verdict verdict = node.Apply(block.columns);
    ASSERT_TRUE(verdict.ok()) << verdict.RejectReason() << " at " << node.tree().size() << " transaction "
                              << verdict.transaction << " input " << verdict.input;
  }
  const HeaderId tip = node.tree().best_header();
  EXPECT_EQ(node.tree().height(tip), expected["height"].get<uint32_t>());
  EXPECT_EQ(node.tree().hash(tip).ToHex(), expected["bestblock"].get<std::string>());
  EXPECT_EQ(node.coins().size(), expected["hash_serialized_3"]["txouts"].get<size_t>());
  Amount total = 0;
  for (const auto& [outpoint, coin] : node.coins()) total += coin.amount;
  EXPECT_EQ(total, std::llround(expected["hash_serialized_3"]["total_amount"].get<double>() * kCoin));
  EXPECT_GT(node.spends(), 0u);
  std::cout << node.tree().height(tip) << " blocks, " << node.spends() << " spends\n";
}

}  // namespace
}  // namespace headrace
