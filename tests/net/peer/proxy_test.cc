// A hub behind a SOCKS5 proxy: who is reached through it, by which name, and what happens when it refuses.
#include <algorithm>
#include <string>
#include <vector>

#include "tests/net/peer/sim_hubs.h"

namespace headrace {
namespace {

using testing::SimHub;
using testing::SimSpeaker;
using Targets = std::vector<std::string>;

constexpr char kOnionName[] = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion";

class ProxyTest : public testing::SimHubsTest {
 protected:
  ProxyTest() { proxy_.as_proxy = SimSpeaker::AsProxy{}; }

  // One peer at a time: the proxy of this test speaks with no more.
  PeerHubOptions BehindProxy() {
    PeerHubOptions options = Finding();
    options.proxy = proxy_.address;
    options.discovery->outbound.full_relay_max = 1;
    options.discovery->outbound.block_relay_max = options.discovery->outbound.feelers_max = 0;
    options.discovery->outbound.networks |= NetworkBit(kNetworkTorV3);
    return options;
  }
  BookImage BookWith(const NodeAddress& node) {
    AddressBook book(true, clock_, entropy_);
    book.Add({node, kNodeNetwork | kNodeWitness, clock_.UnixSeconds()}, node, 0);
    return book.Export();
  }

  SimSpeaker& proxy_ = AddSpeaker(99);
};

TEST_F(ProxyTest, AddressesOfTheInternetAreReachedThroughIt) {
  SimSpeaker& host = AddSpeaker(1);
  SimHub& hub = AddHub(0, BehindProxy(), BookWith(NodeAddress::Of(host.address)));
  EXPECT_TRUE(RunUntil([&] { return hub.told == 1; }, 30));
  EXPECT_EQ(proxy_.as_proxy->targets, Targets{host.address.ToString()});
  EXPECT_EQ(host.accepted, 0u);
  ASSERT_EQ(hub.hub->Status().size(), 1u);
  EXPECT_EQ(hub.hub->Status()[0].info.address, host.address.ToString());
  // And it is a peer like any other.
  Run(3600);
  EXPECT_TRUE(proxy_.is_connected());
  EXPECT_EQ(proxy_.accepted, 1u);
}

TEST_F(ProxyTest, OnionsAreReachedByName) {
  SimHub& hub = AddHub(0, BehindProxy(), BookWith(*NodeAddress::ParseOnion(kOnionName, 8333)));
  EXPECT_TRUE(RunUntil([&] { return hub.told == 1; }, 30));
  EXPECT_EQ(proxy_.as_proxy->targets, Targets{std::string(kOnionName) + ":8333"});
  // A restart finds it again.
  hub.hub->BeginShutdown();
  const auto image = hub.hub->TakeBookImage();
  ASSERT_TRUE(image.has_value());
  EXPECT_EQ(DecodeBookImage(*image)->recent, std::vector<NodeAddress>{*NodeAddress::ParseOnion(kOnionName, 8333)});
}

TEST_F(ProxyTest, NamesAreResolvedByItAlone) {
  PeerHubOptions options = BehindProxy();
  options.discovery.reset();
  options.connect = {{"node.example", 8333}};
  SimHub& hub = AddHub(0, options);
  EXPECT_TRUE(RunUntil([&] { return hub.CountOf(PeerKind::kManual) == 1; }, 30));
  EXPECT_EQ(proxy_.as_proxy->targets, Targets{"node.example:8333"});
}

TEST_F(ProxyTest, SeedsAreNodesBehindTheirNames) {
  PeerHubOptions options = BehindProxy();
  options.discovery->dns = {{"seed.example"}, 8333, false};
  options.discovery->asks_dns_through_proxy = true;
  options.discovery->seed_nodes = {{"other.example", 7}};
  AddHub(0, options);
  EXPECT_TRUE(RunUntil([&] { return proxy_.as_proxy->targets.size() == 2; }, 120));
  EXPECT_TRUE(RunUntil([&] { return proxy_.CountOf(commands::kGetAddr) == 2; }, 60));
  Targets targets = proxy_.as_proxy->targets;
  std::sort(targets.begin(), targets.end());
  EXPECT_EQ(targets, (Targets{"other.example:7", "seed.example:8333"}));
}

TEST_F(ProxyTest, NeighboursAreReachedDirectly) {
  PeerHubOptions options = BehindProxy();
  options.discovery.reset();
  SimSpeaker neighbour(Address::Ipv4(192, 168, 1, 1, 8333), network_, clock_);
  options.connect = {{neighbour.address.HostText(), neighbour.address.port}};
  AddHub(0, options);
  for (int i = 0; i < 20 && neighbour.CountOf(commands::kVerack) == 0; ++i) {
    Run(1);
    neighbour.Turn();
  }
  EXPECT_EQ(neighbour.CountOf(commands::kVerack), 1u);
  EXPECT_EQ(proxy_.accepted, 0u);
}

TEST_F(ProxyTest, ARefusalIsAPeerThatIsNotThere) {
  proxy_.as_proxy->reply = 5;
  PeerHubOptions options = BehindProxy();
  options.discovery.reset();
  options.connect = {{"node.example", 8333}};
  SimHub& hub = AddHub(0, options);
  EXPECT_TRUE(RunUntil([&] { return proxy_.as_proxy->targets.size() == 3; }, 60)) << "it is tried again";
  EXPECT_EQ(hub.told, 0u);
  EXPECT_EQ(proxy_.CountOf(commands::kVersion), 0u) << "what is meant for the peer is not said to the proxy";
  proxy_.as_proxy->reply = 0;
  EXPECT_TRUE(RunUntil([&] { return hub.told == 1; }, 120));
}

TEST_F(ProxyTest, AProxyThatSaysNothingIsGivenUp) {
  proxy_.as_proxy->is_silent = true;
  PeerHubOptions options = BehindProxy();
  options.discovery.reset();
  options.connect = {{"node.example", 8333}};
  AddHub(0, options);
  EXPECT_TRUE(RunUntil([&] { return proxy_.is_connected(); }, 10));
  EXPECT_FALSE(RunUntil([&] { return !proxy_.is_connected(); }, 55));
  EXPECT_TRUE(RunUntil([&] { return !proxy_.is_connected(); }, 10));
}

TEST_F(ProxyTest, AnOnionWithoutAProxyIsRefusedAtTheStart) {
  sim::SimNetwork network(entropy_.Fork(), clock_, {});
  sim::Wakeup wakeup;
  sim::SimTransport transport(network, clock_, wakeup, HostAt(50));
  testing::SilentBell bell;
  PeerHubOptions options;
  options.connect = {{kOnionName, 8333}};
  PeerHub hub(options, transport, clock_, entropy_, bell);
  const absl::Status started = hub.Start();
  EXPECT_FALSE(started.ok());
  EXPECT_NE(started.message().find("-proxy"), std::string_view::npos) << started;
}

}  // namespace
}  // namespace headrace
