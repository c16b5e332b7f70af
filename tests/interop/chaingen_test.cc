// Chains of headrace-chaingen: the same seed gives the same bytes, and a node that syncs one in full ends on the unspent
// set that the generator says. Needs no outside data.
#include <gtest/gtest.h>

#include "tests/interop/node_process.h"
#include "tests/support/data.h"
#include "tests/support/temporary_directory.h"

namespace headrace::testing {
namespace {

constexpr uint32_t kBlocks = 250;

std::string Generate(const TemporaryDirectory& directory, const std::string& name, int seed) {
  const std::string file = directory.path() + "/" + name;
  const ProgramResult result = RunProgram({Program("headrace-chaingen"), "--output=" + file + ".dat", "--blocks=" + std::to_string(kBlocks),
                                           "--transactions-per-block=20", "--seed=" + std::to_string(seed),
                                           "--expected=" + file + ".json"}, 120);
  EXPECT_EQ(result.status, 0) << result.output << result.errors;
  return file;
}

TEST(ChaingenTest, SeedDecidesTheBytes) {
  const TemporaryDirectory directory;
  const std::vector<uint8_t> first = ReadFileBytes(Generate(directory, "first", 7) + ".dat");
  EXPECT_FALSE(first.empty());
  EXPECT_TRUE(first == ReadFileBytes(Generate(directory, "again", 7) + ".dat"));
  EXPECT_FALSE(first == ReadFileBytes(Generate(directory, "other", 8) + ".dat"));
}

TEST(ChaingenTest, ANodeEndsOnTheExpectedSet) {
  const TemporaryDirectory directory;
  const std::string chain = Generate(directory, "chain", 42);
  const nlohmann::json expected = ReadJson(chain + ".json");
  NodeProcess seed("regtest");
  seed.StartListening({"-loadblock=" + chain + ".dat"});
  ASSERT_TRUE(seed.WaitForHeight(kBlocks, 120)) << seed.process().Everything();
  NodeProcess node("regtest");
  ASSERT_EQ(node.RunToEnd({"-connect=" + seed.address(), "-stopatheight=" + std::to_string(kBlocks)}, 120), 0)
      << node.process().Everything();
  EXPECT_EQ(seed.Stop(), 0) << seed.process().Everything();
  for (const NodeProcess* each : {&seed, &node}) {
    const nlohmann::json coins = each->Coins();
    for (const char* field : {"height", "bestblock", "txouts", "hash_serialized_3", "muhash"}) {
      ASSERT_TRUE(expected.contains(field)) << field;
      EXPECT_EQ(coins.value(field, nlohmann::json()), expected[field]) << field;
    }
  }
  EXPECT_GT(node.Summary().value("scripts_verified", 0u), kBlocks);
}

}  // namespace
}  // namespace headrace::testing
