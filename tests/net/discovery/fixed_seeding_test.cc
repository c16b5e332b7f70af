// When the fixed seeds are taken, what they count for, and what the list holds.
#include "net/discovery/fixed_seeding.h"

#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "net/discovery/discovery.h"
#include "net/discovery/fixed_seeds.h"
#include "tests/net/discovery/book_fixture.h"

namespace headrace {
namespace {

using testing::HostInGroup;

class FixedSeedingTest : public testing::BookTest {
 protected:
  static constexpr uint32_t kCount = 40;
  // Two of one source may fall on one place of the book.
  static constexpr uint32_t kTakenMin = kCount - 4;

  FixedSeeding Make(bool are_others_asked) {
    FixedSeedingOptions options{{}, are_others_asked};
    for (uint32_t i = 0; i < kCount; ++i) options.addresses.push_back(HostInGroup(100 + i, 1));
    return FixedSeeding(std::move(options), book_, clock_, entropy_);
  }

  AddressBook book_{false, clock_, entropy_};
};

TEST_F(FixedSeedingTest, AreTakenAtOnceWhenNobodyElseIsAsked) {
  FixedSeeding seeding = Make(false);
  seeding.Look();
  EXPECT_GE(book_.size(), kTakenMin);
  ExpectSound(book_);
}

TEST_F(FixedSeedingTest, OthersHaveAMinute) {
  FixedSeeding seeding = Make(true);
  seeding.Look();
  Pass(59);
  seeding.Look();
  EXPECT_EQ(book_.size(), 0u);
  Pass(1);
  seeding.Look();
  EXPECT_GE(book_.size(), kTakenMin);
}

TEST_F(FixedSeedingTest, ABookThatHoldsAnybodyNeedsNone) {
  Add(book_, HostInGroup(1, 1), HostInGroup(2, 1));
  for (const bool are_others_asked : {false, true}) {
    FixedSeeding seeding = Make(are_others_asked);
    seeding.Look();
    Pass(3600);
    seeding.Look();
    EXPECT_EQ(book_.size(), 1u);
  }
}

TEST_F(FixedSeedingTest, AreOldNewsOfOneSource) {
  FixedSeeding seeding = Make(false);
  seeding.Look();
  constexpr int64_t kWeek = 7 * 24 * 3600;
  std::set<NetworkGroup> sources;
  std::set<int64_t> times;
  for (uint32_t i = 0; i < kCount; ++i) {
    const std::optional<KnownAddress> known = book_.Find(HostInGroup(100 + i, 1));
    if (!known) continue;
    EXPECT_EQ(known->services, testing::kFullServices);
    EXPECT_LE(known->time_s, clock_.UnixSeconds() - kWeek);
    EXPECT_GE(known->time_s, clock_.UnixSeconds() - 2 * kWeek);
    sources.insert(known->source);
    times.insert(known->time_s);
  }
  EXPECT_EQ(sources, std::set<NetworkGroup>{NodeAddress::SourceNamed("fixed seeds").Group()});
  EXPECT_GT(times.size(), kCount / 2) << "one time for all would tell where they come from";
}

TEST_F(FixedSeedingTest, OfNetworksThatAreChosenInAlone) {
  const NodeAddress v4 = HostInGroup(1, 1);
  const NodeAddress v6 = NodeAddress::Of(*ParseAddress("[2a01:4f8::1]:8333", 0));
  for (const bool wants_v6 : {false, true}) {
    DiscoveryOptions options;
    options.fixed.addresses = {v4, v6};
    options.outbound.networks = NetworkBit(wants_v6 ? kNetworkIpv6 : kNetworkIpv4);
    Discovery discovery(options, clock_, entropy_);
    discovery.LookAtSeeds(0);
    EXPECT_EQ(discovery.book().size(), 1u);
    EXPECT_TRUE(discovery.book().Find(wants_v6 ? v6 : v4).has_value());
  }
}

TEST(FixedSeedsTest, MainnetsAreSpreadOverGroupsAndOthersHaveNone) {
  const std::vector<NodeAddress> seeds = FixedSeedsOf("main");
  EXPECT_LE(seeds.size(), 512u);
  EXPECT_GE(seeds.size(), 256u);
  std::set<NetworkGroup> groups;
  size_t v6 = 0;
  for (const NodeAddress& seed : seeds) {
    EXPECT_TRUE(seed.IsRoutable()) << seed.ToString();
    EXPECT_TRUE(groups.insert(seed.Group()).second) << seed.ToString() << " is not alone in its group";
    v6 += seed.network == kNetworkIpv6 ? 1 : 0;
  }
  EXPECT_GE(v6, seeds.size() / 8);
  for (const char* chain : {"test", "testnet4", "signet", "regtest"}) EXPECT_TRUE(FixedSeedsOf(chain).empty()) << chain;
}

}  // namespace
}  // namespace headrace
