// Real blocks through the rules that need no unspent set, and those with known prevouts through the others.
#include <gtest/gtest.h>

#include <iostream>

#include "engine/consensus/check_block.h"
#include "engine/consensus/check_spends.h"
#include "engine/consensus/difficulty.h"
#include "engine/primitives/byte_reader.h"
#include "tests/reference/block_builder.h"
#include "tests/reference/vector_ancestry.h"
#include "tests/support/data.h"

namespace headrace {
namespace {

using testing::DataDirectory;
using testing::DecodedBlock;
using testing::ReadFileBytes;
using testing::VectorAncestry;

// Blocks framed by magic and length.
std::vector<std::vector<uint8_t>> ReadFramedBlocks(const std::string& name) {
  const std::vector<uint8_t> file = ReadFileBytes(DataDirectory() + name);
  std::vector<std::vector<uint8_t>> blocks;
  ByteReader reader(file);
  while (reader.ok() && reader.remaining() > 0) {
    reader.U32();
    const ByteSpan raw = reader.Bytes(reader.U32());
    if (reader.ok()) blocks.emplace_back(raw.begin(), raw.end());
  }
  EXPECT_TRUE(reader.ok()) << name;
  return blocks;
}

BlockContext ModernContext(uint32_t height, const BlockHeader& header) {
  BlockContext context;
  context.height = height;
  context.median_time_past = context.lock_time_cutoff = header.time_s - 3600;
  context.bip34 = context.csv = context.segwit = true;
  context.script_flags = kVerifyP2sh | kVerifyWitness | kVerifyTaproot;
  return context;
}

TEST(RealBlocks, FullBlocksOf2024PassTheRulesWithoutCoins) {
  HR_NEEDS_DATA("mainnet/blocks-831328-831335.dat");
  const ChainParams& params = ParamsFor(ChainId::kMain);
  uint32_t height = 831'328;
  uint32_t cases = 0;
  for (auto& raw : ReadFramedBlocks("/mainnet/blocks-831328-831335.dat")) {
    DecodedBlock block(std::move(raw));
    EXPECT_EQ(CheckBlock(block.columns, params).RejectReason(), "") << height;
    const BlockContext context = ModernContext(height, block.columns.header);
    EXPECT_EQ(CheckBlockContext(block.columns, context).RejectReason(), "") << height;
    BlockContext wrong_height = context;
    ++wrong_height.height;
    EXPECT_EQ(CheckBlockContext(block.columns, wrong_height).RejectReason(), "bad-cb-height") << height;
    // A byte of the last wtxid: as if a witness had been altered.
    block.columns.wtxid.back().bytes[0] ^= 1;
    EXPECT_EQ(CheckBlockContext(block.columns, context).RejectReason(), "bad-witness-merkle-match") << height;
    block.columns.txid.back().bytes[0] ^= 1;
    EXPECT_EQ(CheckBlock(block.columns, params).RejectReason(), "bad-txnmrklroot") << height;
    ++height;
    ++cases;
  }
  EXPECT_GT(cases, 0u);
  std::cout << cases << " blocks\n";
}

TEST(RealBlocks, SingleBlocksPassTheRulesWithoutCoins) {
  uint32_t cases = 0;
  if (DataDirectory().empty()) GTEST_SKIP() << "needs outside data: *.raw under $HEADRACE_DATA";
  for (const std::string& path : testing::DataFilesEndingWith(".raw")) {
    const size_t at = path.find("/block-");
    if (at == std::string::npos) continue;
    const bool is_main = path.find("mainnet") != std::string::npos;
    const ChainParams& params = ParamsFor(is_main ? ChainId::kMain : ChainId::kTestnet3);
    const uint32_t height = static_cast<uint32_t>(std::stoul(path.substr(at + 7)));
    const DecodedBlock block(ReadFileBytes(path));
    EXPECT_EQ(CheckBlock(block.columns, params).RejectReason(), "") << path;
    BlockContext context = ModernContext(height, block.columns.header);
    context.segwit = height >= params.segwit_height;
    EXPECT_EQ(CheckBlockContext(block.columns, context).RejectReason(), "") << path;
    ++cases;
  }
  EXPECT_GT(cases, 0u);
  std::cout << cases << " blocks\n";
}

// The prevouts' heights are not known: they are old and no coinbases, as far as the rules are asked.
TEST(RealBlocks, BlocksWithPrevoutsPassTheSpendingRules) {
  uint32_t cases = 0;
  if (DataDirectory().empty()) GTEST_SKIP() << "needs outside data: *.prevouts under $HEADRACE_DATA";
  for (const std::string& path : testing::DataFilesEndingWith(".prevouts")) {
    const std::string stem = path.substr(0, path.size() - std::string(".prevouts").size());
    const uint32_t height = static_cast<uint32_t>(std::stoul(stem.substr(stem.find("/block-") + 7)));
    const bool is_main = path.find("mainnet") != std::string::npos;
    const ChainParams& params = ParamsFor(is_main ? ChainId::kMain : ChainId::kTestnet3);
    const DecodedBlock block(ReadFileBytes(stem + ".raw"));
    const std::vector<uint8_t> prevouts = ReadFileBytes(path);
    std::vector<Coin> spent(1);
    ByteReader reader(prevouts);
    while (reader.ok() && reader.remaining() > 0) {
      Coin coin;
      coin.amount = static_cast<Amount>(reader.U64());
      coin.script = reader.VarBytes();
      spent.push_back(coin);
    }
    ASSERT_TRUE(reader.ok()) << path;
    ASSERT_EQ(spent.size(), block.columns.input_count()) << path;
    BlockContext context = ModernContext(height, block.columns.header);
    const VectorAncestry chain = VectorAncestry::Even(12, 1'000'000'000, 600, 0);
    Amount fees = 0;
    EXPECT_EQ(CheckBlockSpends(block.columns, spent, context, chain, params, &fees).RejectReason(), "") << path;
    EXPECT_GE(fees, 0);
    // The coinbase may not take a satoshi more than there is.
    Amount paid = 0;
    for (uint32_t output = 0; output < block.columns.transaction(0).output_count(); ++output) {
      paid += block.columns.transaction(0).amount(output);
    }
    const Amount unclaimed = fees + Subsidy(height, params) - paid;
    EXPECT_GE(unclaimed, 0) << path;
    spent[1].amount -= unclaimed + 1;
    EXPECT_FALSE(CheckBlockSpends(block.columns, spent, context, chain, params, &fees).ok()) << path;
    ++cases;
  }
  EXPECT_GT(cases, 0u);
  std::cout << cases << " blocks\n";
}

TEST(RealBlocks, HeadersFollowEachOthersDifficulty) {
  HR_NEEDS_DATA("mainnet/headers-822528-830592.bin");
  const std::vector<uint8_t> file = ReadFileBytes(DataDirectory() + "/mainnet/headers-822528-830592.bin");
  const ChainParams& params = ParamsFor(ChainId::kMain);
  constexpr uint32_t kFirstHeight = 822'528;
  ASSERT_EQ(kFirstHeight % params.difficulty_interval(), 0u);
  const uint32_t count = static_cast<uint32_t>(file.size() / BlockHeader::kSerializedBytes);
  uint32_t retargets = 0;
  // Heights count from the first header: it begins a period, so the boundaries fall alike.
  VectorAncestry chain;
  BlockHeader previous;
  for (uint32_t i = 0; i < count; ++i) {
    const BlockHeader header = BlockHeader::Load(&file[i * BlockHeader::kSerializedBytes]);
    ASSERT_TRUE(CheckProofOfWork(header.Hash(), header.bits, params)) << i;
    if (i > 0) {
      ASSERT_EQ(header.previous, previous.Hash()) << i;
      ASSERT_EQ(RequiredBits(chain, header.time_s, params), header.bits) << i;
      ASSERT_TRUE(IsPermittedTransition(kFirstHeight + i, previous.bits, header.bits, params)) << i;
      if (i >= kMedianTimeSpan) {
        ASSERT_GT(header.time_s, MedianTimePast(chain, i - 1)) << i;
      }
      retargets += header.bits != previous.bits;
    }
    chain.Push({header.time_s, header.bits, header.version});
    previous = header;
  }
  EXPECT_GT(count, 0u);
  std::cout << count << " headers, " << retargets << " retargets\n";
}

}  // namespace
}  // namespace headrace
