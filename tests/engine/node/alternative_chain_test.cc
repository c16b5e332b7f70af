// A chain that was mined on the main network's rules for the purpose: its times and nonces are published, and
// everything else of its blocks follows from their heights. The real node takes it as whole blocks, over the first
// retarget.
#include <gtest/gtest.h>

#include <iostream>
#include <random>

#include "engine/consensus/chain_params.h"
#include "engine/consensus/difficulty.h"
#include "engine/runtime/tbb_executor.h"
#include "tests/reference/block_builder.h"
#include "tests/reference/plain_difficulty.h"
#include "tests/reference/vector_ancestry.h"
#include "tests/support/data.h"
#include "tests/support/node/test_node.h"

namespace headrace {
namespace {

using testing::BuiltBlock;
using testing::TestBlock;
using testing::TestCoinSet;
using testing::TestNode;
using testing::TestNodeOptions;

constexpr char kFile[] = "vectors/mainnet_alt.json";

// Pay-to-pubkey-hash of the chain's miner.
const std::vector<uint8_t> kMinerScript = {0x76, 0xa9, 0x14, 0xea, 0xdb, 0xac, 0x7f, 0x36, 0xc3, 0x7e, 0x39, 0x36, 0x11,
                                           0x68, 0xb7, 0xaa, 0xee, 0x3c, 0xb2, 0x4a, 0x25, 0x31, 0x2d, 0x88, 0xac};

class AlternativeChainTest : public ::testing::Test {
 protected:
  AlternativeChainTest() : executor_(MakeTbbExecutor(2)) {
    options_.directory = directory_.path();
    options_.executor = executor_.get();
    options_.params = &params_;
  }

  void SetUp() override {
    HR_NEEDS_DATA(kFile);
    const nlohmann::json chain = testing::ReadJson(testing::DataDirectory() + "/" + kFile);
    const size_t count = chain["timestamps"].size();
    ASSERT_EQ(chain["nonces"].size(), count);
    // It passes the first boundary, or shows nothing.
    ASSERT_GE(count, params_.difficulty_interval());
    facts_ = {{params_.genesis.time_s, params_.genesis.bits, params_.genesis.version}};
    Hash256 previous = params_.genesis_hash;
    for (size_t i = 0; i < count; ++i) {
      Add(previous, chain["timestamps"][i], chain["nonces"][i]);
      previous = blocks_.back().hash;
    }
  }

  // The bits are those that the plain twin requires; a nonce was found for them or it was not.
  void Add(const Hash256& previous, uint32_t time_s, uint32_t nonce) {
    const uint32_t height = static_cast<uint32_t>(facts_.size());
    BuiltBlock built;
    built.transactions = {testing::CoinbaseAt(height, 50 * kCoin)};
    built.transactions[0].outputs[0].script = kMinerScript;
    built.FixMerkleRoot();
    built.header = {
        0x20000000, previous, built.header.merkle_root, time_s, testing::PlainRequiredBits(facts_, time_s, params_),
        nonce};
    TestBlock block;
    block.header = built.header;
    block.hash = built.header.Hash();
    block.height = height;
    block.raw = Slab::Copy(built.Serialize());
    blocks_.push_back(block);
    facts_.push_back({time_s, built.header.bits, built.header.version});
    coins_[{built.transactions[0].Txid(), 0}] = {50 * kCoin, height, true, kMinerScript};
  }

  void ExpectWhole(TestNode& node) {
    EXPECT_EQ(node.Status().applied_hash, blocks_.back().hash);
    EXPECT_EQ(node.Status().applied_height, blocks_.size());
    node.ExpectCoins(coins_);
  }

  testing::TemporaryDirectory directory_;
  const ChainParams& params_ = ParamsFor(ChainId::kMain);
  std::unique_ptr<Executor> executor_;
  TestNodeOptions options_;
  std::vector<TestBlock> blocks_;
  std::vector<HeaderFacts> facts_;
  TestCoinSet coins_;
};

TEST_F(AlternativeChainTest, IsAcceptedWithItsRetarget) {
  {
    TestNode node(options_);
    for (const TestBlock& block : blocks_) node.Offer(block);
    node.RunUntil([&] { return node.node().AppliedTip().height == blocks_.size(); });
    ExpectWhole(node);
    ASSERT_TRUE(node.Shutdown().ok());
  }
  TestNode again(options_);
  ExpectWhole(again);
  const uint32_t interval = params_.difficulty_interval();
  const testing::VectorAncestry ancestry(facts_);
  for (uint32_t height = 1; height < facts_.size(); ++height) {
    // The first period was mined in less than a quarter of its time: the largest step there is, from the easiest
    // target.
    ASSERT_EQ(facts_[height].bits, height < interval ? 0x1d00ffffu : 0x1c3fffc0u) << height;
  }
  // After the boundary nothing changes until the next one, however long a block takes.
  for (const uint32_t delay_s : {0u, 600u, 1201u, 1'000'000u}) {
    EXPECT_EQ(RequiredBits(ancestry, facts_.back().time_s + delay_s, params_), 0x1c3fffc0u) << delay_s;
  }
  std::cout << blocks_.size() << " blocks\n";
}

TEST_F(AlternativeChainTest, IsAcceptedInAnyOrder) {
  std::vector<const TestBlock*> order;
  for (const TestBlock& block : blocks_) order.push_back(&block);
  // A file of blocks is rarely much out of order; here runs of 64 are.
  std::mt19937 random(64);
  for (size_t at = 0; at < order.size(); at += 64) {
    std::shuffle(order.begin() + static_cast<std::ptrdiff_t>(at),
                 order.begin() + static_cast<std::ptrdiff_t>(std::min(order.size(), at + 64)), random);
  }
  TestNode node(options_);
  for (const TestBlock* block : order) node.Offer(*block);
  node.RunUntil([&] { return node.node().AppliedTip().height == blocks_.size(); });
  ExpectWhole(node);
}

// The block at the boundary, once with the bits of the period before and once with another nonce: the node stays below
// it, and takes the good one afterwards.
TEST_F(AlternativeChainTest, IsRefusedWithoutItsRetarget) {
  const size_t boundary = params_.difficulty_interval();
  TestNode node(options_);
  for (size_t height = 1; height < boundary; ++height) node.Offer(blocks_[height - 1]);
  const auto offer_changed = [&](const std::function<void(BlockHeader&)>& change) {
    TestBlock block = blocks_[boundary - 1];
    change(block.header);
    std::vector<uint8_t> raw(block.raw->bytes().begin(), block.raw->bytes().end());
    block.header.Store(raw.data());
    block.raw = Slab::Copy(raw);
    node.Offer(block);
    node.RunUntilQuiet();
    EXPECT_EQ(node.node().AppliedTip().height, boundary - 1);
  };
  offer_changed([&](BlockHeader& header) { header.bits = blocks_[boundary - 2].header.bits; });
  offer_changed([](BlockHeader& header) { ++header.nonce; });
  node.Offer(blocks_[boundary - 1]);
  node.RunUntil([&] { return node.node().AppliedTip().height == boundary; });
}

}  // namespace
}  // namespace headrace
