// Hubs that find one another: from a seed, over restarts, within their limits; and a hub that must not.
#include <set>
#include <string>
#include <vector>

#include "net/wire/address_messages.h"
#include "tests/net/peer/sim_hubs.h"

namespace headrace {
namespace {

using testing::SimHub;
using testing::SimSpeaker;

class FindingPeersTest : public testing::SimHubsTest {
 protected:
  static PeerHubOptions SeededBy(int number) {
    PeerHubOptions options = Finding();
    options.discovery->seed_nodes = {{HostAt(number).HostText(), HostAt(number).port}};
    return options;
  }
  // A book that holds those hosts.
  BookImage BookOf(int begin, int end) {
    AddressBook book(false, clock_, entropy_);
    for (int i = begin; i < end; ++i) {
      const NodeAddress node = NodeAddress::Of(HostAt(i));
      book.Add({node, kNodeNetwork | kNodeWitness, clock_.UnixSeconds()}, node, 0);
    }
    return book.Export();
  }
  void ExpectWithinLimits(const SimHub& hub) {
    EXPECT_LE(hub.CountOf(PeerKind::kFullRelay, false), 8u);
    EXPECT_LE(hub.CountOf(PeerKind::kBlockRelay, false), 2u);
    std::set<std::string> dialled;
    for (const PeerStatusNet& peer : hub.hub->Status()) {
      if (peer.info.is_inbound || peer.info.kind == PeerKind::kFeeler) continue;
      EXPECT_NE(peer.info.address, hub.address.ToString()) << "itself";
      EXPECT_TRUE(dialled.insert(peer.info.address).second) << "twice " << peer.info.address;
    }
  }
};

TEST_F(FindingPeersTest, FixedSeedsThatAreStillThereAreEnough) {
  constexpr int kNodes = 10;
  for (int i = 1; i < kNodes; ++i) AddHub(i);
  PeerHubOptions options = Finding();
  options.discovery->fixed.are_others_asked = true;
  // Most of the list is gone.
  for (int i = 1; i < 40; ++i) options.discovery->fixed.addresses.push_back(NodeAddress::Of(HostAt(i)));
  SimHub& hub = AddHub(0, options);
  Run(59);
  EXPECT_TRUE(hub.hub->Status().empty()) << "others have a minute";
  EXPECT_TRUE(RunUntil([&] { return hub.CountOf(PeerKind::kFullRelay) >= 3; }, 600));
  ExpectWithinLimits(hub);
}

TEST_F(FindingPeersTest, NodesThatKnowOneSeedFindOneAnother) {
  constexpr int kNodes = 16;
  AddHub(0);
  for (int i = 1; i < kNodes; ++i) {
    AddHub(i, SeededBy(0));
    Run(5);
  }
  const auto have_all_found = [&] {
    for (const auto& [number, hub] : hubs_) {
      if (hub->CountOf(PeerKind::kFullRelay) < 3) return false;
    }
    return true;
  };
  EXPECT_TRUE(RunUntil(have_all_found, 6 * 3600));
  for (const auto& [number, hub] : hubs_) ExpectWithinLimits(*hub);
  // Nobody is dialled for ever by those who are complete, and feelers come and go.
  Run(3600);
  for (const auto& [number, hub] : hubs_) ExpectWithinLimits(*hub);
}

TEST_F(FindingPeersTest, AFullBookFillsEverySlotWithinSeconds) {
  for (int i = 1; i <= 30; ++i) AddHub(i, PeerHubOptions{});
  SimHub& hub = AddHub(0, Finding(), BookOf(1, 31));
  const auto is_full = [&] { return hub.CountOf(PeerKind::kFullRelay) == 8 && hub.CountOf(PeerKind::kBlockRelay) == 2; };
  EXPECT_TRUE(RunUntil(is_full, 20));
  EXPECT_EQ(hub.told, 10u);
  Run(1800);
  EXPECT_TRUE(is_full());
  EXPECT_EQ(hub.told, 10u) << "the engine does not hear of feelers";
  EXPECT_EQ(hub.CountOf(PeerKind::kFeeler, false), 0u);
}

TEST_F(FindingPeersTest, ARestartFindsTheSamePeersWithinSeconds) {
  for (int i = 1; i <= 30; ++i) AddHub(i, PeerHubOptions{});
  SimHub& before = AddHub(0, Finding(), BookOf(1, 31));
  EXPECT_TRUE(RunUntil([&] { return before.CountOf(PeerKind::kBlockRelay) == 2; }, 30));
  std::set<std::string> anchors;
  std::set<std::string> recent;
  for (const PeerStatusNet& peer : before.hub->Status()) {
    (peer.info.kind == PeerKind::kBlockRelay ? anchors : recent).insert(peer.info.address);
  }
  // Ten seconds after the last change an image is left: the next kill does not matter.
  before.book.clear();
  EXPECT_TRUE(RunUntil([&] { return !before.book.empty(); }, 30));
  const absl::StatusOr<BookImage> image = DecodeBookImage(before.book);
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ(image->anchors.size(), 2u);
  EXPECT_EQ(image->recent.size(), 8u);
  RemoveHub(0);
  Run(120);
  SimHub& after = AddHub(0, Finding(), *image);
  EXPECT_TRUE(RunUntil([&] { return after.CountOf(PeerKind::kFullRelay) + after.CountOf(PeerKind::kBlockRelay) == 10; }, 10));
  for (const PeerStatusNet& peer : after.hub->Status()) {
    EXPECT_TRUE((peer.info.kind == PeerKind::kBlockRelay ? anchors : recent).contains(peer.info.address)) << peer.info.address;
  }
}

TEST_F(FindingPeersTest, AStopLeavesAnImageWithThePeersThatThereWere) {
  for (int i = 1; i <= 12; ++i) AddHub(i, PeerHubOptions{});
  SimHub& hub = AddHub(0, Finding(), BookOf(1, 13));
  EXPECT_TRUE(RunUntil([&] { return hub.CountOf(PeerKind::kBlockRelay) == 2; }, 30));
  hub.hub->BeginShutdown();
  const auto image = hub.hub->TakeBookImage();
  ASSERT_TRUE(image.has_value());
  EXPECT_EQ(DecodeBookImage(*image)->anchors.size(), 2u);
  EXPECT_EQ(DecodeBookImage(*image)->recent.size(), 8u);
}

TEST_F(FindingPeersTest, WhoIsCutOffForgetsNobody) {
  for (int i = 1; i <= 12; ++i) AddHub(i, PeerHubOptions{});
  SimHub& hub = AddHub(0, Finding(), BookOf(1, 13));
  EXPECT_TRUE(RunUntil([&] { return hub.CountOf(PeerKind::kBlockRelay) == 2; }, 30));
  Run(30);
  for (int i = 1; i <= 12; ++i) RemoveHub(i);
  hub.book.clear();
  EXPECT_TRUE(RunUntil([&] { return !hub.book.empty(); }, 3600));
  EXPECT_EQ(hub.CountOf(PeerKind::kFullRelay) + hub.CountOf(PeerKind::kBlockRelay), 0u);
  EXPECT_EQ(DecodeBookImage(hub.book)->anchors.size(), 2u);
  EXPECT_EQ(DecodeBookImage(hub.book)->recent.size(), 8u);
}

TEST_F(FindingPeersTest, ADeadPeerIsReplaced) {
  for (int i = 1; i <= 20; ++i) AddHub(i, PeerHubOptions{});
  SimHub& hub = AddHub(0, Finding(), BookOf(1, 21));
  EXPECT_TRUE(RunUntil([&] { return hub.CountOf(PeerKind::kBlockRelay) == 2; }, 30));
  std::vector<int> dead;
  for (int i = 1; i <= 20 && dead.size() < 3; ++i) {
    for (const PeerStatusNet& peer : hub.hub->Status()) {
      if (peer.info.address == HostAt(i).ToString()) dead.push_back(i);
    }
  }
  for (const int number : dead) RemoveHub(number);
  const auto is_full_of_living = [&] {
    size_t living = 0;
    for (const PeerStatusNet& peer : hub.hub->Status()) {
      bool is_dead = !peer.is_handshake_complete;
      for (const int number : dead) is_dead = is_dead || peer.info.address == HostAt(number).ToString();
      living += is_dead || peer.info.kind == PeerKind::kFeeler ? 0 : 1;
    }
    return living == 10;
  };
  EXPECT_TRUE(RunUntil(is_full_of_living, 3 * 3600));
}

TEST_F(FindingPeersTest, ConnectAloneDialsNobodyElseAndTellsNothing) {
  SimSpeaker& other = AddSpeaker(3);
  SimHub& server = AddHub(1, PeerHubOptions{});
  PeerHubOptions options;
  options.connect = {{server.address.HostText(), server.address.port}};
  SimHub& hub = AddHub(0, options);
  SimSpeaker& speaker = ConnectSpeaker(2, hub);
  std::vector<uint8_t> body;
  EncodeAddrV2({NodeAddress::Of(other.address).ToWire(kNodeNetwork | kNodeWitness, static_cast<uint32_t>(clock_.UnixSeconds()))}, body);
  speaker.Send(commands::kAddrV2, body);
  speaker.Send(commands::kGetAddr);
  Run(3600);
  EXPECT_EQ(other.accepted, 0u);
  EXPECT_EQ(hub.CountOf(PeerKind::kManual), 1u);
  EXPECT_EQ(hub.hub->Status().size(), 2u);
  EXPECT_TRUE(hub.book.empty());
  EXPECT_EQ(speaker.CountOf(commands::kAddr) + speaker.CountOf(commands::kAddrV2), 0u);
  EXPECT_TRUE(speaker.is_connected());
}

TEST_F(FindingPeersTest, ASeedIsAskedAndLeft) {
  SimSpeaker& seed = AddSpeaker(5);
  SimSpeaker& known = AddSpeaker(6);
  SimHub& hub = AddHub(0, SeededBy(5));
  EXPECT_TRUE(RunUntil([&] { return seed.CountOf(commands::kGetAddr) == 1; }, 10));
  std::vector<uint8_t> body;
  const auto now_s = static_cast<uint32_t>(clock_.UnixSeconds());
  EncodeAddrV2({NodeAddress::Of(known.address).ToWire(kNodeNetwork | kNodeWitness, now_s),
                NodeAddress::Of(HostAt(40)).ToWire(kNodeNetwork | kNodeWitness, now_s)},
               body);
  seed.Send(commands::kAddrV2, body);
  EXPECT_TRUE(RunUntil([&] { return !seed.is_connected(); }, 10));
  EXPECT_EQ(hub.told, 0u) << "the engine does not hear of seeds";
  EXPECT_TRUE(RunUntil([&] { return known.accepted == 1; }, 60));
  Run(5);
  EXPECT_EQ(hub.told, 1u);
}

TEST_F(FindingPeersTest, ASeedThatSaysNothingIsLeftToo) {
  SimSpeaker& seed = AddSpeaker(5);
  AddHub(0, SeededBy(5));
  EXPECT_TRUE(RunUntil([&] { return seed.CountOf(commands::kGetAddr) == 1; }, 10));
  EXPECT_FALSE(RunUntil([&] { return !seed.is_connected(); }, 15));
  EXPECT_TRUE(RunUntil([&] { return !seed.is_connected(); }, 10));
}

TEST_F(FindingPeersTest, ASeedThatKnowsItselfAloneIsLeftSoonAndDialled) {
  SimSpeaker& seed = AddSpeaker(5);
  SimHub& hub = AddHub(0, SeededBy(5));
  EXPECT_TRUE(RunUntil([&] { return seed.CountOf(commands::kGetAddr) == 1; }, 10));
  std::vector<uint8_t> body;
  EncodeAddrV2({NodeAddress::Of(seed.address).ToWire(kNodeNetwork | kNodeWitness, static_cast<uint32_t>(clock_.UnixSeconds()))}, body);
  seed.Send(commands::kAddrV2, body);
  EXPECT_FALSE(RunUntil([&] { return !seed.is_connected(); }, 1)) << "an answer may follow";
  EXPECT_TRUE(RunUntil([&] { return !seed.is_connected(); }, 3));
  EXPECT_TRUE(RunUntil([&] { return hub.CountOf(PeerKind::kFullRelay) == 1; }, 60));
}

TEST_F(FindingPeersTest, WhoOnlyDialsIsAloneAndAsksItsSeedAgain) {
  SimSpeaker& seed = AddSpeaker(5);
  // Thirty that cannot be heard: dials to them end with the deadline.
  std::set<std::array<uint8_t, 16>> silent;
  for (int i = 10; i < 40; ++i) silent.insert(AddSpeaker(i).address.ip);
  network_.Partition(silent);
  SimHub& hub = AddHub(0, SeededBy(5), BookOf(10, 40));
  EXPECT_TRUE(RunUntil([&] { return hub.CountOf(PeerKind::kFullRelay, false) == 8; }, 30));
  EXPECT_TRUE(RunUntil([&] { return seed.accepted == 2; }, 90));
  EXPECT_EQ(hub.told, 0u);
}

TEST_F(FindingPeersTest, WhoCannotServeIsNotKept) {
  SimSpeaker& poor = AddSpeaker(1);
  poor.services = kNodeNetwork;
  SimHub& hub = AddHub(0, Finding(), BookOf(1, 2));
  EXPECT_TRUE(RunUntil([&] { return poor.accepted == 1; }, 60));
  Run(10);
  EXPECT_FALSE(poor.is_connected());
  EXPECT_EQ(hub.told, 0u);
  Run(3600);
  EXPECT_LE(poor.accepted, 60u) << "feelers at most";
  EXPECT_EQ(hub.told, 0u);
}

TEST_F(FindingPeersTest, BlockRelayPeersAreToldOfNothing) {
  PeerHubOptions options = Finding();
  options.discovery->outbound.full_relay_max = 0;
  SimSpeaker& peer = AddSpeaker(1);
  SimHub& hub = AddHub(0, options, BookOf(1, 2));
  EXPECT_TRUE(RunUntil([&] { return hub.CountOf(PeerKind::kBlockRelay) == 1; }, 60));
  std::vector<uint8_t> body;
  EncodeAddrV2({NodeAddress::Of(HostAt(9)).ToWire(kNodeNetwork, static_cast<uint32_t>(clock_.UnixSeconds()))}, body);
  peer.Send(commands::kAddrV2, body);
  peer.Send(commands::kGetAddr);
  Run(3600);
  EXPECT_TRUE(peer.is_connected()) << "it is not held against it";
  EXPECT_EQ(peer.CountOf(commands::kGetAddr) + peer.CountOf(commands::kAddr) + peer.CountOf(commands::kAddrV2), 0u);
}

}  // namespace
}  // namespace headrace
