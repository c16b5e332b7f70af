// The end-to-end benchmark, tiny: every mode once over a short chain, what it reports, and that a wrong unspent set is
// an error. Times are looked at by nobody.
#include <gtest/gtest.h>

#include "tests/interop/node_process.h"
#include "tests/support/data.h"
#include "tests/support/temporary_directory.h"

namespace headrace::testing {
namespace {

constexpr uint32_t kBenchBlocks = 150;

class BenchSync : public ::testing::Test {
 protected:
  void SetUp() override {
    const ProgramResult made = RunProgram({Program("headrace-chaingen"), "--output-dir=" + directory_.File("chain"),
                                           "--expected=" + directory_.File("facts.json"), "--era=2024",
                                           "--blocks=" + std::to_string(kBenchBlocks), "--transactions-per-block=20"},
                                          120);
    ASSERT_EQ(made.status, 0) << made.errors;
    facts_ = ReadJson(directory_.File("facts.json"));
  }

  ProgramResult Bench(std::vector<std::string> options) {
    options.insert(options.begin(), {Program("bench_sync"), "--work=" + directory_.File("work"),
                                     "--json=" + directory_.File("report.json"), "--repetitions=1", "--dbcache=50"});
    return RunProgram(options, 120);
  }
  ProgramResult BenchChain(std::vector<std::string> options) {
    options.insert(options.end(),
                   {"--chain=" + directory_.File("chain"), "--expected=" + directory_.File("facts.json")});
    return Bench(options);
  }

  TemporaryDirectory directory_;
  nlohmann::json facts_;
};

TEST_F(BenchSync, EveryModeEndsOnTheExpectedSet) {
  const ProgramResult result = BenchChain({"--mode=ibd,import,reindex-chainstate", "--assumevalid=0", "--peers=2",
                                           "--vs=" + Program("headraced") + " -maxconnections=9"});
  ASSERT_EQ(result.status, 0) << result.output << result.errors;
  EXPECT_NE(result.output.find("times as fast as headraced-vs"), std::string::npos) << result.output;
  const nlohmann::json report = ReadJson(directory_.File("report.json"));
  ASSERT_EQ(report["rows"].size(), 6u);
  for (const nlohmann::json& row : report["rows"]) {
    ASSERT_EQ(row["runs"].size(), 1u);
    const nlohmann::json& run = row["runs"][0];
    EXPECT_TRUE(row.value("is_complete", false)) << row;
    EXPECT_FALSE(run.contains("error"));
    EXPECT_GE(run.value("durable_seconds", 0.0), run.value("reached_seconds", 1e9));
    EXPECT_GT(run.value("cpu_seconds", 0.0), 0);
    EXPECT_GT(run.value("rss_anon_bytes_max", 0u), 0u);
    EXPECT_GT(run["cpu_seconds_by_thread"].size(), 1u) << "threads are told apart by name";
    if (row["node"] == "headraced" && row["mode"] != "reindex-chainstate") {
      EXPECT_EQ(run.value("scripts_verified", 0u), facts_.value("inputs", 1u));
    }
    EXPECT_EQ(row.value("peers", 9u), row["mode"] == "ibd" ? 2u : 0u);
  }
  EXPECT_FALSE(std::filesystem::exists(directory_.File("work"))) << "data directories go";
}

TEST_F(BenchSync, AWrongUnspentSetIsAnError) {
  facts_["hash_serialized_3"] = std::string(64, '0');
  std::ofstream(directory_.File("facts.json")) << facts_;
  const ProgramResult result = BenchChain({"--mode=import", "--assumevalid=0"});
  EXPECT_EQ(result.status, 1) << result.output;
  EXPECT_NE(result.output.find("ERROR in run 1: the unspent set is "), std::string::npos) << result.output;
  const nlohmann::json report = ReadJson(directory_.File("report.json"));
  EXPECT_FALSE(report["rows"][0].value("is_complete", true));
  EXPECT_EQ(report["rows"][0]["median"].value("reached_seconds", 1.0), 0) << "counts in no median";
}

TEST_F(BenchSync, WrongOptionsAreRefusedWithASentence) {
  const auto error = [&](const std::vector<std::string>& options) {
    const ProgramResult result = BenchChain(options);
    EXPECT_EQ(result.status, 1) << options.front();
    EXPECT_TRUE(result.errors.starts_with("Error: ")) << result.errors;
    return result.errors;
  };
  EXPECT_NE(error({"--peers=0"}).find("--peers=0 is wrong: give a whole number from 1 to 16."), std::string::npos);
  EXPECT_NE(error({"--mode=fast"}).find("--mode=fast is wrong: give ibd, import or reindex-chainstate."),
            std::string::npos);
  EXPECT_NE(error({"--assumevalid=tale"}).find("--assumevalid=tale is wrong"), std::string::npos);
  EXPECT_NE(error({"--speed=1"}).find("There is no option --speed"), std::string::npos);
  EXPECT_NE(error({"peers"}).find("\"peers\" is no option"), std::string::npos);
  EXPECT_NE(error({"--vs=/no/such/node"}).find("/no/such/node cannot be run"), std::string::npos);
  // Somebody else's files are not for it to remove.
  std::filesystem::create_directory(directory_.File("work"));
  std::ofstream(directory_.File("work/letter")) << "dear";
  EXPECT_NE(error({"--mode=import"}).find("holds files of others"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(directory_.File("work/letter")));
  EXPECT_NE(Bench({"--peers=1"}).errors.find("Give --chain=PATH and --expected=FILE"), std::string::npos);
}

}  // namespace
}  // namespace headrace::testing
