// DNS seeds, asked over a real DNS server: dnsmasq on loopback, whose log of queries says what it was asked. It answers all names
// itself, and no question leaves the machine.
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <sstream>

#include "net/discovery/dns_seeds.h"
#include "tests/interop/finding_node.h"
#include "tests/support/temporary_directory.h"

namespace headrace::testing {
namespace {

using ::testing::IsEmpty;

// Where Debian puts it; /usr/sbin is on nobody's path but root's.
constexpr char kDnsmasq[] = "/usr/sbin/dnsmasq";

class Dnsmasq {
 public:
  // Each of `answers` is DOMAIN/ADDRESS, and DOMAIN/ when there is no such name; whatever else is asked for does not exist.
  void Start(const std::vector<std::string>& answers) {
    // A port that was free a moment ago may be somebody's now.
    constexpr int kTries = 5;
    for (int i = 0; i < kTries && !is_running_; ++i) {
      port_ = FreePort();
      std::vector<std::string> arguments = {kDnsmasq, "--no-daemon", "--conf-file=/dev/null", "--pid-file=",
                                            "--port=" + std::to_string(port_), "--listen-address=127.0.0.1",
                                            "--bind-interfaces", "--no-resolv", "--no-hosts", "--log-queries",
                                            "--log-facility=" + log_file(), "--address=/#/"};
      for (const std::string& answer : answers) arguments.push_back("--address=/" + answer);
      process_ = std::make_unique<ChildProcess>(arguments);
      is_running_ = FindingNode::Within(20, [&] {
        return Log().find("started, version") != std::string::npos || process_->WaitForExit(0).has_value();
      }) && !process_->WaitForExit(0).has_value();
    }
    ASSERT_TRUE(is_running_) << process_->Everything();
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  // Names that it was asked for, each once.
  std::set<std::string> Asked() const {
    std::set<std::string> names;
    std::istringstream log(Log());
    for (std::string line; std::getline(log, line);) {
      const size_t query = line.find("query[");
      if (query == std::string::npos) continue;
      const size_t name = line.find(' ', query) + 1;
      names.insert(line.substr(name, line.find(' ', name) - name));
    }
    return names;
  }
  std::string Log() const {
    std::ifstream stream(log_file());
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  }

 private:
  std::string log_file() const { return directory_.File("log"); }

  TemporaryDirectory directory_;
  uint16_t port_ = 0;
  std::unique_ptr<ChildProcess> process_;
  bool is_running_ = false;
};

class DnsSeedsOverDnsmasq : public ::testing::Test {
 protected:
  void SetUp() override {
    if (access(kDnsmasq, X_OK) != 0) GTEST_SKIP() << "there is no " << kDnsmasq << " (Debian's dnsmasq-base)";
  }
  // Has a peer, so that it has been looking around for a while.
  static void ExpectToMeet(FindingNode& node, const FindingNode& peer) {
    EXPECT_TRUE(node.FindsPeer("manual", peer.address(), 60)) << node.node().process().Everything();
  }

  Dnsmasq dns_;
};

TEST_F(DnsSeedsOverDnsmasq, AnEmptyBookAsksEverySeedOfItsNetwork) {
  for (const std::string chain : {"main", "test", "testnet4", "signet"}) {
    Dnsmasq dns;
    dns.Start({});
    FindingNode node(chain);
    node.Start({"-dnsserver=" + dns.address()});
    // With the prefix for nodes that serve everything; and plainly, because nobody knows it so.
    std::set<std::string> expected;
    for (const std::string& name : DnsSeedsOf(chain)) expected.insert({"x9." + name, name});
    EXPECT_TRUE(FindingNode::Within(30, [&] { return dns.Asked() == expected; })) << chain << '\n' << dns.Log();
    EXPECT_EQ(node.BookSize(), 0);
    EXPECT_EQ(node.node().Stop(), 0) << node.node().process().Everything();
  }
}

TEST_F(DnsSeedsOverDnsmasq, AnAnswerLeadsToAPeer) {
  // The seed tells an address; the port is the network's. Any of 127.0.0.0/8 is this machine: one that nobody else has.
  std::random_device chance;
  std::string host = "127";
  for (int i = 0; i < 3; ++i) host += "." + std::to_string(1 + chance() % 250);
  const std::string seed = DnsSeedsOf("regtest").front();
  dns_.Start({"x9." + seed + "/", seed + "/" + host});
  FindingNode peer;
  peer.ListenAt(host + ":18444");
  peer.Start({"-connect=0"});
  FindingNode node;
  node.Start({"-dnsserver=" + dns_.address()});
  EXPECT_TRUE(node.FindsPeer("outbound-full-relay", peer.address(), 60)) << node.node().process().Everything() << dns_.Log();
  EXPECT_EQ(dns_.Asked(), (std::set<std::string>{"x9." + seed, seed}));
  EXPECT_EQ(node.BookSize(), 1);
  EXPECT_EQ(node.node().Stop(), 0) << node.node().process().Everything();
  EXPECT_EQ(peer.node().Stop(), 0);
}

TEST_F(DnsSeedsOverDnsmasq, ASeedCannotMakeAMainnetNodeDialWhatTheInternetDoesNotCarry) {
  dns_.Start({"#/127.0.0.1"});
  FindingNode node("main");
  node.Start({"-dnsserver=" + dns_.address()});
  const size_t seeds = DnsSeedsOf("main").size();
  const auto has_been_told = [&] {
    const std::string log = node.node().process().Output();
    size_t told = 0;
    for (size_t at = 0; (at = log.find("a DNS seed told addresses", at)) != std::string::npos; ++at) ++told;
    return told == seeds;
  };
  EXPECT_TRUE(FindingNode::Within(30, has_been_told)) << node.node().process().Everything();
  EXPECT_EQ(node.BookSize(), 0);
  EXPECT_THAT(node.Value({"getpeerinfo"}), IsEmpty());
  EXPECT_EQ(node.node().Stop(), 0);
}

TEST_F(DnsSeedsOverDnsmasq, NobodyIsAskedWithConnectOrWithoutSeeds) {
  dns_.Start({});
  FindingNode peer("main");
  peer.Start({"-connect=0", "-dnsseed=1", "-dnsserver=" + dns_.address()});
  FindingNode connects("main");
  connects.Start({"-connect=" + peer.address(), "-dnsseed=1", "-forcednsseed", "-dnsserver=" + dns_.address()});
  ExpectToMeet(connects, peer);
  EXPECT_EQ(connects.BookSize(), 0);
  FindingNode adds("main");
  adds.Start({"-addnode=" + peer.address(), "-dnsseed=0", "-dnsserver=" + dns_.address()});
  ExpectToMeet(adds, peer);
  for (FindingNode* node : {&connects, &adds, &peer}) EXPECT_EQ(node->node().Stop(), 0) << node->node().process().Everything();
  EXPECT_THAT(dns_.Asked(), IsEmpty()) << dns_.Log();
  EXPECT_FALSE(std::filesystem::exists(connects.BookFile()));
}

}  // namespace
}  // namespace headrace::testing
