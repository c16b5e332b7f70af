// When DNS seeds are asked, how many, and what their answers are worth.
#include "net/discovery/dns_seeding.h"

#include <set>
#include <utility>

#include "net/discovery/dns_seeds.h"
#include "tests/net/discovery/book_fixture.h"

namespace headrace {
namespace {

using testing::HostInGroup;

class ScriptedLookup final : public NameLookup {
 public:
  void Ask(const std::string& name) override { asked.push_back(name); }
  std::vector<NameAnswer> TakeAnswers() override { return std::exchange(answers, {}); }

  std::vector<std::string> asked;
  std::vector<NameAnswer> answers;
};

class DnsSeedingTest : public testing::BookTest {
 protected:
  DnsSeeding Make(bool is_forced = false) {
    return DnsSeeding({{"a.example", "b.example", "c.example", "d.example", "e.example"}, 8333, is_forced}, &lookup_, plan_,
                      book_, clock_, entropy_);
  }
  NameAnswer Answer(const std::string& name, uint32_t first_group, uint32_t count) {
    NameAnswer answer{name, {}, ""};
    for (uint32_t i = 0; i < count; ++i) {
      answer.addresses.push_back(*HostInGroup(first_group + i, 1).ToAddress());
      answer.addresses.back().port = 0;
    }
    return answer;
  }

  AddressBook book_{false, clock_, entropy_};
  OutboundPlan plan_{{}, book_, clock_, entropy_};
  ScriptedLookup lookup_;
};

TEST_F(DnsSeedingTest, AnEmptyBookAsksAllAtOnce) {
  DnsSeeding seeding = Make();
  seeding.LookAt(0);
  EXPECT_EQ(std::set<std::string>(lookup_.asked.begin(), lookup_.asked.end()).size(), 5u);
  EXPECT_EQ(lookup_.asked.size(), 5u) << "each once";
  for (const std::string& name : lookup_.asked) EXPECT_TRUE(name.starts_with("x9.")) << name;
  Pass(3600);
  seeding.LookAt(1);
  EXPECT_EQ(lookup_.asked.size(), 5u);
}

TEST_F(DnsSeedingTest, ABookGetsElevenSeconds) {
  Add(book_, HostInGroup(1, 1), HostInGroup(2, 1));
  DnsSeeding seeding = Make();
  seeding.LookAt(0);
  Pass(10);
  seeding.LookAt(0);
  EXPECT_TRUE(lookup_.asked.empty());
  Pass(1);
  seeding.LookAt(1);
  EXPECT_EQ(lookup_.asked.size(), 3u) << "one peer is not enough";
  Pass(10);
  seeding.LookAt(1);
  EXPECT_EQ(lookup_.asked.size(), 3u);
  Pass(1);
  seeding.LookAt(1);
  EXPECT_EQ(lookup_.asked.size(), 5u);
  EXPECT_EQ(std::set<std::string>(lookup_.asked.begin(), lookup_.asked.end()).size(), 5u) << "each once";
}

TEST_F(DnsSeedingTest, TwoPeersAreEnoughUnlessItIsForced) {
  Add(book_, HostInGroup(1, 1), HostInGroup(2, 1));
  DnsSeeding seeding = Make();
  seeding.LookAt(0);
  Pass(11);
  seeding.LookAt(2);
  Pass(3600);
  seeding.LookAt(1);
  EXPECT_TRUE(lookup_.asked.empty());
  DnsSeeding forced = Make(true);
  forced.LookAt(5);
  EXPECT_EQ(lookup_.asked.size(), 5u);
}

TEST_F(DnsSeedingTest, WhoIsAloneForTenMinutesStartsOver) {
  Add(book_, HostInGroup(1, 1), HostInGroup(2, 1));
  DnsSeeding seeding = Make();
  seeding.LookAt(0);
  Pass(11);
  seeding.LookAt(2);
  EXPECT_TRUE(lookup_.asked.empty());
  Pass(599);
  seeding.LookAt(0);
  EXPECT_TRUE(lookup_.asked.empty());
  Pass(1);
  seeding.LookAt(0);
  EXPECT_EQ(lookup_.asked.size(), 3u);
}

TEST_F(DnsSeedingTest, AnswersGoIntoTheBookAsOldNews) {
  DnsSeeding seeding = Make();
  seeding.LookAt(0);
  lookup_.answers = {Answer("x9.a.example", 100, 40), Answer("x9.b.example", 300, 2)};
  lookup_.answers.back().addresses.push_back(Address::Ipv4(127, 0, 0, 1, 0));
  seeding.LookAt(0);
  EXPECT_EQ(book_.size(), 34u) << "32 of an answer, and none that is not routable";
  const KnownAddress known = *book_.Find(HostInGroup(300, 1));
  EXPECT_EQ(known.services, kNodeNetwork | kNodeWitness);
  constexpr int64_t kDay = 24 * 3600;
  EXPECT_LE(known.time_s, clock_.UnixSeconds() - 3 * kDay);
  EXPECT_GE(known.time_s, clock_.UnixSeconds() - 7 * kDay);
  // Seeds are sources of their own.
  EXPECT_NE(known.source, book_.Find(HostInGroup(100, 1))->source);
}

TEST_F(DnsSeedingTest, ASeedWithoutThePrefixIsAskedPlainly) {
  DnsSeeding seeding = Make();
  seeding.LookAt(0);
  lookup_.asked.clear();
  lookup_.answers = {{"x9.a.example", {}, "not found"}};
  seeding.LookAt(0);
  EXPECT_EQ(lookup_.asked, std::vector<std::string>{"a.example"});
  lookup_.answers = {{"a.example", {}, "not found"}};
  seeding.LookAt(0);
  EXPECT_EQ(lookup_.asked.size(), 1u) << "and then it is given up";
}

TEST_F(DnsSeedingTest, BehindAProxySeedsAreNodesToAsk) {
  DnsSeeding seeding({{"a.example", "b.example"}, 8333, false}, nullptr, plan_, book_, clock_, entropy_);
  seeding.LookAt(0);
  std::set<std::string> dialled;
  for (int i = 0; i < 4; ++i) {
    if (const auto dial = plan_.Next({}, [](const NodeAddress&) { return false; })) {
      EXPECT_EQ(dial->kind, PeerKind::kAddressFetch);
      dialled.insert(dial->to.ToString());
    }
    Pass(1);
  }
  EXPECT_EQ(dialled, (std::set<std::string>{"a.example:8333", "b.example:8333"}));
}

TEST(DnsSeedsTest, EveryNetworkHasSeveral) {
  EXPECT_GE(DnsSeedsOf("main").size(), 5u);
  for (const char* chain : {"test", "testnet4", "signet"}) EXPECT_GE(DnsSeedsOf(chain).size(), 2u) << chain;
  EXPECT_EQ(DnsSeedsOf("regtest").size(), 1u);
}

}  // namespace
}  // namespace headrace
