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

// Runs the generator into a folder of block files; returns what it expects.
nlohmann::json GenerateFolder(const TemporaryDirectory& directory, std::vector<std::string> options) {
  const std::string facts = directory.File("facts.json");
  options.insert(options.begin(), {Program("headrace-chaingen"), "--output-dir=" + directory.File("blocks"),
                                   "--expected=" + facts});
  const ProgramResult result = RunProgram(options, 300);
  EXPECT_EQ(result.status, 0) << result.output << result.errors;
  EXPECT_NE(result.output.find(" bare-inputs/cpu-second="), std::string::npos) << result.output;
  const nlohmann::json expected = ReadJson(facts);
  EXPECT_NE(result.output.find(" hash_serialized_3=" + expected.value("hash_serialized_3", "?") + "\n"), std::string::npos)
      << result.output;
  return expected;
}

// Imports the folder's only file in full and holds the node's coins to the facts.
void ExpectNodeAgrees(const TemporaryDirectory& directory, const nlohmann::json& expected, NodeProcess& node,
                      std::vector<std::string> options = {}) {
  options.insert(options.end(), {"-loadblock=" + directory.File("blocks/blk00000.dat"), "-connect=0",
                                 "-stopatheight=" + std::to_string(expected.value("height", 0))});
  ASSERT_EQ(node.RunToEnd(options, 300), 0) << node.process().Everything();
  const nlohmann::json coins = node.Coins();
  for (const char* field : {"height", "bestblock", "txouts", "hash_serialized_3", "muhash"}) {
    EXPECT_EQ(coins.value(field, nlohmann::json()), expected[field]) << field;
  }
}

TEST(ChaingenTest, ANodeAcceptsEveryErasChain) {
  for (const char* era : {"2012", "2017", "2024"}) {
    const TemporaryDirectory directory;
    const nlohmann::json expected = GenerateFolder(directory, {std::string("--era=") + era, "--blocks=160",
                                                               "--transactions-per-block=60", "--seed=3"});
    NodeProcess node("regtest");
    ExpectNodeAgrees(directory, expected, node);
    if (HasFatalFailure()) return;
    EXPECT_GT(expected.value("inputs", 0u), 2000u);
    EXPECT_EQ(node.Summary().value("scripts_verified", 0u), expected.value("inputs", 0u)) << era;
    uint64_t spent = 0;
    for (const auto& [script, count] : expected["inputs_by_script"].items()) spent += count.get<uint64_t>();
    EXPECT_EQ(spent, expected.value("inputs", 0u)) << era;
  }
}

// Two weeks of work at one block in ten minutes are 2016 blocks; one more must stand above the named block. A rebuilt
// index has forgotten whose scripts were verified before.
TEST(ChaingenTest, ATailLetsAssumevalidApply) {
  constexpr uint64_t kTwoWeeksBlocks = 2016;
  for (const bool is_long_enough : {false, true}) {
    // A few blocks short, so that some of the blocks that are too recent spend something.
    const uint64_t tail = is_long_enough ? kTwoWeeksBlocks + 1 : kTwoWeeksBlocks - 8;
    const TemporaryDirectory directory;
    const nlohmann::json expected =
        GenerateFolder(directory, {"--blocks=" + std::to_string(120 + tail), "--tail-blocks=" + std::to_string(tail),
                                   "--transactions-per-block=20"});
    NodeProcess node("regtest");
    ExpectNodeAgrees(directory, expected, node);
    if (HasFatalFailure()) return;
    const std::string assume_valid = "-assumevalid=" + expected.value("beforetail", "");
    ExpectNodeAgrees(directory, expected, node, {"-reindex", assume_valid});
    // Files are imported headers first, so the tail is known before the first block.
    NodeProcess importer("regtest");
    ExpectNodeAgrees(directory, expected, importer, {assume_valid});
    if (HasFatalFailure()) return;
    const uint64_t inputs = expected.value("inputs", uint64_t{0});
    EXPECT_GT(inputs, 100u);
    for (NodeProcess* assuming : {&node, &importer}) {
      const uint64_t skipped = assuming->Summary().value("scripts_skipped", uint64_t{0});
      if (is_long_enough) {
        EXPECT_EQ(skipped, inputs);
      } else {
        EXPECT_GT(skipped, 0u);
        EXPECT_LT(skipped, inputs) << "the last blocks before the tail are too recent";
      }
      EXPECT_EQ(assuming->Summary().value("scripts_verified", uint64_t{0}), inputs - skipped);
    }
  }
}

}  // namespace
}  // namespace headrace::testing
