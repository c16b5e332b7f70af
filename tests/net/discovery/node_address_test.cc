// Addresses of every network: what is carried, what is routable, who is in one group, how they are written.
#include "net/discovery/node_address.h"

#include <gtest/gtest.h>

#include "engine/base/hex.h"

namespace headrace {
namespace {

NodeAddress Ip(const char* text, uint16_t port = 8333) {
  const std::optional<Address> address = ParseNumericHost(text, port);
  EXPECT_TRUE(address.has_value()) << text;
  return NodeAddress::Of(*address);
}

NodeAddress OfNetwork(uint8_t network, const char* hex, uint16_t port = 8333) {
  const std::optional<NodeAddress> address = NodeAddress::FromWire(NetworkAddress{0, 0, network, *HexDecode(hex), port});
  EXPECT_TRUE(address.has_value()) << hex;
  return address.value_or(NodeAddress{});
}

constexpr char kTorKey[] = "79bcc625184b05194975c28b66b66b0469f7f6556fb1ac3189a79b40dda32f1f";
constexpr char kI2pHash[] = "a2894dabaec08c0051a481a6dac88b64f98232ae42d4b6fd2fa81952dfe36a87";
constexpr char kCjdnsIp[] = "fc000001000200030004000500060007";

TEST(NodeAddressTest, TextOfEveryNetwork) {
  EXPECT_EQ(Ip("1.2.3.4").ToString(), "1.2.3.4:8333");
  EXPECT_EQ(Ip("2a00::1", 1).ToString(), "[2a00::1]:1");
  EXPECT_EQ(OfNetwork(kNetworkTorV3, kTorKey).ToString(),
            "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:8333");
  EXPECT_EQ(OfNetwork(kNetworkI2p, kI2pHash, 0).ToString(),
            "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p:0");
  EXPECT_EQ(OfNetwork(kNetworkCjdns, kCjdnsIp).ToString(), "[fc00:1:2:3:4:5:6:7]:8333");
}

TEST(NodeAddressTest, RoutableIsWhatTheInternetCarries) {
  for (const char* text : {"1.2.3.4", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.1.1.1", "128.0.0.1",
                           "169.253.1.1", "172.15.255.255", "172.32.0.0", "192.0.1.255", "192.0.3.0", "192.167.1.1",
                           "198.17.255.255", "198.20.0.0", "198.51.99.1", "203.0.112.1", "223.255.255.255", "2a00::1",
                           "2001:470::1", "2002:102:304::1", "2001:db7:ffff::1", "2001:db9::1", "2001::1"}) {
    EXPECT_TRUE(Ip(text).IsRoutable()) << text;
  }
  for (const char* text : {"0.1.2.3", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1",
                           "169.254.0.1", "172.16.0.1", "172.31.255.255", "192.0.2.1", "192.168.0.1", "198.18.0.1",
                           "198.19.255.255", "198.51.100.9", "203.0.113.9", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::",
                           "::1", "::1.2.3.4", "2001:10::1", "2001:2f::1", "2001:db8::1", "fc00::1", "fd00::1", "fe80::1",
                           "febf::1", "ff02::1"}) {
    EXPECT_FALSE(Ip(text).IsRoutable()) << text;
  }
  EXPECT_FALSE(Ip("1.2.3.4", 0).IsRoutable()) << "no port";
  EXPECT_TRUE(OfNetwork(kNetworkTorV3, kTorKey).IsRoutable());
  EXPECT_FALSE(OfNetwork(kNetworkTorV3, kTorKey, 0).IsRoutable());
  EXPECT_TRUE(OfNetwork(kNetworkI2p, kI2pHash, 0).IsRoutable()) << "I2P has no ports";
  EXPECT_TRUE(OfNetwork(kNetworkCjdns, kCjdnsIp).IsRoutable());
  EXPECT_FALSE(OfNetwork(kNetworkCjdns, "fd000001000200030004000500060007").IsRoutable()) << "CJDNS begins with fc";
}

TEST(NodeAddressTest, ValidIsLooserAndStillNotEverything) {
  for (const char* text : {"10.0.0.1", "127.0.0.1", "192.168.1.1", "::1", "fd00::1"}) EXPECT_TRUE(Ip(text).IsValid()) << text;
  for (const char* text : {"0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "ff02::1"}) EXPECT_FALSE(Ip(text).IsValid()) << text;
  EXPECT_FALSE(NodeAddress{}.IsValid());
}

TEST(NodeAddressTest, DisguisesAndUnknownNetworksAreNotTaken) {
  auto taken = [](uint8_t network, const std::string& hex) {
    return NodeAddress::FromWire(NetworkAddress{0, 0, network, *HexDecode(hex), 8333}).has_value();
  };
  EXPECT_FALSE(taken(kNetworkIpv6, "00000000000000000000ffff01020304")) << "IPv4 has its own network (BIP155)";
  EXPECT_FALSE(taken(kNetworkIpv6, "fd87d87eeb4301020304050607080910")) << "OnionCat";
  EXPECT_FALSE(taken(kNetworkTorV2, "01020304050607080910"));
  EXPECT_FALSE(taken(0, ""));
  EXPECT_FALSE(taken(7, "0102"));
  EXPECT_FALSE(taken(kNetworkIpv4, "010203"));
  EXPECT_TRUE(taken(kNetworkIpv4, "01020304"));
  WireAddress legacy;
  std::copy_n(HexDecode("fd87d87eeb4301020304050607080910")->begin(), 16, legacy.ip.begin());
  EXPECT_FALSE(NodeAddress::FromWire(legacy).has_value());
  legacy.ip = Address::Ipv4(1, 2, 3, 4, 0).ip;
  legacy.port = 9;
  ASSERT_TRUE(NodeAddress::FromWire(legacy).has_value());
  EXPECT_EQ(*NodeAddress::FromWire(legacy), Ip("1.2.3.4", 9));
}

TEST(NodeAddressTest, WireAndBack) {
  for (const NodeAddress& address : {Ip("1.2.3.4"), Ip("2a00::1"), OfNetwork(kNetworkTorV3, kTorKey),
                                     OfNetwork(kNetworkI2p, kI2pHash, 0), OfNetwork(kNetworkCjdns, kCjdnsIp)}) {
    const NetworkAddress wire = address.ToWire(9, 77);
    EXPECT_EQ(wire.time_s, 77u);
    EXPECT_EQ(wire.services, 9u);
    EXPECT_EQ(NodeAddress::FromWire(wire), address);
    EXPECT_EQ(address.ToAddress().has_value(), address.network <= kNetworkIpv6);
  }
}

TEST(NodeAddressTest, GroupsAreProvidersNotAddresses) {
  EXPECT_EQ(Ip("1.2.3.4").Group(), Ip("1.2.200.9", 1).Group());
  EXPECT_NE(Ip("1.2.3.4").Group(), Ip("1.3.3.4").Group());
  EXPECT_EQ(Ip("2a00:1:2::1").Group(), Ip("2a00:1:3::1").Group());
  EXPECT_NE(Ip("2a00:1::1").Group(), Ip("2a00:2::1").Group());
  // Tunnels belong to the IPv4 address at their end: 6to4, Teredo (inverted), NAT64, SIIT.
  EXPECT_EQ(Ip("2002:102:304::1").Group(), Ip("1.2.9.9").Group());
  EXPECT_EQ(Ip("2001:0:9:9:9:9:fefd:fcfb").Group(), Ip("1.2.3.4").Group());
  EXPECT_EQ(Ip("64:ff9b::102:304").Group(), Ip("1.2.3.4").Group());
  EXPECT_EQ(Ip("::ffff:0:102:304").Group(), Ip("1.2.3.4").Group());
  // A broker's /36, not its /32.
  EXPECT_NE(Ip("2001:470:1000::1").Group(), Ip("2001:470:2000::1").Group());
  EXPECT_EQ(Ip("2001:470:1000::1").Group(), Ip("2001:470:1fff::1").Group());
  // Keys are free: sixteen groups of them.
  EXPECT_EQ(OfNetwork(kNetworkTorV3, kTorKey).Group(),
            OfNetwork(kNetworkTorV3, "7000000000000000000000000000000000000000000000000000000000000000").Group());
  EXPECT_NE(OfNetwork(kNetworkTorV3, kTorKey).Group(), OfNetwork(kNetworkI2p, kTorKey).Group());
  EXPECT_EQ(OfNetwork(kNetworkCjdns, kCjdnsIp).Group(), OfNetwork(kNetworkCjdns, "fc0fffff000200030004000500060007").Group());
  // On one machine the port tells nodes apart.
  EXPECT_NE(Ip("127.0.0.1", 1).Group(), Ip("127.0.0.1", 2).Group());
  EXPECT_NE(Ip("::1", 1).Group(), Ip("::1", 2).Group());
}

TEST(NodeAddressTest, OnionNamesAreReadAndTheirChecksumsChecked) {
  // From the Tor project's own pages.
  const std::string name = "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion";
  const std::optional<NodeAddress> node = NodeAddress::ParseOnion(name, 8333);
  ASSERT_TRUE(node.has_value());
  EXPECT_EQ(node->network, kNetworkTorV3);
  EXPECT_EQ(node->HostText(), name);
  std::string loud = name;
  for (char& letter : loud) letter = static_cast<char>(std::toupper(letter));
  EXPECT_EQ(NodeAddress::ParseOnion(loud, 8333), node);
  EXPECT_EQ(NodeAddress::Parse({name, 8333}), node);
  EXPECT_EQ(NodeAddress::Parse({"1.2.3.4", 5}), NodeAddress::Of(Address::Ipv4(1, 2, 3, 4, 5)));
  EXPECT_EQ(NodeAddress::Parse({"example.org", 5}), std::nullopt);
  // Any other letter in any place is another name, and most likely none.
  for (size_t at = 0; at < 56; ++at) {
    std::string wrong = name;
    wrong[at] = wrong[at] == 'a' ? 'b' : 'a';
    EXPECT_EQ(NodeAddress::ParseOnion(wrong, 8333), std::nullopt) << wrong;
  }
  for (const std::string wrong : {".onion", "onion", "expyuzz4wqqyqhjn.onion", "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wi0.onion"}) {
    EXPECT_EQ(NodeAddress::ParseOnion(wrong, 8333), std::nullopt) << wrong;
  }
  EXPECT_EQ(NodeAddress::ParseOnion("a" + name, 8333), std::nullopt);
  EXPECT_EQ(NodeAddress::ParseOnion("www." + name, 8333), std::nullopt);
}

}  // namespace
}  // namespace headrace
