// Whom the plan dials: order, groups, pauses, services, feelers.
#include "net/discovery/outbound_plan.h"

#include <map>

#include "tests/net/discovery/book_fixture.h"

namespace headrace {
namespace {

using testing::HostInGroup;

class PlanTest : public testing::BookTest {
 protected:
  void Fill(uint32_t groups) {
    for (uint32_t i = 0; i < groups; ++i) Add(book_, HostInGroup(i, 1), HostInGroup(i + 5'000, 1));
  }
  void Use(const OutboundPlan::Dial& dial) {
    const NodeAddress node = dial.to.node;
    in_use_.addresses.insert(node);
    if (dial.kind == PeerKind::kFullRelay) ++in_use_.full_relay;
    if (dial.kind == PeerKind::kBlockRelay) ++in_use_.block_relay;
    if (dial.kind == PeerKind::kAddressFetch) ++in_use_.address_fetches;
    if (dial.kind == PeerKind::kFeeler) ++in_use_.feelers;
    if (dial.kind == PeerKind::kFullRelay || dial.kind == PeerKind::kBlockRelay) in_use_.groups.insert(node.Group());
  }
  // The next dial within so long, if there is one.
  std::optional<OutboundPlan::Dial> NextWithin(OutboundPlan& plan, int64_t seconds) {
    for (int64_t step = 0; step <= seconds * 4; ++step) {
      if (auto dial = plan.Next(in_use_, refused_)) return dial;
      clock_.AdvanceTo(clock_.now_ns() + sim::kNsPerSecond / 4);
    }
    return std::nullopt;
  }

  AddressBook book_{false, clock_, entropy_};
  OutboundLimits limits_;
  OutboundPlan::InUse in_use_;
  OutboundPlan::IsRefused refused_ = [](const NodeAddress&) { return false; };
};

TEST_F(PlanTest, AnEmptyBookLeadsNowhere) {
  OutboundPlan plan(limits_, book_, clock_, entropy_);
  EXPECT_FALSE(NextWithin(plan, 3'600).has_value());
}

TEST_F(PlanTest, EightAndTwoOneForEachGroup) {
  for (uint32_t i = 0; i < 400; ++i) Add(book_, HostInGroup(i % 20, i / 20), HostInGroup(i % 77 + 5'000, 1));
  limits_.feelers_max = 0;
  OutboundPlan plan(limits_, book_, clock_, entropy_);
  for (int i = 0; i < 10; ++i) {
    const auto dial = NextWithin(plan, 1);
    ASSERT_TRUE(dial.has_value()) << i;
    EXPECT_EQ(dial->kind, i < 8 ? PeerKind::kFullRelay : PeerKind::kBlockRelay);
    EXPECT_FALSE(in_use_.groups.contains(dial->to.node.Group()));
    Use(*dial);
  }
  EXPECT_FALSE(NextWithin(plan, 3'600).has_value()) << "ten are enough";
  in_use_.full_relay = 7;
  EXPECT_EQ(NextWithin(plan, 1)->kind, PeerKind::kFullRelay);
}

TEST_F(PlanTest, ThereIsAPauseBetweenDials) {
  Fill(100);
  OutboundPlan plan(limits_, book_, clock_, entropy_);
  int64_t last_ns = INT64_MIN / 2;
  for (int i = 0; i < 5; ++i) {
    const auto dial = NextWithin(plan, 10);
    ASSERT_TRUE(dial.has_value());
    EXPECT_GE(clock_.now_ns() - last_ns, limits_.dial_interval_ms * sim::kNsPerMs);
    last_ns = clock_.now_ns();
    EXPECT_FALSE(plan.is_due());
  }
}

TEST_F(PlanTest, AnAddressThatDoesNotAnswerIsLeftAlone) {
  const NodeAddress only = HostInGroup(1, 1);
  Add(book_, only, HostInGroup(5'000, 1));
  limits_.feelers_max = 0;
  OutboundPlan plan(limits_, book_, clock_, entropy_);
  int dials = 0;
  int64_t last_s = -1'000;
  const int64_t end_ns = clock_.now_ns() + 3'600 * sim::kNsPerSecond;
  while (clock_.now_ns() < end_ns) {
    if (NextWithin(plan, 0)) {
      const int64_t now_s = clock_.UnixSeconds();
      EXPECT_GE(now_s - last_s, 60);
      last_s = now_s;
      ++dials;
    }
  }
  EXPECT_GT(dials, 3) << "and it is not forgotten";
  EXPECT_LE(dials, 60);
}

TEST_F(PlanTest, FailuresCountForWhoIsOnlineAlone) {
  const NodeAddress only = HostInGroup(1, 1);
  Add(book_, only, HostInGroup(5'000, 1));
  limits_.feelers_max = 0;
  OutboundPlan plan(limits_, book_, clock_, entropy_);
  in_use_.full_relay = 5;
  in_use_.introduced = 1;
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(NextWithin(plan, 3'600).has_value());
  EXPECT_EQ(book_.Find(only)->attempts, 0) << "five dials under way, and one peer";
  in_use_.introduced = 2;
  book_.Good(HostInGroup(2, 1));
  EXPECT_TRUE(NextWithin(plan, 3'600).has_value());
  EXPECT_EQ(book_.Find(only)->attempts, 1);
}

TEST_F(PlanTest, ThoseThatWereThereBeforeAreDialledAtOnce) {
  OutboundPlan plan(limits_, book_, clock_, entropy_);
  std::vector<NodeAddress> recent;
  for (uint32_t i = 0; i < 8; ++i) recent.push_back(HostInGroup(i, 1));
  plan.SetFirst({HostInGroup(200, 1), HostInGroup(201, 1)}, recent);
  for (int i = 0; i < 10; ++i) {
    const auto dial = plan.Next(in_use_, refused_);
    ASSERT_TRUE(dial.has_value()) << i;
    Use(*dial);
  }
}

TEST_F(PlanTest, AnchorsThenRecentPeersThenSeeds) {
  Fill(100);
  OutboundPlan plan(limits_, book_, clock_, entropy_);
  const NodeAddress onion = *NodeAddress::FromWire(NetworkAddress{0, 0, kNetworkTorV3, std::vector<uint8_t>(32, 1), 8333});
  // One group twice, and one that cannot be dialled: those are given up.
  plan.SetFirst({HostInGroup(200, 1), onion, HostInGroup(200, 2), HostInGroup(201, 1)}, {HostInGroup(202, 1), HostInGroup(203, 1)});
  plan.AddSeeds({Destination::Of(HostInGroup(204, 1)), Destination::Of(HostInGroup(204, 2))});
  const std::vector<std::pair<NodeAddress, PeerKind>> expected = {
      {HostInGroup(200, 1), PeerKind::kBlockRelay},   {HostInGroup(201, 1), PeerKind::kBlockRelay},
      {HostInGroup(202, 1), PeerKind::kFullRelay},    {HostInGroup(203, 1), PeerKind::kFullRelay},
      {HostInGroup(204, 1), PeerKind::kAddressFetch}, {HostInGroup(204, 2), PeerKind::kAddressFetch}};
  for (const auto& [address, kind] : expected) {
    const auto dial = NextWithin(plan, 1);
    ASSERT_TRUE(dial.has_value());
    EXPECT_EQ(dial->to.node, address);
    EXPECT_EQ(dial->kind, kind);
    Use(*dial);
  }
  const auto dial = NextWithin(plan, 1);
  ASSERT_TRUE(dial.has_value());
  EXPECT_TRUE(book_.Find(dial->to.node).has_value());
}

TEST_F(PlanTest, SeedsAreAskedAgainByWhoIsAlone) {
  OutboundPlan plan(limits_, book_, clock_, entropy_);
  plan.AddSeeds({Destination::Of(HostInGroup(204, 1))});
  EXPECT_TRUE(NextWithin(plan, 1).has_value());
  EXPECT_FALSE(NextWithin(plan, 50).has_value());
  EXPECT_TRUE(NextWithin(plan, 20).has_value());
  in_use_.full_relay = 3;
  EXPECT_TRUE(NextWithin(plan, 70).has_value()) << "dials under way are nobody";
  in_use_.introduced = 1;
  EXPECT_FALSE(NextWithin(plan, 600).has_value()) << "somebody is there";
}

TEST_F(PlanTest, WhoCannotServeIsNotChosenButFelt) {
  book_.Add({HostInGroup(1, 1), kNodeNetwork, clock_.UnixSeconds()}, HostInGroup(5'000, 1), 0);
  book_.Add({HostInGroup(2, 1), kNodeNetworkLimited | kNodeWitness, clock_.UnixSeconds()}, HostInGroup(5'001, 1), 0);
  OutboundPlan plan(limits_, book_, clock_, entropy_);
  const auto dial = NextWithin(plan, 3'600);
  ASSERT_TRUE(dial.has_value());
  EXPECT_EQ(dial->kind, PeerKind::kFeeler);
}

TEST_F(PlanTest, FeelersComeEveryTwoMinutesOrSoAndOnlyToNew) {
  Fill(3'000);
  for (uint32_t i = 0; i < 50; ++i) book_.Good(HostInGroup(i, 1));
  Pass(24 * 3600);
  limits_.full_relay_max = limits_.block_relay_max = 0;
  OutboundPlan plan(limits_, book_, clock_, entropy_);
  int feelers = 0;
  const int64_t end_ns = clock_.now_ns() + 4 * 3'600 * sim::kNsPerSecond;
  while (clock_.now_ns() < end_ns) {
    const auto dial = NextWithin(plan, 0);
    if (!dial) continue;
    EXPECT_EQ(dial->kind, PeerKind::kFeeler);
    EXPECT_FALSE(book_.Find(dial->to.node)->is_tried);
    ++feelers;
  }
  EXPECT_GT(feelers, 80);
  EXPECT_LT(feelers, 170);
}

TEST_F(PlanTest, ContestsAreFeltFirst) {
  for (uint32_t i = 0; book_.contest_count() == 0 && i < 9'000; ++i) {
    Add(book_, HostInGroup(i, 1), HostInGroup((i * 7 + 1) % 9'000, 3));
    book_.Good(HostInGroup(i, 1));
    if (i == 500) Pass(5 * 3'600);
    // Until there is one about a slot whose owner answered before the pause.
    const bool is_fresh = book_.contest_count() != 0 &&
                          clock_.UnixSeconds() - book_.SelectDefender()->last_success_s < 4 * 3'600;
    if (is_fresh) book_.ResolveContests();
  }
  ASSERT_EQ(book_.contest_count(), 1u);
  const NodeAddress defender = book_.SelectDefender()->address;
  limits_.full_relay_max = limits_.block_relay_max = 0;
  limits_.feeler_interval_ms = 1;
  OutboundPlan plan(limits_, book_, clock_, entropy_);
  const auto dial = NextWithin(plan, 1);
  ASSERT_TRUE(dial.has_value());
  EXPECT_EQ(dial->to.node, defender);
}

TEST_F(PlanTest, OnlyAddressesOfItsNetworksAreChosenAndSeedsEverywhere) {
  const NodeAddress onion = *NodeAddress::FromWire(NetworkAddress{0, 0, kNetworkTorV3, std::vector<uint8_t>(32, 1), 8333});
  for (uint32_t i = 0; i < 50; ++i) Add(book_, HostInGroup(i, 1), HostInGroup(5'000, 1));
  Add(book_, onion, HostInGroup(5'000, 1));
  limits_.networks = NetworkBit(kNetworkTorV3);
  limits_.feelers_max = 0;
  OutboundPlan plan(limits_, book_, clock_, entropy_);
  plan.SetFirst({HostInGroup(1, 1)}, {HostInGroup(2, 1)});
  const Destination named = Destination::Named({"seed.example", 8333});
  plan.AddSeeds({Destination::Of(HostInGroup(3, 1)), named, named});
  std::vector<Destination> dialled;
  while (const auto dial = NextWithin(plan, 30)) {
    dialled.push_back(dial->to);
    Use(*dial);
    in_use_.address_fetches = 0;
  }
  EXPECT_EQ(dialled, (std::vector<Destination>{Destination::Of(HostInGroup(3, 1)), named, Destination::Of(onion)}));
}

TEST_F(PlanTest, RefusedConnectedAndUndialledAddressesAreLeftOut) {
  const NodeAddress refused = HostInGroup(1, 1);
  const NodeAddress connected = HostInGroup(2, 1);
  const NodeAddress onion = *NodeAddress::FromWire(NetworkAddress{0, 0, kNetworkTorV3, std::vector<uint8_t>(32, 1), 8333});
  for (const NodeAddress& address : {refused, connected, onion}) Add(book_, address, HostInGroup(5'000, 1));
  refused_ = [&](const NodeAddress& address) { return address == refused; };
  in_use_.addresses.insert(connected);
  OutboundPlan plan(limits_, book_, clock_, entropy_);
  plan.SetFirst({refused, connected, onion}, {refused, connected, onion});
  plan.AddSeeds({Destination::Of(refused), Destination::Of(connected)});
  EXPECT_FALSE(NextWithin(plan, 3'600).has_value());
}

}  // namespace
}  // namespace headrace
