// Nodes behind a SOCKS5 proxy, and what the proxy hears.
#include <gmock/gmock.h>

#include "net/discovery/dns_seeds.h"
#include "tests/interop/finding_node.h"
#include "tests/interop/socks5_server.h"

namespace headrace::testing {
namespace {

using ::testing::IsEmpty;

constexpr char kPeerOnion[] = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion";

uint16_t PortOf(const FindingNode& node) {
  return static_cast<uint16_t>(std::stoi(node.address().substr(node.address().rfind(':') + 1)));
}

TEST(ProxyTest, ANamedPeerIsReachedByItsName) {
  for (const bool wants_password : {false, true}) {
    FindingNode peer;
    peer.Start({"-connect=0"});
    Socks5Server proxy({{"node.invalid:18444", PortOf(peer)}}, wants_password);
    FindingNode node;
    node.Start({"-proxy=" + proxy.address(), "-connect=node.invalid"});
    EXPECT_TRUE(node.FindsPeer("manual", "node.invalid:18444", 60)) << node.node().process().Everything();
    EXPECT_EQ(proxy.Asked(), std::set<std::string>{"node.invalid:18444"});
    EXPECT_EQ(proxy.Users().size(), wants_password ? 1u : 0u);
    EXPECT_EQ(node.node().Stop(), 0);
    EXPECT_EQ(peer.node().Stop(), 0);
  }
}

// Everything over onions: a seed node tells of itself by the name that it was given, and is dialled by it.
TEST(ProxyTest, WithOnlyOnionsPeersAreFoundAmongThem) {
  FindingNode peer;
  peer.Start({"-externalip=" + std::string(kPeerOnion) + ":18444", "-dnsseed=0"});
  Socks5Server proxy({{std::string(kPeerOnion) + ":18444", PortOf(peer)}}, true);
  FindingNode node;
  node.Start({"-proxy=" + proxy.address(), "-onlynet=onion", "-seednode=" + std::string(kPeerOnion)});
  EXPECT_TRUE(node.FindsPeer("outbound-full-relay", std::string(kPeerOnion) + ":18444", 60)) << node.node().process().Everything();
  EXPECT_EQ(proxy.Asked(), std::set<std::string>{std::string(kPeerOnion) + ":18444"});
  const std::vector<std::string> users = proxy.Users();
  EXPECT_EQ(std::set<std::string>(users.begin(), users.end()).size(), users.size()) << "connections are kept apart";
  EXPECT_EQ(node.Value({"getaddrmaninfo"})["onion"]["tried"], 1);
  const Json info = node.Value({"getnetworkinfo"});
  for (const Json& network : info["networks"]) {
    EXPECT_EQ(network["reachable"], network["name"] == "onion") << network["name"];
    EXPECT_EQ(network["proxy"], proxy.address());
  }
  EXPECT_EQ(WriteJson(peer.Value({"getnetworkinfo"})["localaddresses"]),
            R"([{"address":")" + std::string(kPeerOnion) + R"(","port":18444,"score":4}])");
  for (FindingNode* one : {&node, &peer}) EXPECT_EQ(one->node().Stop(), 0) << one->node().process().Everything();
}

TEST(ProxyTest, DnsSeedsAreAskedForThroughItAlone) {
  Socks5Server proxy({}, false);
  FindingNode node("main");
  node.Start({"-proxy=" + proxy.address()});
  std::set<std::string> expected;
  for (const std::string& name : DnsSeedsOf("main")) expected.insert(name + ":8333");
  EXPECT_TRUE(FindingNode::Within(60, [&] { return proxy.Asked() == expected; })) << node.node().process().Everything();
  EXPECT_THAT(node.Value({"getnodeaddresses", "0"}), IsEmpty());
  EXPECT_EQ(node.node().Stop(), 0) << node.node().process().Everything();
}

}  // namespace
}  // namespace headrace::testing
