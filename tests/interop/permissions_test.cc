// -whitelist, -whitebind and -maxuploadtarget of real nodes, and what JSON-RPC says of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/wire/commands.h"
#include "tests/interop/loopback_peer.h"
#include "tests/interop/rpc_node.h"

namespace headrace::testing {
namespace {

using ::testing::HasSubstr;

// Two weeks of blocks ten minutes apart: a week and some megabytes of them are history.
constexpr uint32_t kBlocks = 2'000;

class PermissionsTest : public ::testing::Test {
 protected:
  void StartOnChain(std::vector<std::string> options) {
    const std::string chain = directory_.File("chain.dat");
    const ProgramResult made =
        RunProgram({Program("headrace-chaingen"), "--output=" + chain, "--blocks=" + std::to_string(kBlocks),
                    "--transactions-per-block=8", "--seed=4"},
                   120);
    ASSERT_EQ(made.status, 0) << made.output << made.errors;
    options.push_back("-loadblock=" + chain);
    server_.Start(options);
    ASSERT_TRUE(server_.WaitForHeight(kBlocks, 120)) << server_.node().process().Everything();
  }
  // As JSON, of the peer that calls itself so; nothing while there is none.
  Json PermissionsOf(const std::string& address_start) {
    for (const Json& peer : server_.Value({"getpeerinfo"})) {
      if (peer["addr"].get<std::string>().starts_with(address_start)) return peer["permissions"];
    }
    return Json();
  }

  TemporaryDirectory directory_;
  RpcNode server_;
};

TEST_F(PermissionsTest, AreGivenByRangeAndByListener) {
  const std::string door = "127.0.0.1:" + std::to_string(FreePort());
  server_.Start({"-whitelist=noban,addr@127.1.0.0/24", "-whitelist=127.1.1.0/24", "-whitebind=download@" + door});
  const auto port = static_cast<uint16_t>(std::stoul(door.substr(door.find(':') + 1)));
  // 127.1.0.1, 127.1.1.1 and 127.1.2.1 at the open door, and one at the other.
  LoopbackPeer gossip(0, server_.node().port()), trusted(200, server_.node().port()), other(400, server_.node().port());
  LoopbackPeer behind(600, port);
  for (LoopbackPeer* peer : {&gossip, &trusted, &other, &behind}) {
    ASSERT_TRUE(peer->Introduce());
    ASSERT_TRUE(peer->ReadUntil(commands::kVerack).has_value());
  }
  EXPECT_EQ(WriteJson(PermissionsOf("127.1.0.1:")), R"(["noban","download","addr"])");
  EXPECT_EQ(WriteJson(PermissionsOf("127.1.1.1:")), R"(["noban","relay","mempool","download"])");
  EXPECT_EQ(WriteJson(PermissionsOf("127.1.2.1:")), "[]");
  EXPECT_EQ(WriteJson(PermissionsOf("127.1.3.1:")), R"(["download"])");
  EXPECT_EQ(server_.node().Stop(), 0) << server_.node().process().Everything();
}

TEST_F(PermissionsTest, NearTheTargetOldBlocksAreForThoseWithPermissionAlone) {
  const std::string door = "127.0.0.1:" + std::to_string(FreePort());
  StartOnChain({"-maxuploadtarget=577m", "-whitebind=download@" + door});
  Json totals = server_.Value({"getnettotals"});
  EXPECT_EQ(totals["uploadtarget"]["target"], 577'000'000);
  EXPECT_EQ(totals["uploadtarget"]["timeframe"], 86'400);
  EXPECT_EQ(totals["uploadtarget"]["serve_historical_blocks"], true);
  EXPECT_EQ(totals["uploadtarget"]["bytes_left_in_cycle"], 577'000'000 - totals["totalbytessent"].get<int64_t>());
  EXPECT_GT(totals["timemillis"].get<int64_t>(), 1'600'000'000'000);

  RpcNode stranger;
  stranger.Start({"-connect=" + server_.node().address()});
  EXPECT_TRUE(server_.node().process().WaitForText("asks for an old block while -maxuploadtarget is near", 60))
      << server_.node().process().Everything();
  totals = server_.Value({"getnettotals"});
  EXPECT_EQ(totals["uploadtarget"]["serve_historical_blocks"], false);
  EXPECT_EQ(totals["uploadtarget"]["target_reached"], false);
  EXPECT_GT(totals["uploadtarget"]["time_left_in_cycle"].get<int64_t>(), 86'000);
  EXPECT_LT(std::stoul(stranger.Text({"getblockcount"})), kBlocks);
  EXPECT_EQ(stranger.node().Stop(), 0) << stranger.node().process().Everything();

  RpcNode known;
  known.Start({"-connect=" + door});
  EXPECT_TRUE(known.WaitForHeight(kBlocks, 120)) << known.node().process().Everything();
  EXPECT_EQ(known.node().Stop(), 0);
  EXPECT_EQ(server_.node().Stop(), 0) << server_.node().process().Everything();
}

}  // namespace
}  // namespace headrace::testing
