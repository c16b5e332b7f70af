// Real nodes that find one another over loopback, and a book that outlives kill -9.
#include <gmock/gmock.h>
#include <signal.h>

#include <filesystem>
#include <fstream>

#include "tests/interop/finding_node.h"

namespace headrace::testing {
namespace {

TEST(DiscoveryTest, NodesFindOneAnotherAndAgainAfterAKill) {
  FindingNode first;
  first.Start({});
  FindingNode second;
  second.Start({"-seednode=" + first.address()});
  EXPECT_TRUE(second.FindsPeer("outbound-full-relay", first.address(), 60)) << second.node().process().Everything();
  EXPECT_GE(second.BookSize(), 1);
  // The seed learnt of who asked it.
  EXPECT_TRUE(FindingNode::Within(60, [&] { return first.BookSize() >= 1; }));
  EXPECT_TRUE(FindingNode::Within(60, [&] { return std::filesystem::exists(second.BookFile()); }));

  second.node().process().Signal(SIGKILL);
  second.node().process().WaitForExit(10);
  second.Start({});
  EXPECT_TRUE(second.FindsPeer("outbound-full-relay", first.address(), 30)) << second.node().process().Everything();
  EXPECT_EQ(second.node().Stop(), 0) << second.node().process().Everything();
  EXPECT_EQ(first.node().Stop(), 0) << first.node().process().Everything();
}

TEST(DiscoveryTest, ADamagedBookIsKeptAsideAndTold) {
  FindingNode node;
  node.Start({});
  EXPECT_EQ(WriteJson(node.Value({"addpeeraddress", "127.0.0.1", "9"})), R"({"success":true})");
  EXPECT_EQ(node.BookSize(), 1);
  EXPECT_EQ(node.node().Stop(), 0);
  {
    std::fstream stream(node.BookFile(), std::ios::in | std::ios::out | std::ios::binary);
    ASSERT_TRUE(stream.good());
    stream.seekp(40);
    stream.put('\x55');
    stream.put('\xaa');
  }
  node.Start({});
  EXPECT_THAT(node.node().process().Everything(), ::testing::HasSubstr("the address book begins empty"));
  EXPECT_TRUE(std::filesystem::exists(node.BookFile() + ".damaged"));
  EXPECT_EQ(node.BookSize(), 0);
  EXPECT_EQ(node.node().Stop(), 0);
}

TEST(DiscoveryTest, AddressesOverRpc) {
  FindingNode node;
  node.Start({"-maxconnections=0"});
  EXPECT_EQ(WriteJson(node.Value({"getnodeaddresses"})), "[]");
  EXPECT_EQ(WriteJson(node.Value({"addpeeraddress", "127.2.3.4", "8333"})), R"({"success":true})");
  EXPECT_EQ(WriteJson(node.Value({"addpeeraddress", "127.2.3.4", "8333"})), R"({"success":false,"error":"failed-adding-to-new"})");
  EXPECT_EQ(WriteJson(node.Value({"addpeeraddress", "::1", "8333", "true"})), R"({"success":true})");
  EXPECT_THAT(node.Cli({"addpeeraddress", "example.org", "8333"}).errors, ::testing::HasSubstr("error code: -30"));
  const Json info = node.Value({"getaddrmaninfo"});
  EXPECT_EQ(WriteJson(info["ipv4"]), R"({"new":1,"tried":0,"total":1})");
  EXPECT_EQ(WriteJson(info["ipv6"]), R"({"new":0,"tried":1,"total":1})");
  EXPECT_EQ(WriteJson(info["onion"]), R"({"new":0,"tried":0,"total":0})");
  EXPECT_EQ(WriteJson(info["all_networks"]), R"({"new":1,"tried":1,"total":2})");
  EXPECT_EQ(node.Value({"getnodeaddresses"}).size(), 1u);
  EXPECT_EQ(node.Value({"getnodeaddresses", "0"}).size(), 2u);
  const Json six = node.Value({"getnodeaddresses", "0", "ipv6"});
  ASSERT_EQ(six.size(), 1u);
  EXPECT_EQ(six[0]["address"], "::1");
  EXPECT_EQ(six[0]["port"], 8333);
  EXPECT_EQ(six[0]["services"], 9);
  EXPECT_EQ(six[0]["network"], "ipv6");
  EXPECT_GT(six[0]["time"].get<int64_t>(), 1'600'000'000);
  EXPECT_EQ(node.Value({"getnodeaddresses", "0", "onion"}).size(), 0u);
  EXPECT_THAT(node.Cli({"getnodeaddresses", "-1"}).errors, ::testing::HasSubstr("Address count out of range"));
  EXPECT_THAT(node.Cli({"getnodeaddresses", "1", "carrier-pigeon"}).errors,
              ::testing::HasSubstr("Network not recognized: carrier-pigeon"));
  EXPECT_EQ(node.node().Stop(), 0);
}

TEST(DiscoveryTest, ConnectAloneKeepsNoBook) {
  FindingNode server;
  server.Start({"-connect=0"});
  FindingNode client;
  client.Start({"-connect=" + server.address()});
  EXPECT_TRUE(client.FindsPeer("manual", server.address(), 60)) << client.node().process().Everything();
  EXPECT_EQ(client.BookSize(), 0);
  EXPECT_EQ(WriteJson(client.Value({"addpeeraddress", "127.0.0.1", "9"})), R"({"success":false,"error":"failed-adding-to-new"})");
  EXPECT_EQ(client.node().Stop(), 0);
  EXPECT_FALSE(std::filesystem::exists(client.BookFile()));
  EXPECT_EQ(server.node().Stop(), 0);
}

}  // namespace
}  // namespace headrace::testing
