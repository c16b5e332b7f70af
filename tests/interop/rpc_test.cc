// JSON-RPC end to end: a real headraced, called through a real headrace-cli over loopback.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>

#include "engine/base/hex.h"
#include "net/rpc/method_table.h"
#include "net/rpc/rpc_authentication.h"
#include "tests/interop/rpc_node.h"
#include "tests/reference/plain_snapshot.h"
#include "tests/support/data.h"

namespace headrace::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr uint32_t kBlocks = 150;

// A chain of headrace-chaingen: its file, and what its maker says about it.
struct GeneratedChain {
  explicit GeneratedChain(const TemporaryDirectory& directory) : file(directory.File("chain.dat")) {
    const std::string facts = directory.File("chain.json");
    const ProgramResult result =
        RunProgram({Program("headrace-chaingen"), "--output=" + file, "--blocks=" + std::to_string(kBlocks),
                    "--transactions-per-block=10", "--seed=9", "--expected=" + facts},
                   120);
    EXPECT_EQ(result.status, 0) << result.output << result.errors;
    expected = ReadJson(facts);
  }
  std::string file;
  nlohmann::json expected;
};

class RpcTest : public ::testing::Test {
 protected:
  void StartOnGeneratedChain() {
    chain_.emplace(directory_);
    node_.Start({"-loadblock=" + chain_->file});
    ASSERT_TRUE(node_.WaitForHeight(kBlocks, 60)) << node_.node().process().Everything();
  }

  TemporaryDirectory directory_;
  std::optional<GeneratedChain> chain_;
  RpcNode node_;
};

std::string Word(const Json& object, const char* name) {
  return object.contains(name) ? object[name].get<std::string>() : std::string();
}
int64_t Number(const Json& object, const char* name) {
  return object.contains(name) ? object[name].get<int64_t>() : -1000;
}

TEST_F(RpcTest, Chain) {
  StartOnGeneratedChain();
  const std::string best = chain_->expected["bestblock"].get<std::string>();
  EXPECT_EQ(node_.Text({"getblockcount"}), std::to_string(kBlocks));
  EXPECT_EQ(node_.Text({"getbestblockhash"}), best);
  EXPECT_EQ(node_.Text({"getblockhash", std::to_string(kBlocks)}), best);
  EXPECT_EQ(node_.Text({"getblockhash", "0"}), "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206");
  EXPECT_EQ(node_.Text({"getdifficulty"}), "4.656542373906925e-10");
  const Json info = node_.Value({"getblockchaininfo"});
  EXPECT_EQ(Word(info, "chain"), "regtest");
  EXPECT_EQ(Number(info, "blocks"), kBlocks);
  EXPECT_EQ(Number(info, "headers"), kBlocks);
  EXPECT_EQ(Word(info, "bestblockhash"), best);
  EXPECT_EQ(Word(info, "bits"), "207fffff");
  EXPECT_EQ(Word(info, "target"), "7fffff" + std::string(58, '0'));
  EXPECT_EQ(Word(info, "chainwork").size(), 64u);
  EXPECT_EQ(WriteJson(info["difficulty"]), "4.656542373906925e-10");
  EXPECT_GT(Number(info, "size_on_disk"), 0);
  EXPECT_TRUE(info["initialblockdownload"].is_boolean());
  EXPECT_EQ(node_.Text({"getchaintips"}), "[\n  {\n    \"height\": 150,\n    \"hash\": \"" + best +
                                              "\",\n    \"branchlen\": 0,\n    \"status\": \"active\"\n  }\n]");

  EXPECT_EQ(node_.Error({"getblockhash", "151"}), "-8 Block height out of range");
  EXPECT_EQ(node_.Error({"getblockhash", "-1"}), "-8 Block height out of range");
  EXPECT_THAT(node_.Error({"getblockhash"}), StartsWith("-1 getblockhash height\n\n"));
  EXPECT_THAT(node_.Error({"getblockhash", "\"5\""}), StartsWith("-3 Wrong type passed:\n"));
  EXPECT_EQ(node_.Error({"-named", "getblockhash", "args=[1]", "height=1"}),
            "-8 Parameter height specified twice both as positional and named argument");
  EXPECT_EQ(node_.Error({"nosuchmethod"}), "-32601 Method not found");
}

TEST_F(RpcTest, BlocksAndHeaders) {
  StartOnGeneratedChain();
  const std::string hash = node_.Text({"getblockhash", "149"});
  const std::string hex = node_.Text({"getblock", hash, "0"});
  const std::string header_hex = node_.Text({"getblockheader", hash, "false"});
  EXPECT_EQ(hex.substr(0, 160), header_hex);
  const std::vector<uint8_t> file = ReadFileBytes(chain_->file);
  const std::string file_hex = HexEncode(file);
  EXPECT_NE(file_hex.find(hex), std::string::npos) << "the bytes that went in";

  const Json header = node_.Value({"getblockheader", hash});
  const Json block = node_.Value({"-named", "getblock", "blockhash=" + hash, "verbosity=1"});
  EXPECT_EQ(Word(header, "hash"), hash);
  EXPECT_EQ(Number(header, "confirmations"), 2);
  EXPECT_EQ(Number(header, "height"), 149);
  EXPECT_EQ(Word(header, "previousblockhash"), node_.Text({"getblockhash", "148"}));
  EXPECT_EQ(Word(header, "nextblockhash"), node_.Text({"getbestblockhash"}));
  for (const auto& [name, value] : header.items()) EXPECT_EQ(block[name], value) << name;
  EXPECT_EQ(block["tx"].size(), static_cast<size_t>(Number(header, "nTx")));
  EXPECT_EQ(static_cast<size_t>(Number(block, "size")), hex.size() / 2);
  EXPECT_EQ(Number(block, "weight"), 3 * Number(block, "strippedsize") + Number(block, "size"));
  EXPECT_EQ(Word(block["coinbase_tx"], "witness"), std::string(64, '0'));
  EXPECT_FALSE(Word(block["coinbase_tx"], "coinbase").empty());

  const Json genesis = node_.Value({"getblock", node_.Text({"getblockhash", "0"})});
  EXPECT_EQ(Number(genesis, "confirmations"), 151);
  EXPECT_FALSE(genesis.contains("previousblockhash"));
  EXPECT_EQ(genesis["tx"][0], "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b");

  const std::string unknown(64, '1');
  EXPECT_EQ(node_.Error({"getblock", unknown}), "-5 Block not found");
  EXPECT_EQ(node_.Error({"getblockheader", unknown}), "-5 Block not found");
  EXPECT_EQ(node_.Error({"getblock", "00"}), "-8 blockhash must be of length 64 (not 2, for '00')");
  EXPECT_EQ(node_.Error({"getblockheader", "00"}), "-8 hash must be of length 64 (not 2, for '00')");
  EXPECT_THAT(node_.Error({"getblock", hash, "2"}), StartsWith("-8 This version"));
}

TEST_F(RpcTest, Coins) {
  StartOnGeneratedChain();
  const Json block = node_.Value({"getblock", node_.Text({"getbestblockhash"})});
  const std::string txid = block["tx"][0].get<std::string>();
  const Json output = node_.Value({"gettxout", txid, "0"});
  EXPECT_EQ(Word(output, "bestblock"), Word(block, "hash"));
  EXPECT_EQ(Number(output, "confirmations"), 1);
  EXPECT_TRUE(output["coinbase"].get<bool>());
  // Half the subsidy since height 150, and fees: a number with exactly eight decimals.
  const std::string value = WriteJson(output["value"]);
  EXPECT_THAT(value, StartsWith("25."));
  EXPECT_EQ(value.size() - value.find('.'), 9u) << value;
  const Json& script = output["scriptPubKey"];
  for (const char* field : {"asm", "hex", "type"}) EXPECT_FALSE(Word(script, field).empty()) << field;

  EXPECT_EQ(node_.Text({"gettxout", txid, "1000"}), "") << "null prints nothing";
  EXPECT_EQ(node_.Text({"gettxout", std::string(64, '1'), "0", "false"}), "");
  EXPECT_EQ(node_.Error({"gettxout", txid, "-1"}), "-1 JSON integer out of range");

  const Json set = node_.Value({"gettxoutsetinfo"});
  EXPECT_EQ(Word(set, "hash_serialized_3"), chain_->expected["hash_serialized_3"].get<std::string>());
  EXPECT_FALSE(set.contains("muhash"));
  EXPECT_EQ(Word(node_.Value({"gettxoutsetinfo", "muhash"}), "muhash"), chain_->expected["muhash"].get<std::string>());
  const Json none = node_.Value({"gettxoutsetinfo", "none"});
  EXPECT_FALSE(none.contains("muhash") || none.contains("hash_serialized_3"));
  EXPECT_EQ(Number(none, "txouts"), chain_->expected["txouts"].get<int64_t>());
  EXPECT_EQ(node_.Error({"gettxoutsetinfo", "none", "5"}),
            "-8 Querying specific block heights requires coinstatsindex");
  EXPECT_EQ(node_.Error({"gettxoutsetinfo", "md5"}), "-8 'md5' is not a valid hash_type");
}

TEST_F(RpcTest, Snapshots) {
  StartOnGeneratedChain();
  const std::string path = directory_.File("set.dat");
  const Json answer = node_.Value({"dumptxoutset", path, "latest"});
  EXPECT_EQ(Word(answer, "path"), path);
  EXPECT_EQ(Word(answer, "base_hash"), chain_->expected["bestblock"].get<std::string>());
  EXPECT_EQ(Number(answer, "base_height"), kBlocks);
  EXPECT_EQ(Number(answer, "coins_written"), chain_->expected["txouts"].get<int64_t>());
  EXPECT_EQ(Word(answer, "txoutset_hash"), chain_->expected["hash_serialized_3"].get<std::string>());
  EXPECT_GT(Number(answer, "nchaintx"), kBlocks);
  const PlainSnapshot snapshot(ReadFileBytes(path));
  EXPECT_EQ(snapshot.base.ToHex(), Word(answer, "base_hash"));
  EXPECT_EQ(snapshot.magic, 0xdab5bffau);
  EXPECT_EQ(static_cast<int64_t>(snapshot.coin_count), Number(answer, "coins_written"));

  // A path that is not absolute begins at the network's data directory.
  const std::string inside = Word(node_.Value({"dumptxoutset", "inside.dat", "latest"}), "path");
  EXPECT_THAT(inside, StartsWith("/"));
  EXPECT_THAT(inside, ::testing::EndsWith("/regtest/inside.dat"));
  EXPECT_EQ(ReadFileBytes(inside), ReadFileBytes(path)) << "the same set is the same file";

  EXPECT_THAT(node_.Error({"dumptxoutset", path, "latest"}), StartsWith("-8 " + path + " already exists"));
  EXPECT_EQ(ReadFileBytes(inside), ReadFileBytes(path));
  const std::string nowhere = directory_.File("none/set.dat");
  EXPECT_THAT(node_.Error({"dumptxoutset", nowhere, "latest"}),
              StartsWith("-8 Couldn't open file " + nowhere + ".incomplete for writing"));
  const std::string other = directory_.File("other.dat");
  EXPECT_EQ(node_.Error({"dumptxoutset", other, "bogus"}),
            "-8 Invalid snapshot type \"bogus\" specified. Please specify \"rollback\" or \"latest\"");
  EXPECT_THAT(node_.Error({"dumptxoutset", other}), StartsWith("-8 Invalid snapshot type \"\" specified"));
  EXPECT_THAT(node_.Error({"dumptxoutset", other, "rollback"}), StartsWith("-8 This version"));
  EXPECT_EQ(node_.Error({"dumptxoutset", "", "latest"}), "-8 A path is needed");
  EXPECT_FALSE(std::filesystem::exists(other));
  EXPECT_EQ(node_.node().Stop(), 0) << node_.node().process().Everything();
}

// The only peer, once a number of it is so much: what the engine knows about peers is published several times a second.
Json PeerWith(RpcNode& node, const char* name, int64_t number) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (true) {
    const Json peers = node.Value({"getpeerinfo"});
    if (peers.size() == 1 && Number(peers[0], name) == number) return peers[0];
    if (::testing::Test::HasFailure() || std::chrono::steady_clock::now() > deadline) {
      ADD_FAILURE() << name << " never became " << number << ": " << WriteJson(peers, 2);
      return Json::object();
    }
  }
}

TEST_F(RpcTest, Peers) {
  StartOnGeneratedChain();
  EXPECT_EQ(node_.Text({"getpeerinfo"}), "[\n]");
  RpcNode other;
  other.Start({"-connect=" + node_.node().address()});
  ASSERT_TRUE(other.WaitForHeight(kBlocks, 60)) << other.node().process().Everything();
  EXPECT_EQ(node_.Text({"getconnectioncount"}), "1");
  EXPECT_EQ(other.Text({"getconnectioncount"}), "1");
  const Json inbound = PeerWith(node_, "blocks_served", kBlocks);
  const Json outbound = PeerWith(other, "synced_blocks", kBlocks);
  EXPECT_TRUE(inbound["inbound"].get<bool>());
  EXPECT_FALSE(outbound["inbound"].get<bool>());
  EXPECT_EQ(Word(outbound, "addr"), node_.node().address());
  EXPECT_EQ(Word(outbound, "services"), "0000000000000009");
  EXPECT_EQ(WriteJson(outbound["servicesnames"]), R"(["NETWORK","WITNESS"])");
  EXPECT_THAT(Word(outbound, "subver"), StartsWith("/headrace:"));
  EXPECT_GT(Number(outbound, "bytesrecv"), Number(outbound, "bytessent"));
  EXPECT_EQ(Number(outbound, "startingheight"), kBlocks);
  EXPECT_EQ(Number(outbound, "synced_headers"), kBlocks);
  EXPECT_EQ(Number(outbound, "synced_blocks"), kBlocks);
  EXPECT_EQ(WriteJson(outbound["inflight"]), "[]");
  EXPECT_EQ(Number(outbound, "blocks_received"), kBlocks);
  EXPECT_EQ(Number(inbound, "blocks_served"), kBlocks);
  const Json network = node_.Value({"getnetworkinfo"});
  EXPECT_EQ(Number(network, "connections_in"), 1);
  EXPECT_EQ(Number(network, "connections_out"), 0);
  EXPECT_EQ(Number(network, "protocolversion"), 70016);
}

TEST_F(RpcTest, Control) {
  node_.Start();
  const std::string overview = node_.Text({"help"});
  EXPECT_THAT(overview, StartsWith("== Blockchain ==\n"));
  for (const RpcMethod& method : RpcMethods().methods()) {
    EXPECT_EQ(node_.Text({"help", std::string(method.name)}) + "\n", MethodHelp(method));
  }
  EXPECT_EQ(node_.Text({"help", "nosuch"}), "help: unknown command: nosuch");
  EXPECT_THAT(node_.Error({"help", "a", "b"}), StartsWith("-1 help ( \"command\" )\n"));
  EXPECT_LT(std::stoi(node_.Text({"uptime"})), 600);
  const Json info = node_.Value({"getrpcinfo"});
  EXPECT_EQ(Word(info["active_commands"][0], "method"), "getrpcinfo");
  EXPECT_EQ(Word(info, "logpath"), node_.node().network_directory() + "/debug.log");
  EXPECT_EQ(WriteJson(node_.Value({"echo", "1", "a b"})), R"(["1","a b"])");
  EXPECT_EQ(WriteJson(node_.Value({"-named", "echojson", "arg0=1", "arg3=[1.50,null]"})), "[1,null,null,[1.50,null]]");
  EXPECT_EQ(node_.Error({"-named", "echo", "args=[0]", "x"}), "-8 Parameter args specified multiple times");
  EXPECT_EQ(node_.Error({"-named", "echo", "args=[0]", "arg0=1"}),
            "-8 Parameter arg0 specified twice both as positional and named argument");
}

TEST_F(RpcTest, StopEndsTheNodeCleanly) {
  node_.Start();
  const std::string cookie = node_.node().network_directory() + "/.cookie";
  struct stat facts;
  ASSERT_EQ(stat(cookie.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0600u);
  EXPECT_EQ(node_.Text({"stop"}), "headrace stopping");
  EXPECT_EQ(node_.node().process().WaitForExit(60), 0) << node_.node().process().Everything();
  EXPECT_FALSE(std::filesystem::exists(cookie));
  const ProgramResult gone = node_.Cli({"getblockcount"});
  EXPECT_EQ(gone.status, 1);
  EXPECT_THAT(gone.errors, StartsWith("error: Could not connect to the server 127.0.0.1:"));
}

TEST_F(RpcTest, WhoMayCall) {
  const std::string hash = PasswordHmacHex("salt", "hashed");
  node_.Start({"-rpcauth=carol:salt$" + hash});
  EXPECT_EQ(node_.Text({"-rpcuser=carol", "-rpcpassword=hashed", "getblockcount"}), "0");
  const ProgramResult wrong = node_.Cli({"-rpcuser=carol", "-rpcpassword=salt", "getblockcount"});
  EXPECT_EQ(wrong.status, 1);
  EXPECT_THAT(wrong.errors, StartsWith("error: Authorization failed: Incorrect rpcuser or rpcpassword"));
  const ProgramResult lost = node_.Cli({"-rpccookiefile=elsewhere", "getblockcount"});
  EXPECT_EQ(lost.status, 1);
  EXPECT_THAT(lost.errors, HasSubstr("Failed to read cookie file"));
  EXPECT_EQ(node_.node().Stop(), 0);

  RpcNode plain;
  plain.node().StartListening({"-rpcuser=dave", "-rpcpassword=open:sesame", "-server=1"});
  EXPECT_EQ(
      plain.Text({"-rpcwait", "-rpcwaittimeout=60", "-rpcuser=dave", "-rpcpassword=open:sesame", "getblockcount"}),
      "0");
  EXPECT_FALSE(std::filesystem::exists(plain.node().network_directory() + "/.cookie"))
      << "a password makes the cookie needless";
  EXPECT_EQ(plain.node().Stop(), 0);
}

TEST_F(RpcTest, ServerOff) {
  node_.node().StartListening({"-server=0"});
  ASSERT_TRUE(node_.node().WaitForHeight(0, 30)) << node_.node().process().Everything();
  EXPECT_FALSE(std::filesystem::exists(node_.node().network_directory() + "/.cookie"));
  EXPECT_EQ(node_.Cli({"getblockcount"}).status, 1);
  EXPECT_EQ(node_.node().Stop(), 0);
}

TEST_F(RpcTest, PortInUse) {
  const OccupiedPort occupied;
  const std::string port = std::to_string(occupied.port());
  EXPECT_EQ(node_.node().RunToEnd({"-connect=0", "-listen=0", "-rpcport=" + port}, 30), 1);
  const std::string errors = node_.node().process().Errors();
  EXPECT_THAT(errors, StartsWith("Error: the RPC server cannot listen on 127.0.0.1:" + port));
  EXPECT_EQ(errors.find('\n'), errors.size() - 1) << "one sentence: " << errors;
  EXPECT_FALSE(std::filesystem::exists(node_.node().network_directory() + "/.cookie"));
}

}  // namespace
}  // namespace headrace::testing
