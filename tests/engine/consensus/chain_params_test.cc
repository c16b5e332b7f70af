#include "engine/consensus/chain_params.h"

#include <gtest/gtest.h>

#include "engine/consensus/check_block.h"
#include "tests/reference/block_builder.h"

namespace headrace {
namespace {

using testing::DecodedBlock;

constexpr ChainId kAll[] = {ChainId::kMain, ChainId::kTestnet3, ChainId::kTestnet4, ChainId::kSignet, ChainId::kRegtest};

TEST(ChainParams, GenesisBlocksHashToTheirNames) {
  for (const ChainId id : kAll) {
    const ChainParams& params = ParamsFor(id);
    const DecodedBlock genesis(GenesisBlock(params));
    EXPECT_EQ(genesis.columns.hash, params.genesis_hash) << params.name;
    const Verdict verdict = CheckBlock(genesis.columns, params);
    EXPECT_TRUE(verdict.ok()) << params.name << ": " << verdict.RejectReason();
  }
}

TEST(ChainParams, NamesLeadBack) {
  for (const ChainId id : kAll) EXPECT_EQ(ChainIdFromName(ParamsFor(id).name), id);
  EXPECT_FALSE(ChainIdFromName("testnet3"));
  EXPECT_FALSE(ChainIdFromName(""));
}

TEST(ChainParams, MagicAndPortsDiffer) {
  for (const ChainId a : kAll) {
    for (const ChainId b : kAll) {
      if (a == b) continue;
      EXPECT_NE(ParamsFor(a).message_magic, ParamsFor(b).message_magic);
      EXPECT_NE(ParamsFor(a).default_port, ParamsFor(b).default_port);
      EXPECT_NE(ParamsFor(a).default_rpc_port, ParamsFor(b).default_rpc_port);
      EXPECT_NE(ParamsFor(a).genesis_hash, ParamsFor(b).genesis_hash);
    }
  }
}

TEST(ChainParams, SignetMagicFollowsFromTheChallenge) {
  EXPECT_EQ(ParamsFor(ChainId::kSignet).message_magic, (std::array<uint8_t, 4>{0x0a, 0x03, 0xcf, 0x40}));
  const ChainParams own = SignetParams({0x51});
  EXPECT_NE(own.message_magic, ParamsFor(ChainId::kSignet).message_magic);
  EXPECT_EQ(own.genesis_hash, ParamsFor(ChainId::kSignet).genesis_hash);
  EXPECT_TRUE(own.minimum_chain_work.IsZero());
  EXPECT_TRUE(own.assume_valid.IsZero());
}

TEST(ChainParams, DifficultyPeriodsAreWhole) {
  for (const ChainId id : kAll) {
    const ChainParams& params = ParamsFor(id);
    EXPECT_EQ(params.difficulty_interval(), id == ChainId::kRegtest ? 144u : 2016u);
    EXPECT_EQ(params.target_timespan_s % params.target_spacing_s, 0);
  }
}

TEST(ChainParamsTest, AddressesAreThoseOfTheNetwork) {
  struct Row {
    ChainId id;
    std::string key_hash;
    std::string witness;
  };
  const std::string key_hash_of_tests = "mfWxJ45yp2SFn7UciZyNpvDKrzbhyfKrY8";
  for (const Row& row : {Row{ChainId::kMain, "1111111111111111111114oLvT2", "bc1q"}, Row{ChainId::kTestnet3, key_hash_of_tests, "tb1q"},
                         Row{ChainId::kTestnet4, key_hash_of_tests, "tb1q"}, Row{ChainId::kSignet, key_hash_of_tests, "tb1q"},
                         Row{ChainId::kRegtest, key_hash_of_tests, "bcrt1q"}}) {
    const ChainParams& params = ParamsFor(row.id);
    SCOPED_TRACE(std::string(params.name));
    std::vector<uint8_t> script = {0x76, 0xa9, 20};
    script.resize(23);
    script.insert(script.end(), {0x88, 0xac});
    EXPECT_EQ(EncodeAddress(script, params.address), row.key_hash);
    std::vector<uint8_t> program = {0x00, 20};
    program.resize(22);
    EXPECT_TRUE(EncodeAddress(program, params.address).value_or("").starts_with(row.witness));
  }
}

}  // namespace
}  // namespace headrace
