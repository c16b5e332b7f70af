// What an operator gets wrong: one sentence on stderr that begins with "Error: ", exit status 1, and nothing lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/interop/node_process.h"
#include "tests/support/data.h"

namespace headrace::testing {
namespace {

namespace fs = std::filesystem;

constexpr uint32_t kHeight = 200;

class BadStartTest : public ::testing::Test {
 protected:
  // Starts a node that must refuse, and returns its sentence.
  static std::string Refusal(NodeProcess& node, const std::vector<std::string>& options) {
    const std::optional<int> status = node.RunToEnd(options, 60);
    EXPECT_EQ(status, 1) << node.process().Everything();
    const std::string errors = node.process().Errors();
    EXPECT_TRUE(errors.starts_with("Error: ")) << node.process().Everything();
    EXPECT_EQ(errors.find('\n'), errors.size() - 1) << "one line: " << errors;
    return errors;
  }

  // A directory with the start of the scripts chain in it, and the coins that are there.
  static nlohmann::json Fill(NodeProcess& node) {
    EXPECT_EQ(node.RunToEnd({"-connect=0", "-loadblock=" + ScriptsChainFile(), "-stopatheight=" + std::to_string(kHeight)}, 120), 0)
        << node.process().Everything();
    nlohmann::json coins = node.Coins();
    EXPECT_EQ(coins.value("height", 0u), kHeight);
    return coins;
  }

  // After the cause is gone: starts, stops where it was, and has the same coins.
  static void ExpectNothingLost(NodeProcess& node, const nlohmann::json& coins) {
    EXPECT_EQ(node.RunToEnd({"-connect=0", "-stopatheight=" + std::to_string(kHeight)}, 60), 0) << node.process().Everything();
    EXPECT_EQ(node.Coins(), coins);
  }
};

TEST_F(BadStartTest, WrongOption) {
  NodeProcess node("regtest");
  EXPECT_THAT(Refusal(node, {"-dbcahce=100"}), ::testing::HasSubstr("-dbcache"));
  EXPECT_THAT(Refusal(node, {"-port=http"}), ::testing::HasSubstr("-port=http"));
  EXPECT_THAT(Refusal(node, {"-loadblock=/nonexistent/blocks.dat", "-connect=0"}), ::testing::HasSubstr("/nonexistent/blocks.dat"));
}

TEST_F(BadStartTest, UnknownWayOfHashing) {
  NodeProcess node("regtest");
  ASSERT_EQ(setenv("HEADRACE_SHA256", "fastest", 1), 0);
  const std::string sentence = Refusal(node, {"-connect=0"});
  ASSERT_EQ(unsetenv("HEADRACE_SHA256"), 0);
  EXPECT_THAT(sentence, ::testing::HasSubstr("HEADRACE_SHA256=fastest"));
  EXPECT_THAT(sentence, ::testing::HasSubstr("portable"));
}

TEST_F(BadStartTest, PortInUse) {
  const OccupiedPort occupied;
  NodeProcess node("regtest");
  const std::string address = "127.0.0.1:" + std::to_string(occupied.port());
  EXPECT_THAT(Refusal(node, {"-listen=1", "-connect=0", "-bind=" + address}), ::testing::HasSubstr(std::to_string(occupied.port())));
}

TEST_F(BadStartTest, SecondProcessOnOneDirectory) {
  NodeProcess node("regtest");
  node.StartListening({});
  ASSERT_TRUE(node.WaitForHeight(0, 30)) << node.process().Everything();
  ChildProcess second({Program("headraced"), "-regtest", "-datadir=" + node.directory(), "-connect=0", "-listen=0"});
  EXPECT_EQ(second.WaitForExit(30), 1) << second.Everything();
  EXPECT_TRUE(second.Errors().starts_with("Error: ")) << second.Everything();
  EXPECT_EQ(second.Errors().find('\n'), second.Errors().size() - 1);
  EXPECT_EQ(node.Stop(), 0) << "the first one is undisturbed: " << node.process().Everything();
}

TEST_F(BadStartTest, DirectoryOfAnotherNetwork) {
  HR_NEEDS_DATA("regtest/scripts-chain.blocks.dat");
  NodeProcess regtest("regtest");
  const nlohmann::json coins = Fill(regtest);
  NodeProcess signet("signet");
  fs::create_directories(signet.directory());
  fs::remove_all(signet.network_directory());
  fs::rename(regtest.network_directory(), signet.network_directory());
  Refusal(signet, {"-connect=0"});
  fs::rename(signet.network_directory(), regtest.network_directory());
  ExpectNothingLost(regtest, coins);
}

TEST_F(BadStartTest, DirectoryWithForeignFiles) {
  NodeProcess node("regtest");
  const std::string foreign_file = node.network_directory() + "/blocks/blk00000.dat";
  fs::create_directories(fs::path(foreign_file).parent_path());
  const std::string content(5000, 'f');
  std::ofstream(foreign_file) << content;
  Refusal(node, {"-connect=0"});
  const std::vector<uint8_t> after = ReadFileBytes(foreign_file);
  EXPECT_EQ(std::string(after.begin(), after.end()), content) << "what is not ours stays as it was";
}

TEST_F(BadStartTest, TruncatedBlockFile) {
  HR_NEEDS_DATA("regtest/scripts-chain.blocks.dat");
  NodeProcess node("regtest");
  const nlohmann::json coins = Fill(node);
  const std::string block_file = node.network_directory() + "/blocks/blk00000.dat";
  const std::string kept = node.directory() + "/kept.dat";
  fs::copy_file(block_file, kept);
  fs::resize_file(block_file, 1000);
  EXPECT_THAT(Refusal(node, {"-connect=0"}), ::testing::HasSubstr("blk00000.dat"));
  fs::copy_file(kept, block_file, fs::copy_options::overwrite_existing);
  ExpectNothingLost(node, coins);
  // The remedy that the sentence names, with the whole file.
  for (const std::string remedy : {"-reindex-chainstate", "-reindex"}) {
    SCOPED_TRACE(remedy);
    EXPECT_EQ(node.RunToEnd({"-connect=0", remedy, "-stopatheight=" + std::to_string(kHeight)}, 60), 0) << node.process().Everything();
    EXPECT_EQ(node.Coins()["muhash"], coins["muhash"]);
    EXPECT_EQ(node.Summary().value("blocks", 0u), kHeight);
  }
}

}  // namespace
}  // namespace headrace::testing
