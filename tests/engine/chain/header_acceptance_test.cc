#include "engine/chain/header_acceptance.h"

#include <gtest/gtest.h>

#include <iostream>

#include "engine/chain/assume_valid.h"
#include "engine/consensus/check_block.h"
#include "engine/consensus/difficulty.h"
#include "engine/primitives/byte_reader.h"
#include "tests/reference/block_builder.h"
#include "tests/support/data.h"

namespace headrace {
namespace {

using testing::BuiltBlock;

using testing::CoinbaseAt;
using testing::DataDirectory;
using testing::DecodedBlock;

constexpr int64_t kLate_s = 4'000'000'000;

BlockHeader GenesisHeader(const ChainParams& params) { return BlockHeader::Load(GenesisBlock(params).data()); }

// A regtest header that passes every rule; it takes a few attempts.
BlockHeader MineOn(const HeaderTree& tree, HeaderId parent, uint32_t salt = 0) {
  const ChainParams& params = ParamsFor(ChainId::kRegtest);
  BlockHeader header;
  header.version = 0x20000000;
  header.previous = tree.hash(parent);
  header.merkle_root.bytes[0] = static_cast<uint8_t>(salt);
  header.time_s = tree.header(parent).time_s + 600;
  header.bits = params.genesis.bits;
  while (!CheckProofOfWork(header.Hash(), header.bits, params)) ++header.nonce;
  return header;
}

TEST(AcceptHeader, NamesEveryReason) {
  const ChainParams& params = ParamsFor(ChainId::kRegtest);
  HeaderTree tree(GenesisHeader(params));
  const BlockHeader first = MineOn(tree, kGenesisId);
  const HeaderAcceptance accepted = AcceptHeader(tree, first, params, kLate_s);
  ASSERT_TRUE(accepted.verdict.ok()) << accepted.verdict.RejectReason();
  EXPECT_TRUE(accepted.is_new);
  EXPECT_EQ(accepted.id, 1u);
  EXPECT_EQ(tree.best_header(), 1u);

  const HeaderAcceptance again = AcceptHeader(tree, first, params, kLate_s);
  EXPECT_TRUE(again.verdict.ok());
  EXPECT_FALSE(again.is_new);
  EXPECT_EQ(again.id, 1u);
  EXPECT_EQ(AcceptHeader(tree, GenesisHeader(params), params, kLate_s).id, kGenesisId);

  const auto reason = [&](const BlockHeader& header, int64_t now_s = kLate_s) {
    const uint32_t size = tree.size();
    const HeaderAcceptance result = AcceptHeader(tree, header, params, now_s);
    EXPECT_EQ(tree.size(), size);
    EXPECT_FALSE(result.is_new);
    return result.verdict.RejectReason();
  };
  BlockHeader header = MineOn(tree, 1);
  EXPECT_EQ(reason(header, header.time_s - 7201), "time-too-new");
  while (CheckProofOfWork(header.Hash(), header.bits, params)) ++header.nonce;
  EXPECT_EQ(reason(header), "high-hash");
  header = MineOn(tree, 1);
  header.previous.bytes[0] ^= 1;
  while (!CheckProofOfWork(header.Hash(), header.bits, params)) ++header.nonce;
  EXPECT_EQ(reason(header), "prev-blk-not-found");

  tree.MarkInvalid(1);
  EXPECT_EQ(reason(first), "duplicate-invalid");
  EXPECT_EQ(AcceptHeader(tree, first, params, kLate_s).id, 1u);
  EXPECT_EQ(reason(MineOn(tree, 1)), "bad-prevblk");
}

TEST(AcceptHeader, FirstRealBlocksFormAChain) {
  HR_NEEDS_DATA("mainnet/blocks-1-255.dat");
  const ChainParams& params = ParamsFor(ChainId::kMain);
  const std::vector<uint8_t> file = testing::ReadFileBytes(DataDirectory() + "/mainnet/blocks-1-255.dat");
  HeaderTree tree(GenesisHeader(params));
  ByteReader reader(file);
  while (reader.remaining() > 0) {
    reader.U32();
    const ByteSpan raw = reader.Bytes(reader.U32());
    ASSERT_TRUE(reader.ok());
    const DecodedBlock block({raw.begin(), raw.end()});
    const HeaderAcceptance accepted = AcceptHeader(tree, block.columns.header, params, kLate_s);
    ASSERT_EQ(accepted.verdict.RejectReason(), "") << tree.size();
    ASSERT_TRUE(accepted.is_new);
    const TreeAncestry parent_chain(tree, tree.parent(accepted.id));
    const BlockContext context = MakeBlockContext(block.columns.header, block.columns.hash, parent_chain, params);
    ASSERT_EQ(CheckBlock(block.columns, params).RejectReason(), "") << tree.size();
    ASSERT_EQ(CheckBlockContext(block.columns, context).RejectReason(), "") << tree.size();
    tree.SetData(accepted.id, {0, 1, static_cast<uint32_t>(raw.size())}, block.columns.transaction_count());
  }
  EXPECT_GT(tree.size(), 1u);
  EXPECT_EQ(tree.best_candidate(), tree.size() - 1);
  EXPECT_EQ(tree.work(tree.best_header()), Uint256(0x100010001) * tree.size());
  std::cout << tree.size() - 1 << " blocks\n";
}

// Blocks with nothing but a coinbase, whose times and nonces are published: the first retarget of a chain that was mined
// on the main network's rules for the purpose.
TEST(AcceptHeader, AlternativeMainChainReachesItsRetarget) {
  HR_NEEDS_DATA("vectors/mainnet_alt.json");
  const ChainParams& params = ParamsFor(ChainId::kMain);
  const nlohmann::json chain = testing::ReadJson(DataDirectory() + "/vectors/mainnet_alt.json");
  HeaderTree tree(GenesisHeader(params));
  const size_t count = chain["timestamps"].size();
  ASSERT_GT(count, 0u);
  ASSERT_EQ(chain["nonces"].size(), count);
  const std::vector<uint8_t> pay_to = {0x76, 0xa9, 0x14, 0xea, 0xdb, 0xac, 0x7f, 0x36, 0xc3, 0x7e, 0x39, 0x36, 0x11,
                                       0x68, 0xb7, 0xaa, 0xee, 0x3c, 0xb2, 0x4a, 0x25, 0x31, 0x2d, 0x88, 0xac};
  for (size_t i = 0; i < count; ++i) {
    const uint32_t height = static_cast<uint32_t>(i) + 1;
    BuiltBlock block;
    block.transactions = {CoinbaseAt(height, 50 * kCoin)};
    block.transactions[0].outputs[0].script = pay_to;
    block.FixMerkleRoot();
    block.header.version = 0x20000000;
    block.header.previous = tree.hash(tree.best_header());
    block.header.time_s = chain["timestamps"][i];
    block.header.nonce = chain["nonces"][i];
    block.header.bits = RequiredBits(TreeAncestry(tree, tree.best_header()), block.header.time_s, params);
    ASSERT_EQ(AcceptHeader(tree, block.header, params, kLate_s).verdict.RejectReason(), "") << height;
  }
  const uint32_t interval = params.difficulty_interval();
  for (HeaderId id = 0; id < tree.size(); ++id) {
    // Four times harder from the first boundary on.
    ASSERT_EQ(tree.header(id).bits, id < interval ? 0x1d00ffffu : 0x1c3fffc0u) << id;
  }
  std::cout << count << " headers\n";
}

TEST(AssumeValid, SkipsScriptsInOneCaseAlone) {
  const ChainParams& params = ParamsFor(ChainId::kRegtest);
  HeaderTree tree(GenesisHeader(params));
  const auto extend = [&](HeaderId parent, uint32_t count, uint32_t salt) {
    for (uint32_t i = 0; i < count; ++i) parent = AcceptHeader(tree, MineOn(tree, parent, salt), params, kLate_s).id;
    return parent;
  };
  // Two weeks are 2016 blocks of ten minutes.
  const HeaderId tip = extend(kGenesisId, 2200, 0);
  const HeaderId side = extend(kGenesisId, 10, 1);
  const HeaderId assumed = tree.Ancestor(tip, 1000);
  const auto posture = [&](HeaderId block, const AssumeValid& assume) {
    return ScriptPostureOf(tree, block, assume, params);
  };
  const AssumeValid assume{tree.hash(assumed), tree.work(tip)};
  const HeaderId low = tree.Ancestor(tip, 100);
  EXPECT_EQ(posture(low, assume), ScriptPosture::kAssumed);
  EXPECT_EQ(posture(tree.Ancestor(tip, 183), assume), ScriptPosture::kAssumed);
  EXPECT_EQ(posture(tree.Ancestor(tip, 184), assume), ScriptPosture::kTooRecent);
  EXPECT_EQ(posture(low, {}), ScriptPosture::kNoAssumedBlock);
  Hash256 unknown;
  unknown.bytes[0] = 1;
  EXPECT_EQ(posture(low, {unknown, {}}), ScriptPosture::kAssumedBlockUnknown);
  EXPECT_EQ(posture(tree.Ancestor(tip, 1001), assume), ScriptPosture::kNotBelowAssumedBlock);
  EXPECT_EQ(posture(side, assume), ScriptPosture::kNotBelowAssumedBlock);
  EXPECT_EQ(posture(side, {tree.hash(side), {}}), ScriptPosture::kNotBelowBestHeader);
  EXPECT_EQ(posture(low, {tree.hash(assumed), tree.work(tip) + 1}), ScriptPosture::kTooLittleWork);
  EXPECT_EQ(EquivalentTime_s(tree, tip, kGenesisId, tip, params), 2200 * 600);
  EXPECT_EQ(EquivalentTime_s(tree, kGenesisId, tip, tip, params), -2200 * 600);
}

}  // namespace
}  // namespace headrace
