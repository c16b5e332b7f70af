// Orders over JSON-RPC: blocks handed in, taken out of the race and taken back, with the unspent set compared by hash.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/base/hex.h"
#include "tests/interop/rpc_node.h"
#include "tests/support/chain_builder.h"
#include "tests/support/data.h"

namespace headrace::testing {
namespace {

std::string Hex(const TestBlock& block) { return HexEncode(block.raw->bytes()); }

std::string Word(const Json& set) {
  return set.contains("hash_serialized_3") ? set["hash_serialized_3"].get<std::string>() : "";
}

// Facts of a set, the hashes of both kinds among them.
std::string SetFacts(RpcNode& node) {
  std::string facts;
  for (const char* kind : {"hash_serialized_3", "muhash"}) facts += WriteJson(node.Value({"gettxoutsetinfo", kind}));
  return facts;
}

TEST(RpcSubmitTest, BecomesTheTipOrSaysWhyNot) {
  RpcNode node;
  node.Start();
  ChainBuilder chain;
  for (int i = 0; i < 4; ++i) {
    const TestBlock& block = chain.Add();
    EXPECT_EQ(node.Text({"submitblock", Hex(block)}), "") << "accepted: null";
    EXPECT_EQ(node.Text({"getbestblockhash"}), block.hash.ToHex()) << "visible when the answer comes";
  }
  EXPECT_EQ(node.Text({"submitblock", Hex(*chain.blocks()[2])}), "duplicate");
  EXPECT_EQ(Word(node.Value({"gettxoutsetinfo"})), HashSerialized3(chain.coins()).ToHex());

  // A branch from height 2: kept while it is no better, followed when it is.
  ChainBuilder branch = chain;
  branch.TruncateTo(2);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(node.Text({"submitblock", Hex(branch.Add({}, -1, 7))}), "inconclusive");
  EXPECT_EQ(node.Text({"getbestblockhash"}), chain.blocks().back()->hash.ToHex());
  EXPECT_EQ(node.Text({"submitblock", Hex(branch.Add({}, -1, 7))}), "");
  EXPECT_EQ(node.Text({"getbestblockhash"}), branch.blocks().back()->hash.ToHex());
  EXPECT_EQ(Word(node.Value({"gettxoutsetinfo"})), HashSerialized3(branch.coins()).ToHex());
  const Json tips = node.Value({"getchaintips"});
  ASSERT_EQ(tips.size(), 2u);
  EXPECT_EQ(tips[0]["status"], "active");
  EXPECT_EQ(tips[1]["status"], "valid-fork");
  EXPECT_EQ(tips[1]["branchlen"], 2);

  ChainBuilder greedy = branch;
  const std::string too_much = Hex(greedy.Add({}, 51 * kCoin));
  EXPECT_EQ(node.Text({"submitblock", too_much}), "bad-cb-amount");
  EXPECT_EQ(node.Text({"submitblock", too_much}), "duplicate-invalid");
  std::string mutated = Hex(branch.Add());
  mutated[mutated.size() - 1] ^= 1;  // the coinbase's lock time: another Merkle root
  EXPECT_EQ(node.Text({"submitblock", mutated}), "bad-txnmrklroot");
  ChainBuilder far = branch;
  far.Add({}, -1, 1);
  EXPECT_EQ(node.Text({"submitblock", Hex(far.Add())}), "prev-blk-not-found");
  EXPECT_EQ(node.Text({"submitblock", Hex(*branch.blocks().back())}), "")
      << "the good one is no worse for the bad ones";
  for (const std::string& bytes : {std::string(), std::string("zz"), std::string("00"), Hex(*branch.blocks()[0]) + "00",
                                   Hex(*branch.blocks()[0]).substr(0, 100)}) {
    EXPECT_EQ(node.Error({"submitblock", bytes}), "-22 Block decode failed") << bytes.size();
  }
  EXPECT_EQ(node.Text({"getblockcount"}), std::to_string(branch.height()));
  EXPECT_EQ(node.node().Stop(), 0) << node.node().process().Everything();
}

class RpcInvalidateTest : public ::testing::Test {
 protected:
  void SetUp() override {
    HR_NEEDS_DATA("regtest/scripts-chain.blocks.dat");
    HR_NEEDS_DATA("regtest/scripts-chain.expected.json");
    expected_ = ScriptsChainExpected();
    height_ = expected_["height"];
    node_.Start({"-loadblock=" + ScriptsChainFile()});
    ASSERT_TRUE(node_.WaitForHeight(height_, 180)) << node_.node().process().Everything();
  }

  nlohmann::json expected_;
  uint32_t height_ = 0;
  RpcNode node_;
};

TEST_F(RpcInvalidateTest, TheSetIsTheReferences) {
  const nlohmann::json& facts = expected_["hash_serialized_3"];
  const Json set = node_.Value({"gettxoutsetinfo"});
  for (const char* field : {"height", "bestblock", "txouts", "bogosize", "hash_serialized_3", "transactions"}) {
    EXPECT_EQ(WriteJson(set[field]), facts[field].dump()) << field;
  }
  EXPECT_EQ(std::llround(std::stod(WriteJson(set["total_amount"])) * 1e8), Satoshis(facts["total_amount"]));
}

TEST_F(RpcInvalidateTest, OutOfTheRaceAndBack) {
  const std::string tip = node_.Text({"getbestblockhash"});
  const std::string whole = SetFacts(node_);
  for (const uint32_t depth : {1u, 6u, 100u}) {
    SCOPED_TRACE("depth " + std::to_string(depth));
    const std::string first = node_.Text({"getblockhash", std::to_string(height_ - depth + 1)});
    EXPECT_EQ(node_.Text({"invalidateblock", first}), "");
    EXPECT_EQ(node_.Text({"getblockcount"}), std::to_string(height_ - depth));
    EXPECT_NE(SetFacts(node_), whole);
    EXPECT_EQ(node_.Value({"getblockheader", first})["confirmations"], -1);
    const Json tips = node_.Value({"getchaintips"});
    ASSERT_EQ(tips.size(), 2u);
    EXPECT_EQ(tips[0]["hash"], tip);
    EXPECT_EQ(tips[0]["status"], "invalid");
    EXPECT_EQ(tips[0]["branchlen"], depth);
    EXPECT_EQ(tips[1]["status"], "active");
    EXPECT_EQ(node_.Text({"reconsiderblock", first}), "");
    EXPECT_EQ(node_.Text({"getbestblockhash"}), tip);
    EXPECT_EQ(SetFacts(node_), whole);
  }
  const std::string unknown(64, '1');
  EXPECT_EQ(node_.Error({"invalidateblock", unknown}), "-5 Block not found");
  EXPECT_EQ(node_.Error({"reconsiderblock", unknown}), "-5 Block not found");
}

// The reference says what the set was at some heights: going back to one of them must give just that.
TEST_F(RpcInvalidateTest, BackToARecordedHeight) {
  const nlohmann::json* recorded = nullptr;
  for (const nlohmann::json& facts : expected_["coinstats"]) {
    if (facts["height"].get<uint32_t>() < height_) recorded = &facts;
  }
  ASSERT_NE(recorded, nullptr);
  const uint32_t height = (*recorded)["height"];
  const std::string above = node_.Text({"getblockhash", std::to_string(height + 1)});
  EXPECT_EQ(node_.Text({"invalidateblock", above}), "");
  const Json set = node_.Value({"gettxoutsetinfo", "muhash"});
  for (const char* field : {"height", "bestblock", "txouts", "bogosize", "muhash"}) {
    EXPECT_EQ(WriteJson(set[field]), (*recorded)[field].dump()) << field;
  }
  // The mark outlives a restart, and so does its being taken back.
  EXPECT_EQ(node_.node().Stop(), 0);
  node_.Start();
  EXPECT_EQ(node_.Text({"getblockcount"}), std::to_string(height));
  EXPECT_EQ(node_.Text({"reconsiderblock", above}), "");
  EXPECT_EQ(node_.Text({"getblockcount"}), std::to_string(height_));
  std::printf("back to height %u of %u\n", height, height_);
}

}  // namespace
}  // namespace headrace::testing
