#include "tools/headraced/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/support/temporary_directory.h"

namespace headrace {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class OptionsTest : public ::testing::Test {
 protected:
  OptionsTest() {
    machine_.available_memory_bytes = uint64_t{8} << 30;
    machine_.cores = 4;
    machine_.home_directory = home_;
  }

  std::string DataDirectory() const { return home_ + "/.headrace"; }

  void WriteConfig(const std::string& text, const std::string& name = "bitcoin.conf") {
    std::filesystem::create_directories(DataDirectory());
    std::ofstream(DataDirectory() + "/" + name) << text;
  }

  absl::StatusOr<DaemonOptions> Parse(std::vector<const char*> arguments) {
    return ParseDaemonOptions(arguments, machine_);
  }
  DaemonOptions Good(std::vector<const char*> arguments) {
    absl::StatusOr<DaemonOptions> options = Parse(std::move(arguments));
    EXPECT_TRUE(options.ok()) << options.status();
    return options.ok() ? *std::move(options) : DaemonOptions();
  }
  // The sentence of a refusal; a test fails when nothing is refused.
  std::string Bad(std::vector<const char*> arguments) {
    absl::StatusOr<DaemonOptions> options = Parse(std::move(arguments));
    EXPECT_FALSE(options.ok());
    const std::string sentence(options.status().message());
    EXPECT_THAT(sentence, ::testing::EndsWith("."));
    EXPECT_EQ(sentence.find('\n'), std::string::npos) << "one line: " << sentence;
    return sentence;
  }

  testing::TemporaryDirectory directory_;
  const std::string home_ = directory_.path();
  MachineFacts machine_;
};

TEST_F(OptionsTest, DefaultsLookAtTheMachine) {
  const DaemonOptions options = Good({});
  EXPECT_EQ(options.chain, "main");
  EXPECT_EQ(options.data_directory, DataDirectory());
  EXPECT_EQ(options.network_directory, DataDirectory());
  EXPECT_EQ(options.port, 8333);
  EXPECT_TRUE(options.listen);
  EXPECT_FALSE(options.connects_only);
  EXPECT_EQ(options.workers, 4u);
  EXPECT_EQ(options.cache_bytes, uint64_t{4} << 30);
  EXPECT_EQ(options.blocks_in_transit_per_peer_max, 16u);
  EXPECT_EQ(options.connections_max, 125u);
  EXPECT_EQ(options.stop_at_height, 0u);
  EXPECT_FALSE(options.assume_valid.has_value());
  EXPECT_FALSE(options.minimum_chain_work.has_value());
  EXPECT_FALSE(options.print_to_console.has_value());
  EXPECT_THAT(options.warnings, IsEmpty());
}

TEST_F(OptionsTest, CacheDefaultStaysWithinItsBounds) {
  machine_.available_memory_bytes = 0;
  EXPECT_EQ(Good({}).cache_bytes, uint64_t{256} << 20);
  machine_.available_memory_bytes = uint64_t{1} << 40;
  EXPECT_EQ(Good({}).cache_bytes, uint64_t{16384} << 20);
}

TEST_F(OptionsTest, EveryNetworkHasItsPortAndFolder) {
  const struct {
    const char* argument;
    const char* chain;
    const char* folder;
    uint16_t port;
  } cases[] = {{"-chain=main", "main", "", 8333},           {"-testnet", "test", "/testnet3", 18333},
               {"-chain=test", "test", "/testnet3", 18333}, {"--testnet4", "testnet4", "/testnet4", 48333},
               {"-signet=1", "signet", "/signet", 38333},   {"-regtest", "regtest", "/regtest", 18444}};
  for (const auto& expected : cases) {
    const DaemonOptions options = Good({expected.argument, "-datadir=/data"});
    EXPECT_EQ(options.chain, expected.chain);
    EXPECT_EQ(options.network_directory, std::string("/data") + expected.folder);
    EXPECT_EQ(options.port, expected.port);
  }
}

TEST_F(OptionsTest, NetworksExcludeOneAnother) {
  EXPECT_THAT(Bad({"-regtest", "-chain=main"}), HasSubstr("exclude one another"));
  EXPECT_THAT(Bad({"-testnet", "-signet"}), HasSubstr("exclude one another"));
  EXPECT_EQ(Good({"-noregtest", "-signet"}).chain, "signet");
  EXPECT_THAT(Bad({"-chain=regtestt"}), HasSubstr("-chain=regtestt"));
}

TEST_F(OptionsTest, UnknownOptionNamesTheNearest) {
  EXPECT_THAT(Bad({"-dbcahce=100"}), HasSubstr("no option -dbcahce; the nearest is -dbcache"));
  EXPECT_THAT(Bad({"-conect=host"}), HasSubstr("the nearest is -connect"));
  EXPECT_THAT(Bad({"--loadblocks=x"}), HasSubstr("the nearest is -loadblock"));
  EXPECT_THAT(Bad({"-nolissten"}), HasSubstr("no option -nolissten"));
  EXPECT_THAT(Bad({"regtest"}), HasSubstr("begin with a dash"));
  EXPECT_THAT(Bad({"-"}), HasSubstr("begin with a dash"));
}

TEST_F(OptionsTest, NumbersAreWholeAndWithinRange) {
  EXPECT_EQ(Good({"-port=1"}).port, 1);
  EXPECT_EQ(Good({"-port=65535"}).port, 65535);
  for (const char* wrong : {"-port=0", "-port=65536", "-port=-1", "-port=12x", "-port= ", "-port=", "-port=+5",
                            "-port=99999999999999999999999", "-port=1.5", "-dbcache=3", "-dbcache=16777217",
                            "-maxblocksintransit=0", "-maxblocksintransit=1025", "-maxconnections=1001",
                            "-stopatheight=-1", "-stopatheight=2147483648", "-checkpointinterval=-1", "-checkpointinterval=86401", "-noport"}) {
    EXPECT_THAT(Bad({wrong}), HasSubstr("write a whole number from")) << wrong;
  }
  EXPECT_EQ(Good({"-checkpointinterval=0"}).checkpoint_interval_s, 0u);
  // Asked for, it is kept; otherwise a few blocks do not make one.
  EXPECT_EQ(Good({"-checkpointinterval=60"}).checkpoint_replay_bytes_min, 0u);
  EXPECT_GT(Good({}).checkpoint_replay_bytes_min, uint64_t{8} << 20);
  EXPECT_EQ(Good({"-maxblocksintransit=1"}).blocks_in_transit_per_peer_max, 1u);
  EXPECT_EQ(Good({"-maxconnections=1000"}).connections_max, 1000u);
  EXPECT_EQ(Good({"-stopatheight=2147483647"}).stop_at_height, 2147483647u);
  EXPECT_EQ(Good({"-dbcache=4"}).cache_bytes, uint64_t{4} << 20);
  EXPECT_THAT(Bad({"-port"}), HasSubstr("needs a value"));
}

TEST_F(OptionsTest, FlagsTakeOneZeroAndNegation) {
  EXPECT_FALSE(Good({"-nolisten"}).listen);
  EXPECT_FALSE(Good({"-listen=0"}).listen);
  EXPECT_TRUE(Good({"-nolisten=0"}).listen);
  EXPECT_TRUE(Good({"-nolisten", "-listen"}).listen) << "the last of the command line wins";
  EXPECT_THAT(Bad({"-listen=maybe"}), HasSubstr("it is a flag"));
  EXPECT_EQ(Good({"-printtoconsole=0"}).print_to_console, false);
}

TEST_F(OptionsTest, ParCountsWorkersOrLeavesCoresFree) {
  EXPECT_EQ(Good({"-par=3"}).workers, 3u);
  EXPECT_EQ(Good({"-par=0"}).workers, 4u);
  EXPECT_EQ(Good({"-par=-1"}).workers, 3u);
  EXPECT_EQ(Good({"-par=-9"}).workers, 1u);
}

TEST_F(OptionsTest, ConnectIsAListWithDefaultPort) {
  const DaemonOptions options =
      Good({"-regtest", "-connect=127.0.0.1:99", "-connect=seed.example", "-connect=[::1]:7"});
  EXPECT_TRUE(options.connects_only);
  EXPECT_THAT(options.connect,
              ElementsAre(HostPort{"127.0.0.1", 99}, HostPort{"seed.example", 18444}, HostPort{"::1", 7}));
  EXPECT_FALSE(options.listen) << "-connect turns listening off unless asked for";
  EXPECT_TRUE(Good({"-connect=a", "-listen=1"}).listen);
  EXPECT_TRUE(Good({"-connect=a", "-bind=127.0.0.1"}).listen);
  for (const char* none : {"-connect=0", "-noconnect"}) {
    EXPECT_TRUE(Good({none}).connects_only);
    EXPECT_THAT(Good({none}).connect, IsEmpty());
  }
  for (const char* wrong : {"-connect=", "-connect=a:0", "-connect=a:65536", "-connect=[::1", "-connect=[::1]x",
                            "-connect=a b", "-connect=:80", "-connect=a:"}) {
    EXPECT_THAT(Bad({wrong}), HasSubstr("HOST:PORT")) << wrong;
  }
}

TEST_F(OptionsTest, PeersToAddAndToAsk) {
  const DaemonOptions options = Good({"-regtest", "-addnode=127.0.0.1:99", "-addnode=a", "-seednode=b", "-seednode=[::1]:7"});
  EXPECT_FALSE(options.connects_only);
  EXPECT_TRUE(options.listen);
  EXPECT_THAT(options.connect, IsEmpty());
  EXPECT_THAT(options.add_nodes, ElementsAre(HostPort{"127.0.0.1", 99}, HostPort{"a", 18444}));
  EXPECT_THAT(options.seed_nodes, ElementsAre(HostPort{"b", 18444}, HostPort{"::1", 7}));
  EXPECT_THAT(Bad({"-addnode=a:0"}), HasSubstr("HOST:PORT"));
  EXPECT_THAT(Bad({"-seednode="}), HasSubstr("HOST:PORT"));
}

TEST_F(OptionsTest, ExternalAddressesAreNumericAndTakeThePortOption) {
  EXPECT_THAT(Good({"-externalip=1.2.3.4", "-externalip=[2a00::1]:7", "-port=77"}).external_addresses,
              ElementsAre(NodeAddress::Of(*ParseAddress("1.2.3.4:77", 0)), NodeAddress::Of(*ParseAddress("[2a00::1]:7", 0))));
  const std::string onion = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion";
  const DaemonOptions hidden = Good({("-externalip=" + onion + ":5").c_str()});
  ASSERT_EQ(hidden.external_addresses.size(), 1u);
  EXPECT_EQ(hidden.external_addresses[0].ToString(), onion + ":5");
  EXPECT_THAT(Bad({"-externalip=example.org"}), HasSubstr("-externalip=example.org is not a numeric address"));
}

TEST_F(OptionsTest, WhoIsAllowedMoreThanOthers) {
  const DaemonOptions options = Good({"-whitelist=download@10.0.0.0/8", "-whitelist=::1", "-whitebind=noban@127.0.0.1",
                                      "-whitebind=addr@[::1]:9000", "-port=77"});
  ASSERT_EQ(options.permitted_ranges.size(), 2u);
  EXPECT_TRUE(options.permitted_ranges[0].range.Contains(Address::Ipv4(10, 9, 9, 9, 0)));
  EXPECT_EQ(options.permitted_ranges[0].permissions, uint32_t{kMayDownload});
  EXPECT_TRUE(HasPermission(options.permitted_ranges[1].permissions, kMayStay));
  ASSERT_EQ(options.permitted_listeners.size(), 2u);
  EXPECT_EQ(options.permitted_listeners[0].address, Address::Ipv4(127, 0, 0, 1, 77));
  EXPECT_EQ(options.permitted_listeners[1].address.port, 9000);
  EXPECT_TRUE(Good({"-connect=0", "-whitebind=127.0.0.1"}).listen) << "who names an address to listen on means it";
  EXPECT_THAT(Good({"-nowhitelist", "-nowhitebind"}).permitted_ranges, IsEmpty());
  EXPECT_THAT(Bad({"-whitelist=nobann@1.2.3.4"}), HasSubstr("there is no permission `nobann`, only bloomfilter, noban,"));
  EXPECT_THAT(Bad({"-whitelist=noban@1.2.3.0/33"}), HasSubstr("[PERMISSION,...@]RANGE"));
  EXPECT_THAT(Bad({"-whitebind=noban@1.2.3.0/24"}), HasSubstr("[PERMISSION,...@]ADDRESS[:PORT]"));
  EXPECT_THAT(Bad({"-whitebind=out@1.2.3.4"}), HasSubstr("`out` is not for those who come in"));
}

TEST_F(OptionsTest, TheUploadTargetHasUnits) {
  EXPECT_EQ(Good({}).upload_target_bytes, 0u);
  EXPECT_EQ(Good({"-nomaxuploadtarget"}).upload_target_bytes, 0u);
  const std::pair<const char*, uint64_t> kTargets[] = {
      {"0", 0},         {"5000", uint64_t{5000} << 20}, {"7k", 7'000},         {"7K", 7 << 10},           {"7m", 7'000'000}, {"7M", 7 << 20},
      {"7g", 7'000'000'000}, {"7G", uint64_t{7} << 30},      {"7t", 7'000'000'000'000}, {"7T", uint64_t{7} << 40}, {"1048576T", uint64_t{1} << 60}};
  for (const auto& [text, bytes] : kTargets) {
    EXPECT_EQ(Good({("-maxuploadtarget=" + std::string(text)).c_str()}).upload_target_bytes, bytes) << text;
  }
  for (const char* wrong : {"", "G", "-1", "1.5G", "1GB", "1 G", "1048577T", "99999999999999999999"}) {
    EXPECT_THAT(Bad({("-maxuploadtarget=" + std::string(wrong)).c_str()}), HasSubstr("whole number of MiB")) << wrong;
  }
  EXPECT_THAT(Good({"-maxuploadtarget=576m"}).warnings, ElementsAre(HasSubstr("served to nobody without the download permission")));
  EXPECT_THAT(Good({"-maxuploadtarget=577m"}).warnings, IsEmpty());
  EXPECT_THAT(Good({"-maxuploadtarget=0"}).warnings, IsEmpty());
}

TEST_F(OptionsTest, DnsSeedsAreAskedUnlessPeersAreNamed) {
  EXPECT_TRUE(Good({}).asks_dns_seeds);
  EXPECT_TRUE(Good({"-testnet4", "-addnode=a"}).asks_dns_seeds);
  EXPECT_FALSE(Good({"-dnsseed=0"}).asks_dns_seeds);
  EXPECT_FALSE(Good({"-connect=a"}).asks_dns_seeds);
  EXPECT_FALSE(Good({"-connect=a", "-dnsseed=1"}).asks_dns_seeds);
  EXPECT_FALSE(Good({"-regtest"}).asks_dns_seeds) << "nobody serves its seed";
  EXPECT_TRUE(Good({"-regtest", "-dnsserver=127.0.0.1:5353"}).asks_dns_seeds);
  EXPECT_FALSE(Good({}).forces_dns_seeds);
  EXPECT_TRUE(Good({"-forcednsseed"}).forces_dns_seeds);
  EXPECT_THAT(Bad({"-forcednsseed", "-dnsseed=0"}), HasSubstr("exclude one another"));
  EXPECT_THAT(Good({"-dnsserver=127.0.0.1", "-dnsserver=[::1]:5353"}).dns_servers,
              ElementsAre(*ParseAddress("127.0.0.1:53", 0), *ParseAddress("[::1]:5353", 0)));
  EXPECT_THAT(Bad({"-dnsserver=example.org"}), HasSubstr("-dnsserver=example.org is not a numeric address"));
}

TEST_F(OptionsTest, FixedSeedsAreTriedUnlessPeersAreNamed) {
  EXPECT_TRUE(Good({}).uses_fixed_seeds);
  EXPECT_TRUE(Good({"-dnsseed=0", "-addnode=a"}).uses_fixed_seeds);
  EXPECT_FALSE(Good({"-fixedseeds=0"}).uses_fixed_seeds);
  EXPECT_FALSE(Good({"-nofixedseeds"}).uses_fixed_seeds);
  EXPECT_FALSE(Good({"-connect=a", "-fixedseeds"}).uses_fixed_seeds);
  EXPECT_FALSE(Good({"-connect=0", "-fixedseeds"}).uses_fixed_seeds);
}

TEST_F(OptionsTest, AProxyResolvesNamesAndReachesOnions) {
  constexpr uint32_t kInternet = NetworkBit(kNetworkIpv4) | NetworkBit(kNetworkIpv6);
  EXPECT_FALSE(Good({}).proxy.has_value());
  EXPECT_EQ(Good({}).networks, kInternet);
  const DaemonOptions options = Good({"-proxy=127.0.0.1"});
  EXPECT_EQ(options.proxy, *ParseAddress("127.0.0.1:9050", 0));
  EXPECT_EQ(options.networks, kInternet | NetworkBit(kNetworkTorV3));
  EXPECT_TRUE(options.asks_dns_seeds) << "through the proxy";
  EXPECT_FALSE(options.listen);
  EXPECT_TRUE(Good({"-proxy=127.0.0.1", "-listen"}).listen);
  EXPECT_TRUE(Good({"-proxy=127.0.0.1", "-bind=127.0.0.1"}).listen);
  EXPECT_EQ(Good({"-proxy=[::1]:7"}).proxy, *ParseAddress("[::1]:7", 0));
  EXPECT_FALSE(Good({"-noproxy"}).proxy.has_value());
  EXPECT_FALSE(Good({"-proxy=0"}).proxy.has_value());
  for (const char* bad : {"-proxy=", "-proxy=tor.example", "-proxy=1.2.3.4:0", "-proxy=1.2.3.4:x"}) EXPECT_THAT(Bad({bad}), HasSubstr("-proxy"));
  EXPECT_THAT(Bad({"-proxy=127.0.0.1", "-dnsserver=127.0.0.1"}), HasSubstr("-dnsserver would be asked past the -proxy"));
}

TEST_F(OptionsTest, NetworksThatPeersAreChosenIn) {
  EXPECT_EQ(Good({"-onlynet=ipv6"}).networks, NetworkBit(kNetworkIpv6));
  EXPECT_EQ(Good({"-onlynet=ipv4", "-onlynet=ipv6", "-proxy=127.0.0.1"}).networks, NetworkBit(kNetworkIpv4) | NetworkBit(kNetworkIpv6));
  const DaemonOptions onion = Good({"-onlynet=onion", "-proxy=127.0.0.1"});
  EXPECT_EQ(onion.networks, NetworkBit(kNetworkTorV3));
  EXPECT_FALSE(onion.asks_dns_seeds) << "they tell no onions";
  EXPECT_TRUE(Good({"-onlynet=onion", "-proxy=127.0.0.1", "-dnsseed"}).asks_dns_seeds) << "as ordered";
  EXPECT_THAT(Bad({"-onlynet=onion"}), HasSubstr("-onlynet=onion needs -proxy"));
  for (const char* bad : {"-onlynet=", "-onlynet=i2p", "-onlynet=IPv4"}) EXPECT_THAT(Bad({bad}), HasSubstr("ipv4, ipv6 or onion"));
}

TEST_F(OptionsTest, BindTakesThePortOption) {
  EXPECT_THAT(Good({"-bind=127.0.0.1", "-bind=127.0.0.2:5", "-port=77"}).bind,
              ElementsAre(HostPort{"127.0.0.1", 77}, HostPort{"127.0.0.2", 5}));
}

TEST_F(OptionsTest, NegatedListForgetsWhatStandsBeforeIt) {
  EXPECT_THAT(Good({"-connect=a:1", "-noconnect", "-connect=b:2"}).connect, ElementsAre(HostPort{"b", 2}));
  WriteConfig("connect=c:3\n");
  EXPECT_THAT(Good({"-connect=a:1"}).connect, ElementsAre(HostPort{"a", 1}, HostPort{"c", 3}));
  EXPECT_THAT(Good({"-noconnect"}).connect, IsEmpty());
  EXPECT_THAT(Bad({"-noconnect=0"}), HasSubstr("not understood"));
}

TEST_F(OptionsTest, HashesAndWork) {
  const std::string hash(63, '0');
  EXPECT_EQ(Good({("-assumevalid=" + hash + "a").c_str()}).assume_valid->bytes[0], 0x0a);
  EXPECT_TRUE(Good({"-assumevalid=0"}).assume_valid->IsZero());
  EXPECT_TRUE(Good({"-noassumevalid"}).assume_valid->IsZero());
  EXPECT_THAT(Bad({"-assumevalid=abcd"}), HasSubstr("64 hex digits"));
  EXPECT_THAT(Bad({("-assumevalid=" + hash + "g").c_str()}), HasSubstr("64 hex digits"));
  EXPECT_TRUE(Good({"-minimumchainwork=0"}).minimum_chain_work->IsZero());
  const Hash256 work = *Good({"-minimumchainwork=0x1234"}).minimum_chain_work;
  EXPECT_EQ(work.bytes[0], 0x34);
  EXPECT_EQ(work.bytes[1], 0x12);
  EXPECT_THAT(Bad({("-minimumchainwork=" + hash + "00").c_str()}), HasSubstr("up to 64 hex digits"));
  EXPECT_THAT(Bad({"-minimumchainwork="}), HasSubstr("up to 64 hex digits"));
}

TEST_F(OptionsTest, SignetChallengeNeedsSignetAndHex) {
  EXPECT_THAT(*Good({"-signet", "-signetchallenge=51ff"}).signet_challenge, ElementsAre(0x51, 0xff));
  EXPECT_THAT(Bad({"-signetchallenge=51"}), HasSubstr("needs -signet"));
  EXPECT_THAT(Bad({"-signet", "-signetchallenge=5"}), HasSubstr("hex digits"));
  EXPECT_THAT(Bad({"-signet", "-signetchallenge="}), HasSubstr("hex digits"));
}

TEST_F(OptionsTest, WordsOfAChoice) {
  EXPECT_EQ(Good({}).sync_mode, SyncMode::kHeaders);
  EXPECT_EQ(Good({"-sync=inventory"}).sync_mode, SyncMode::kInventory);
  EXPECT_THAT(Bad({"-sync=blocks"}), HasSubstr("write headers or inventory"));
  EXPECT_EQ(Good({"-nettransport=epoll"}).transport, TransportKind::kEpoll);
  EXPECT_EQ(Good({"-nettransport=io_uring"}).transport, TransportKind::kIoUring);
  EXPECT_EQ(Good({"-filebackend=pread"}).file_backend, FileBackend::kPread);
  EXPECT_EQ(Good({"-logformat=json"}).log_format, LogFormat::kJson);
  EXPECT_THAT(Bad({"-nettransport=kqueue"}), HasSubstr("write auto, io_uring or epoll"));
  EXPECT_THAT(Bad({"-logformat=xml"}), HasSubstr("write text or json"));
}

TEST_F(OptionsTest, DebugCategoriesAddUp) {
  EXPECT_THAT(Good({"-debug=net", "-debug=coins", "-debug=net"}).debug,
              ElementsAre(LogCategory::kNet, LogCategory::kCoins));
  EXPECT_EQ(Good({"-debug"}).debug.size(), static_cast<size_t>(LogCategory::kCount));
  EXPECT_THAT(Good({"-debug=net", "-debug=none"}).debug, IsEmpty());
  EXPECT_THAT(Good({"-debug=net", "-nodebug"}).debug, IsEmpty());
  EXPECT_THAT(Good({"-nodebug", "-debug=disk"}).debug, ElementsAre(LogCategory::kDisk));
  EXPECT_THAT(Bad({"-debug=nett"}), HasSubstr("categories are"));
}

TEST_F(OptionsTest, ConfigFileHasSectionsAndComments) {
  WriteConfig(
      "# a comment\n  dbcache = 100 # "
      "MiB\r\nport=1111\nloadblock=a\n\n[regtest]\nport=2222\nloadblock=b\n[main]\nport=3333\n");
  const DaemonOptions on_main = Good({});
  EXPECT_EQ(on_main.cache_bytes, uint64_t{100} << 20);
  EXPECT_EQ(on_main.port, 3333) << "the section comes before the common part";
  EXPECT_THAT(on_main.load_block, ElementsAre("a"));
  const DaemonOptions on_regtest = Good({"-regtest"});
  EXPECT_EQ(on_regtest.port, 2222);
  EXPECT_THAT(on_regtest.load_block, ElementsAre("b", "a"));
  EXPECT_EQ(Good({"-port=4444"}).port, 4444);
  const DaemonOptions on_signet = Good({"-signet"});
  EXPECT_EQ(on_signet.port, 38333) << "the common part's port is for mainnet";
  EXPECT_THAT(on_signet.warnings, ElementsAre(HasSubstr("port holds for the main network alone")));
}

TEST_F(OptionsTest, ConfigFileMayChooseTheNetwork) {
  WriteConfig("regtest=1\nregtest.port=5\ntest.port=6\n");
  EXPECT_EQ(Good({}).chain, "regtest");
  EXPECT_EQ(Good({}).port, 5);
  EXPECT_THAT(Bad({"-testnet"}), HasSubstr("exclude one another"));
  EXPECT_EQ(Good({"-testnet", "-noregtest"}).port, 6);
}

TEST_F(OptionsTest, FirstValueOfTheFileWins) {
  WriteConfig("dbcache=100\ndbcache=200\nnolisten=1\nlisten=1\n");
  EXPECT_EQ(Good({}).cache_bytes, uint64_t{100} << 20);
  EXPECT_FALSE(Good({}).listen);
}

TEST_F(OptionsTest, IncludedFilesAreReadButNotTheirIncludes) {
  WriteConfig("includeconf=more.conf\nport=1\n[regtest]\nincludeconf=regtest.conf\n");
  WriteConfig("dbcache=50\nincludeconf=missing.conf\n", "more.conf");
  WriteConfig("par=1\n", "regtest.conf");
  EXPECT_EQ(Good({}).cache_bytes, uint64_t{50} << 20);
  EXPECT_EQ(Good({}).workers, 4u);
  EXPECT_EQ(Good({"-regtest"}).workers, 1u);
  EXPECT_EQ(Good({"-noincludeconf"}).cache_bytes, uint64_t{4} << 30);
  WriteConfig("includeconf=missing.conf\n");
  EXPECT_THAT(Bad({}), HasSubstr("missing.conf"));
  EXPECT_THAT(Bad({"-includeconf=more.conf"}), HasSubstr("inside a configuration file only"));
}

TEST_F(OptionsTest, MalformedFilesAreRefusedWithTheirLine) {
  WriteConfig("par=1\n-port=5\n");
  EXPECT_THAT(Bad({}), HasSubstr("line 2: options in a configuration file have no leading dash"));
  WriteConfig("par\n");
  EXPECT_THAT(Bad({}), HasSubstr("line 1: \"par\" lacks its value"));
  WriteConfig("[regtest\n");
  EXPECT_THAT(Bad({}), HasSubstr("closing bracket"));
  WriteConfig("par=many\n");
  EXPECT_THAT(Bad({}), HasSubstr("line 1"));
  EXPECT_THAT(Bad({"-conf=absent.conf"}), HasSubstr("absent.conf cannot be opened"));
  EXPECT_THAT(Bad({"-conf=."}), HasSubstr("is a directory"));
  EXPECT_EQ(Good({"-noconf"}).workers, 4u);
}

TEST_F(OptionsTest, UnknownNamesInTheFileAreWarnings) {
  WriteConfig("wallet=somebody\nprt=1\n[nonet]\nport=5\n");
  EXPECT_THAT(Good({}).warnings, ElementsAre(HasSubstr("no option wallet"), HasSubstr("The nearest is port"),
                                             HasSubstr("no network \"nonet\"")));
}

TEST_F(OptionsTest, DataDirectoryOfTheFileCountsUnlessTheCommandLineNamesOne) {
  WriteConfig("datadir=/elsewhere\n");
  EXPECT_EQ(Good({"-regtest"}).network_directory, "/elsewhere/regtest");
  EXPECT_EQ(Good({"-datadir=/here"}).data_directory, "/here");
  machine_.home_directory.clear();
  EXPECT_THAT(Bad({}), HasSubstr("no home directory"));
}

TEST_F(OptionsTest, HelpNamesEveryOptionAndIgnoresTheRest) {
  WriteConfig("broken");
  EXPECT_EQ(Good({"-help", "-port=5"}).action, DaemonAction::kPrintHelp);
  EXPECT_EQ(Good({"-?"}).action, DaemonAction::kPrintHelp);
  EXPECT_EQ(Good({"-version"}).action, DaemonAction::kPrintVersion);
  const std::string help = DaemonOptionTable().HelpText();
  for (const OptionRow& row : DaemonOptionTable().rows()) EXPECT_THAT(help, HasSubstr("\n  -" + std::string(row.name)));
  for (size_t at = 0; at < help.size(); at = help.find('\n', at) + 1) {
    EXPECT_LE(help.find('\n', at) - at, 110u);
  }
}

std::vector<std::string> Bindings(const DaemonOptions& options) {
  std::vector<std::string> addresses;
  for (const HttpBinding& binding : options.rpc.bind) addresses.push_back(binding.address.ToString());
  return addresses;
}

TEST_F(OptionsTest, RpcIsForThisMachineAlone) {
  const DaemonOptions options = Good({});
  EXPECT_TRUE(options.rpc.is_on);
  EXPECT_THAT(Bindings(options), ElementsAre("127.0.0.1:8332", "[::1]:8332"));
  EXPECT_TRUE(options.rpc.bind[1].is_optional) << "a machine need not have IPv6";
  EXPECT_THAT(options.rpc.allow, IsEmpty());
  EXPECT_EQ(options.rpc.cookie_file, DataDirectory() + "/.cookie");
  EXPECT_EQ(options.rpc.cookie_readers, CookieReaders::kOwner);
  EXPECT_EQ(options.rpc.threads, 4u);
  EXPECT_EQ(options.rpc.work_queue, 64u);
  EXPECT_EQ(options.rpc.server_timeout_s, 30u);
  EXPECT_FALSE(Good({"-server=0"}).rpc.is_on);
  EXPECT_FALSE(Good({"-noserver"}).rpc.is_on);
}

TEST_F(OptionsTest, RpcPortsOfTheNetworks) {
  for (const auto& [chain, port] : {std::pair<std::string, std::string>{"test", "18332"},
                                    {"testnet4", "48332"},
                                    {"signet", "38332"},
                                    {"regtest", "18443"}}) {
    const std::string option = "-chain=" + chain;
    EXPECT_THAT(Bindings(Good({option.c_str()})), ElementsAre("127.0.0.1:" + port, "[::1]:" + port)) << chain;
  }
  EXPECT_EQ(Good({"-regtest"}).rpc.cookie_file, DataDirectory() + "/regtest/.cookie");
  WriteConfig("rpcport=7\n[regtest]\nrpcport=8\n");
  EXPECT_THAT(Bindings(Good({"-regtest"})), ElementsAre("127.0.0.1:8", "[::1]:8"));
  EXPECT_THAT(Bindings(Good({"-regtest", "-rpcport=9"})), ElementsAre("127.0.0.1:9", "[::1]:9"));
}

TEST_F(OptionsTest, RpcForOthersTakesAnAddressAndARange) {
  const DaemonOptions both = Good({"-rpcbind=192.0.2.1", "-rpcbind=[2001:db8::1]:99", "-rpcallowip=192.0.2.0/24",
                                   "-rpcallowip=10.0.0.0/255.0.0.0"});
  EXPECT_THAT(Bindings(both), ElementsAre("192.0.2.1:8332", "[2001:db8::1]:99"));
  ASSERT_EQ(both.rpc.allow.size(), 2u);
  EXPECT_TRUE(both.rpc.allow[1].Contains(*ParseNumericHost("10.9.9.9", 1)));
  EXPECT_THAT(both.warnings, IsEmpty());
  for (const char* alone : {"-rpcbind=0.0.0.0", "-rpcallowip=0.0.0.0/0"}) {
    const DaemonOptions options = Good({alone});
    EXPECT_THAT(Bindings(options), ElementsAre("127.0.0.1:8332", "[::1]:8332")) << alone;
    EXPECT_THAT(options.warnings, ElementsAre(HasSubstr("takes no effect"))) << alone;
  }
}

TEST_F(OptionsTest, RpcUsersAndCookies) {
  EXPECT_EQ(Good({"-rpcuser=u", "-rpcpassword=p"}).rpc.cookie_file, "") << "the password is enough";
  EXPECT_EQ(Good({"-norpccookiefile"}).rpc.cookie_file, "");
  EXPECT_EQ(Good({"-rpccookiefile=/run/cookie"}).rpc.cookie_file, "/run/cookie");
  EXPECT_EQ(Good({"-regtest", "-rpccookiefile=c"}).rpc.cookie_file, DataDirectory() + "/regtest/c");
  EXPECT_EQ(Good({"-rpccookieperms=group"}).rpc.cookie_readers, CookieReaders::kGroup);
  const std::string user = "-rpcauth=u:s$" + std::string(64, 'a');
  EXPECT_THAT(Good({user.c_str()}).rpc.auth, ElementsAre(user.substr(9)));
}

TEST_F(OptionsTest, BadRpcOptions) {
  for (const char* bad : {"-rpcport=0", "-rpcport=65536", "-rpcbind=host:x", "-rpcallowip=1.2.3",
                          "-rpcallowip=1.2.3.4/33", "-rpcauth=u:s", "-rpcauth=u:s$00", "-rpcthreads=0",
                          "-rpcworkqueue=0", "-rpcservertimeout=0", "-rpccookieperms=world", "-server=x"}) {
    EXPECT_THAT(Bad({bad}), HasSubstr(std::string(bad).substr(0, 8))) << bad;
  }
  EXPECT_THAT(Bad({"-rpcbind=example.org", "-rpcallowip=1.2.3.4"}), HasSubstr("numeric"));
}

}  // namespace
}  // namespace headrace
