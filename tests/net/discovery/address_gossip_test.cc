// What is taken from peers, what is handed on to whom, and what getaddr is answered with.
#include "net/discovery/address_gossip.h"

#include <map>
#include <set>

#include "tests/net/discovery/book_fixture.h"

namespace headrace {
namespace {

using testing::HostInGroup;
using testing::kFullServices;

class GossipTest : public testing::BookTest {
 protected:
  void Join(PeerId peer, bool is_inbound, bool is_asked = false) {
    gossip_.Join(peer, {HostInGroup(static_cast<uint32_t>(peer) + 9'000, 1), is_inbound, is_asked});
  }
  // One that came by itself, over that listening address.
  void JoinAt(PeerId peer, const Address& listener, bool is_trusted = false) {
    gossip_.Join(peer, {HostInGroup(static_cast<uint32_t>(peer) + 9'000, 1), true, false, listener, is_trusted});
  }
  std::set<NodeAddress> AnswerTo(PeerId peer) {
    std::set<NodeAddress> addresses;
    for (const HeardAddress& heard : *gossip_.OnGetAddr(peer)) addresses.insert(heard.address);
    return addresses;
  }
  // A peer that came by itself and takes part.
  void JoinListening(PeerId peer) {
    Join(peer, true);
    gossip_.OnAddresses(peer, {}, 0);
  }
  AddressGossip::Tally Tell(PeerId peer, std::vector<HeardAddress> heard) {
    const size_t count = heard.size();
    return gossip_.OnAddresses(peer, std::move(heard), count);
  }
  std::vector<HeardAddress> Hosts(uint32_t first, uint32_t count, int64_t age_s = 0) {
    std::vector<HeardAddress> hosts;
    for (uint32_t i = first; i < first + count; ++i) hosts.push_back(Heard(HostInGroup(i, 1), age_s));
    return hosts;
  }
  // What is sent to whom within `seconds`.
  std::map<PeerId, std::vector<NodeAddress>> SentWithin(int64_t seconds) {
    std::map<PeerId, std::vector<NodeAddress>> sent;
    for (int64_t i = 0; i <= seconds; ++i) {
      gossip_.SendDue([&](PeerId peer, const std::vector<HeardAddress>& due) {
        for (const HeardAddress& heard : due) sent[peer].push_back(heard.address);
      });
      Pass(1);
    }
    return sent;
  }

  AddressBook book_{false, clock_, entropy_};
  AddressGossip gossip_{book_, clock_, entropy_};
};

TEST_F(GossipTest, TheRateIsATenthASecondAndAThousandAtMost) {
  Join(1, true);
  AddressGossip::Tally tally = Tell(1, Hosts(0, 10));
  EXPECT_EQ(tally.taken, 1u);
  EXPECT_EQ(tally.beyond_rate, 9u);
  Pass(100);
  tally = Tell(1, Hosts(100, 50));
  EXPECT_EQ(tally.taken, 10u);
  EXPECT_EQ(tally.beyond_rate, 40u);
  EXPECT_EQ(book_.size(), 11u) << "what is beyond the rate is not remembered";
  Pass(30 * 24 * 3600);
  tally = Tell(1, Hosts(200, 1000));
  EXPECT_EQ(tally.taken, 1000u);
  tally = Tell(1, Hosts(2'000, 1000));
  EXPECT_EQ(tally.taken, 0u) << "a month of silence is worth no more than a thousand";
}

TEST_F(GossipTest, EachListeningAddressHasASampleOfItsOwn) {
  for (const HeardAddress& heard : Hosts(0, 1'000)) book_.Add(heard, heard.address, 0);
  const Address here = Address::Ipv4(10, 0, 0, 1, 8333), there = Address::Ipv4(10, 0, 0, 2, 8333);
  JoinAt(1, here);
  JoinAt(2, there);
  JoinAt(3, here);
  const std::set<NodeAddress> first = AnswerTo(1);
  EXPECT_EQ(first.size(), book_.size() * 23 / 100);
  EXPECT_NE(AnswerTo(2), first) << "both addresses would be seen to be one node's";
  EXPECT_EQ(AnswerTo(3), first);
}

TEST_F(GossipTest, WhoIsTrustedTellsAtAnyRateAndIsAnsweredFromTheBookItself) {
  for (const HeardAddress& heard : Hosts(0, 1'000)) book_.Add(heard, heard.address, 0);
  const Address here = Address::Ipv4(10, 0, 0, 1, 8333);
  JoinAt(1, here);
  JoinAt(2, here, true);
  JoinAt(3, here, true);
  const std::set<NodeAddress> kept = AnswerTo(1);
  const std::set<NodeAddress> fresh = AnswerTo(2);
  EXPECT_EQ(fresh.size(), kept.size());
  EXPECT_NE(fresh, kept);
  EXPECT_NE(AnswerTo(3), fresh);
  EXPECT_EQ(gossip_.OnGetAddr(2), nullptr) << "once all the same";
  EXPECT_EQ(Tell(2, Hosts(5'000, 800)).beyond_rate, 0u);
  EXPECT_EQ(Tell(2, Hosts(6'000, 800)).beyond_rate, 0u);
}

TEST_F(GossipTest, AnAnswerIsNotCountedAgainstTheRate) {
  Join(1, false, true);
  EXPECT_EQ(Tell(1, Hosts(0, 1000)).taken, 1000u);
  EXPECT_EQ(Tell(1, Hosts(1'000, 10)).taken, 1u);
}

TEST_F(GossipTest, OnlyThoseWhoCanServeAreTaken) {
  Join(1, false, true);
  std::vector<HeardAddress> heard = Hosts(0, 4);
  heard[0].services = 0;
  heard[1].services = kNodeWitness;
  heard[2].services = kNodeNetworkLimited;
  heard.push_back(Heard(NodeAddress::Of(Address::Ipv4(192, 168, 1, 1, 8333))));
  EXPECT_EQ(Tell(1, heard).taken, 2u);
  EXPECT_FALSE(book_.Find(heard[0].address));
  EXPECT_FALSE(book_.Find(heard[1].address));
  EXPECT_TRUE(book_.Find(heard[2].address));
  EXPECT_TRUE(book_.Find(heard[3].address));
  EXPECT_FALSE(book_.Find(heard[4].address));
}

TEST_F(GossipTest, TimesThatCannotBeAreLongAgo) {
  Join(1, false, true);
  std::vector<HeardAddress> heard = Hosts(0, 3);
  const int64_t now_s = clock_.UnixSeconds();
  heard[0].time_s = 5;
  heard[1].time_s = now_s + 601;
  heard[2].time_s = now_s + 600;
  Tell(1, heard);
  constexpr int64_t kHearsaySeconds = 2 * 3600;
  constexpr int64_t kFiveDaysSeconds = 5 * 24 * 3600;
  EXPECT_EQ(book_.Find(heard[0].address)->time_s, now_s - kFiveDaysSeconds - kHearsaySeconds);
  EXPECT_EQ(book_.Find(heard[1].address)->time_s, now_s - kFiveDaysSeconds - kHearsaySeconds);
  EXPECT_EQ(book_.Find(heard[2].address)->time_s, now_s + 600 - kHearsaySeconds);
}

TEST_F(GossipTest, FreshNewsGoToTwoPeersOnce) {
  JoinListening(1);
  for (PeerId peer = 2; peer <= 12; ++peer) JoinListening(peer);
  Pass(1'000);
  SentWithin(0);
  std::map<NodeAddress, int> told;
  for (uint32_t round = 0; round < 10; ++round) {
    Tell(1, Hosts(round * 10, 10));
    for (const auto& [peer, addresses] : SentWithin(600)) {
      EXPECT_NE(peer, 1u) << "whoever told knows";
      for (const NodeAddress& address : addresses) ++told[address];
    }
  }
  EXPECT_EQ(told.size(), 100u);
  for (const auto& [address, times] : told) EXPECT_EQ(times, 2) << address.ToString();
  // The same from somebody else takes the same way, and those know it already.
  Tell(2, Hosts(0, 10));
  size_t again = 0;
  for (const auto& [peer, addresses] : SentWithin(600)) again += addresses.size();
  EXPECT_LT(again, 10u);
}

TEST_F(GossipTest, TheWayOfAnAddressIsTheSameAllDay) {
  for (PeerId peer = 1; peer <= 30; ++peer) JoinListening(peer);
  std::map<PeerId, int> receivers;
  for (PeerId teller = 1; teller <= 10; ++teller) {
    Pass(100);
    Tell(teller, Hosts(0, 1));
    for (const auto& [peer, addresses] : SentWithin(300)) receivers[peer] += static_cast<int>(addresses.size());
  }
  // Two, and a third when one of them is the teller.
  EXPECT_LE(receivers.size(), 4u);
  for (int day = 0; day < 5; ++day) {
    Pass(24 * 3600);
    Tell(1, Hosts(0, 1));
    for (const auto& [peer, addresses] : SentWithin(300)) receivers[peer] += static_cast<int>(addresses.size());
  }
  EXPECT_GT(receivers.size(), 4u) << "another day, another way";
}

TEST_F(GossipTest, ListsOldNewsAndAnswersAreNotHandedOn) {
  for (PeerId peer = 1; peer <= 5; ++peer) JoinListening(peer);
  Join(6, false, true);
  Pass(1'000);
  SentWithin(0);
  Tell(1, Hosts(0, 11));
  Tell(2, Hosts(100, 5, 601));
  Tell(6, Hosts(200, 3));
  EXPECT_TRUE(SentWithin(600).empty());
  // It has answered: what it says from now on is news.
  Tell(6, Hosts(300, 3));
  EXPECT_FALSE(SentWithin(600).empty());
}

TEST_F(GossipTest, UndialledNetworksGoToOnePeer) {
  for (PeerId peer = 1; peer <= 10; ++peer) JoinListening(peer);
  Pass(1'000);
  NodeAddress onion;
  onion.network = kNetworkTorV3;
  onion.bytes.fill(7);
  onion.port = 8333;
  Tell(1, {Heard(onion)});
  size_t told = 0;
  for (const auto& [peer, addresses] : SentWithin(600)) told += addresses.size();
  EXPECT_EQ(told, 1u);
  EXPECT_TRUE(book_.Find(onion).has_value());
}

TEST_F(GossipTest, PeersThatDoNotListenAreNotTold) {
  Join(1, false, false);
  for (PeerId peer = 2; peer <= 6; ++peer) Join(peer, true);
  Pass(1'000);
  Tell(1, Hosts(0, 5));
  EXPECT_TRUE(SentWithin(600).empty()) << "who never spoke of addresses may be a light client";
  gossip_.OnGetAddr(2);
  Pass(1'000);
  Tell(1, Hosts(10, 5));
  const auto sent = SentWithin(600);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent.begin()->first, 2u);
}

TEST_F(GossipTest, WaitingAddressesAreBounded) {
  JoinListening(1);
  JoinListening(2);
  Pass(30 * 24 * 3600);
  SentWithin(0);
  for (uint32_t i = 0; i < 300; ++i) {
    Tell(1, Hosts(i * 10, 10));
    Pass(100);
  }
  size_t told = 0;
  gossip_.SendDue([&](PeerId, const std::vector<HeardAddress>& due) {
    EXPECT_LE(due.size(), size_t{kMaxAddressesPerMessage});
    told += due.size();
  });
  EXPECT_EQ(told, size_t{kMaxAddressesPerMessage});
}

TEST_F(GossipTest, GetAddrIsAnsweredOnceToThoseWhoCame) {
  for (uint32_t i = 0; i < 2'000; ++i) Add(book_, HostInGroup(i, 1), HostInGroup(i % 100 + 5'000, 1));
  Join(1, true);
  Join(2, false, true);
  EXPECT_EQ(gossip_.OnGetAddr(2), nullptr) << "whom this node dialled";
  EXPECT_EQ(gossip_.OnGetAddr(99), nullptr);
  const std::vector<HeardAddress>* answer = gossip_.OnGetAddr(1);
  ASSERT_NE(answer, nullptr);
  EXPECT_EQ(answer->size(), book_.size() * 23 / 100);
  EXPECT_EQ(gossip_.OnGetAddr(1), nullptr) << "once";
}

TEST_F(GossipTest, AskingOftenTellsNothingMore) {
  for (uint32_t i = 0; i < 9'000; ++i) Add(book_, HostInGroup(i, 1), HostInGroup(i % 100 + 5'000, 1));
  ASSERT_GT(book_.size() * 23 / 100, 1'000u);
  std::set<NodeAddress> learnt;
  for (PeerId peer = 1; peer <= 200; ++peer) {
    Pass(300);
    Join(peer, true);
    for (const HeardAddress& heard : *gossip_.OnGetAddr(peer)) learnt.insert(heard.address);
    gossip_.Leave(peer);
  }
  EXPECT_EQ(learnt.size(), 1'000u);
  Pass(27 * 3600);
  Join(1'000, true);
  for (const HeardAddress& heard : *gossip_.OnGetAddr(1'000)) learnt.insert(heard.address);
  EXPECT_GT(learnt.size(), 1'500u) << "the next day's are others";
}

TEST_F(GossipTest, TheOwnAddressIsToldToNewPeersAndAboutDaily) {
  const NodeAddress own = HostInGroup(77, 7);
  gossip_.SetOwn({{own, kFullServices, 0}});
  Join(1, false, true);
  Join(2, true);
  const auto first = SentWithin(0);
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first.at(1), std::vector<NodeAddress>{own});
  EXPECT_EQ(first.at(2), std::vector<NodeAddress>{own});
  size_t told = 0;
  constexpr int kDays = 60;
  for (int hour = 0; hour < kDays * 24; ++hour) {
    Pass(3600);
    gossip_.SendDue([&](PeerId peer, const std::vector<HeardAddress>& due) {
      EXPECT_EQ(due.at(0).time_s, clock_.UnixSeconds());
      told += peer == 1 ? 1 : 0;
    });
  }
  EXPECT_GT(told, size_t{kDays} / 2);
  EXPECT_LT(told, size_t{kDays} * 2);
  // What others say of it is no news.
  EXPECT_EQ(Tell(1, {Heard(own)}).taken, 0u);
  EXPECT_FALSE(book_.Find(own).has_value());
}

TEST_F(GossipTest, WhereTheNodeMetItselfIsNotToldAndNotTaken) {
  const NodeAddress self = HostInGroup(77, 7);
  gossip_.MarkAsSelf(self);
  EXPECT_TRUE(gossip_.IsOwn(self));
  Join(1, false, true);
  EXPECT_TRUE(SentWithin(100).empty());
  EXPECT_EQ(Tell(1, {Heard(self)}).taken, 0u);
  for (uint32_t i = 0; i < 16; ++i) gossip_.MarkAsSelf(HostInGroup(100 + i, 1));
  EXPECT_FALSE(gossip_.IsOwn(self)) << "sixteen are known";
}

TEST(RecentHashesTest, TheLastOnesAreKnownAndMemoryEnds) {
  RecentHashes recent(100);
  for (uint64_t i = 1; i <= 10'000; ++i) {
    recent.Insert(i);
    for (uint64_t back = 0; back < std::min<uint64_t>(i, 100); ++back) ASSERT_TRUE(recent.Contains(i - back));
    if (i > 200) {
      ASSERT_FALSE(recent.Contains(i - 200));
    }
  }
}

}  // namespace
}  // namespace headrace
