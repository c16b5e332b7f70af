// Peers that the operator trusts, among others: what they are spared, and who they are.
#include <algorithm>

#include "net/wire/address_messages.h"
#include "tests/net/peer/sim_hubs.h"
#include "tests/support/captured_log.h"

namespace headrace {
namespace {

using testing::CapturedLog;
using testing::SimHub;
using testing::SimSpeaker;

class PermittedPeersTest : public testing::SimHubsTest {
 protected:
  static PermittedRange Range(std::string_view text) { return *ParsePermittedRange(text); }
  // Everybody at the address of that number.
  static std::string HostText(int number) { return HostAt(number).HostText(); }
  bool ComesAgain(SimSpeaker& speaker, const Address& to) {
    speaker.told.clear();
    speaker.Connect(to);
    const bool is_let_in = RunUntil([&] { return speaker.CountOf(commands::kVerack) == 1; }, 5);
    Run(1);
    return is_let_in;
  }
  static uint32_t PermissionsAt(const SimHub& hub, const Address& address) {
    for (const PeerStatusNet& peer : hub.hub->Status()) {
      // Who comes by itself comes from a port of its own.
      if (peer.info.address.starts_with(address.HostText() + ":")) return peer.info.permissions;
    }
    ADD_FAILURE() << "it is not there";
    return 0;
  }
  void Misbehave(SimSpeaker& speaker) {
    speaker.Send(commands::kInv, {0xff});
    EXPECT_TRUE(RunUntil([&] { return !speaker.is_connected(); }, 5)) << "whoever it is, the connection is of no use";
  }
};

TEST_F(PermittedPeersTest, ARangeThatStaysIsNotHeldToWhatItDid) {
  PeerHubOptions options;
  options.permitted = {Range("noban@" + HostText(1)), Range("addr,download@" + HostText(2))};
  SimHub& hub = AddHub(0, options);
  SimSpeaker& trusted = ConnectSpeaker(1, hub);
  SimSpeaker& other = ConnectSpeaker(2, hub);
  EXPECT_EQ(PermissionsAt(hub, trusted.address), uint32_t{kMayStay});
  EXPECT_EQ(PermissionsAt(hub, other.address), uint32_t{kMayGossip} | kMayDownload);
  Misbehave(trusted);
  Misbehave(other);
  EXPECT_TRUE(ComesAgain(trusted, hub.address));
  EXPECT_FALSE(ComesAgain(other, hub.address));
}

TEST_F(PermittedPeersTest, NorToWhatTheEngineSaysOfIt) {
  PeerHubOptions options;
  options.permitted = {Range("noban@" + HostText(1))};
  SimHub& hub = AddHub(0, options);
  for (const int number : {1, 2}) {
    SimSpeaker& speaker = ConnectSpeaker(number, hub);
    std::vector<PeerCommand> orders;
    orders.push_back(headrace::Disconnect{hub.hub->Status().back().info.id, "the test wants it", true});
    hub.hub->Submit(orders);
    EXPECT_TRUE(RunUntil([&] { return !speaker.is_connected(); }, 5));
    Run(1);
    EXPECT_EQ(ComesAgain(speaker, hub.address), number == 1);
    Run(5);
  }
}

TEST_F(PermittedPeersTest, AListenerGivesPermissionsToWhoeverComesInThere) {
  Address trusted_door = HostAt(0);
  trusted_door.port = 9'000;
  PeerHubOptions options;
  options.permitted_listen = {{trusted_door, kMayStay}};
  SimHub& hub = AddHub(0, options);
  EXPECT_EQ(hub.hub->listening(), (std::vector<Address>{HostAt(0), trusted_door}));
  SimSpeaker& speaker = ConnectSpeaker(1, hub);
  EXPECT_EQ(PermissionsAt(hub, speaker.address), 0u);
  Misbehave(speaker);
  EXPECT_FALSE(ComesAgain(speaker, hub.address));
  EXPECT_TRUE(ComesAgain(speaker, trusted_door));
  EXPECT_EQ(PermissionsAt(hub, speaker.address), uint32_t{kMayStay});
}

TEST_F(PermittedPeersTest, WhatAFriendDidIsNotRememberedAtOtherDoors) {
  Address trusted_door = HostAt(0);
  trusted_door.port = 9'000;
  PeerHubOptions options;
  options.permitted_listen = {{trusted_door, kMayStay}};
  SimHub& hub = AddHub(0, options);
  SimSpeaker& speaker = AddSpeaker(1);
  EXPECT_TRUE(ComesAgain(speaker, trusted_door));
  ASSERT_EQ(PermissionsAt(hub, speaker.address), uint32_t{kMayStay});
  Misbehave(speaker);
  EXPECT_TRUE(ComesAgain(speaker, hub.address));
}

TEST_F(PermittedPeersTest, NobodyIsToldWhereFriendsComeIn) {
  Address trusted_door = HostAt(0), open_door = HostAt(0);
  trusted_door.port = 9'000;
  open_door.port = 9'001;
  PeerHubOptions options = Finding();
  options.permitted_listen = {{trusted_door, kMayStay}, {open_door, kMayGossip}};
  SimHub& hub = AddHub(0, options);
  SimSpeaker& speaker = ConnectSpeaker(1, hub);
  EXPECT_TRUE(RunUntil([&] { return speaker.CountOf(commands::kAddrV2) != 0; }, 60));
  std::vector<uint16_t> ports;
  for (const SimSpeaker::Told& told : speaker.told) {
    if (told.command != "addrv2") continue;
    std::vector<NetworkAddress> entries;
    EXPECT_EQ(DecodeAddrV2(told.body, entries), DecodeError::kNone);
    for (const NetworkAddress& entry : entries) ports.push_back(entry.port);
  }
  EXPECT_EQ(ports, (std::vector<uint16_t>{8'333, 9'001}));
}

TEST_F(PermittedPeersTest, WhoStaysIsNotEvictedForOthers) {
  PeerHubOptions options;
  options.inbound_max = 30;
  options.permitted = {Range("noban@99.9.0.0/16")};
  SimHub& hub = AddHub(0, options);
  std::vector<SimSpeaker*> trusted;
  for (uint8_t i = 1; i <= 30; ++i) {
    trusted.push_back(&AddSpeakerAt(Address::Ipv4(99, 9, 9, i, 8333)));
    EXPECT_TRUE(ComesAgain(*trusted.back(), hub.address));
  }
  for (int number = 1; number <= 5; ++number) EXPECT_FALSE(ComesAgain(AddSpeaker(number), hub.address));
  EXPECT_TRUE(std::all_of(trusted.begin(), trusted.end(), [](const SimSpeaker* one) { return one->is_connected(); }));
}

TEST_F(PermittedPeersTest, OutIsForPeersThatWereNamed) {
  PeerHubOptions options = Finding();
  options.connect = {{HostText(1), 8333}};
  options.permitted = {Range("out,noban@" + HostText(1)), Range("out,noban@" + HostText(2)),
                       Range("noban@" + HostText(3))};
  options.discovery->outbound.feelers_max = options.discovery->outbound.block_relay_max = 0;
  AddressBook book(false, clock_, entropy_);
  const NodeAddress known = NodeAddress::Of(HostAt(2));
  book.Add({known, kNodeNetwork | kNodeWitness, clock_.UnixSeconds()}, known, 0);
  for (const int number : {1, 2}) AddSpeaker(number);
  SimHub& hub = AddHub(0, options, book.Export());
  EXPECT_TRUE(
      RunUntil([&] { return hub.CountOf(PeerKind::kManual) == 1 && hub.CountOf(PeerKind::kFullRelay) == 1; }, 120));
  EXPECT_EQ(PermissionsAt(hub, HostAt(1)), uint32_t{kMayStay});
  EXPECT_EQ(PermissionsAt(hub, HostAt(2)), 0u) << "chance has chosen it, and not the operator";
  ConnectSpeaker(3, hub);
  EXPECT_EQ(PermissionsAt(hub, HostAt(3)), uint32_t{kMayStay});
}

TEST_F(PermittedPeersTest, WhoMayGossipIsNotHeldToTheRate) {
  PeerHubOptions options = Finding();
  options.discovery->outbound.full_relay_max = options.discovery->outbound.block_relay_max = 0;
  options.discovery->outbound.feelers_max = 0;
  options.permitted = {Range("addr@" + HostText(1))};
  SimHub& hub = AddHub(0, options);
  std::vector<NetworkAddress> entries;
  for (int i = 0; i < 50; ++i)
    entries.push_back(NodeAddress::Of(HostAt(i + 100)).ToWire(kNodeNetwork | kNodeWitness, 1'300'000'000));
  std::vector<uint8_t> body;
  EncodeAddrV2(entries, body);
  EnableDebugCategory(LogCategory::kNet);
  for (const int number : {1, 2}) {
    CapturedLog log;
    ConnectSpeaker(number, hub).Send(commands::kAddrV2, body);
    Run(5);
    EXPECT_EQ(log.Has("faster than they are taken"), number == 2);
  }
}

TEST_F(PermittedPeersTest, WhatIsSentCountsTowardsTheTarget) {
  PeerHubOptions options;
  options.upload_target_bytes = UploadTarget::kReserveBytes + 100'000;
  SimHub& hub = AddHub(0, options);
  ConnectSpeaker(1, hub);
  const UploadTarget::Facts before = hub.hub->upload_target();
  EXPECT_EQ(before.bytes_left, options.upload_target_bytes - hub.hub->totals().bytes_sent);
  EXPECT_TRUE(hub.hub->MaySendHistory());
  std::vector<PeerCommand> orders;
  orders.push_back(SendBlock{hub.hub->Status().front().info.id, SharedBytes::From(std::make_shared<Slab>(100'000))});
  hub.hub->Submit(orders);
  EXPECT_TRUE(RunUntil([&] { return !hub.hub->MaySendHistory(); }, 60));
  EXPECT_EQ(hub.hub->upload_target().bytes_left, options.upload_target_bytes - hub.hub->totals().bytes_sent);
  Run(25 * 3600);
  EXPECT_TRUE(hub.hub->MaySendHistory());
}

}  // namespace
}  // namespace headrace
