// Addresses as messages: what a peer may send, and what it is sent.
#include "net/wire/address_messages.h"

#include <algorithm>
#include <map>
#include <vector>

#include "tests/net/peer/sim_hubs.h"

namespace headrace {
namespace {

using testing::SimHub;
using testing::SimSpeaker;

constexpr uint64_t kServing = kNodeNetwork | kNodeWitness;

class AddressMessagesTest : public testing::SimHubsTest {
 protected:
  // A hub that has nobody to dial, so that what is seen is what peers do.
  PeerHubOptions Passive() {
    PeerHubOptions options = Finding();
    options.discovery->outbound.full_relay_max = options.discovery->outbound.block_relay_max = 0;
    options.discovery->outbound.feelers_max = 0;
    return options;
  }
  BookImage BookOfHosts(int count) {
    AddressBook book(false, clock_, entropy_);
    for (int i = 0; i < count; ++i) {
      const NodeAddress node = NodeAddress::Of(HostAt(i + 1'000));
      book.Add({node, kServing, clock_.UnixSeconds() - 100}, node, 0);
      NodeAddress onion;
      onion.network = kNetworkTorV3;
      onion.bytes[0] = static_cast<uint8_t>(i);
      onion.bytes[1] = static_cast<uint8_t>(i >> 8);
      onion.bytes[2] = 1;
      onion.port = 8333;
      book.Add({onion, kServing, clock_.UnixSeconds() - 100}, node, 0);
    }
    return book.Export();
  }
  std::vector<uint8_t> FreshHosts(int begin, int count) {
    std::vector<NetworkAddress> entries;
    for (int i = begin; i < begin + count; ++i) {
      entries.push_back(NodeAddress::Of(HostAt(i)).ToWire(kServing, static_cast<uint32_t>(clock_.UnixSeconds())));
    }
    std::vector<uint8_t> body;
    EncodeAddrV2(entries, body);
    return body;
  }
  static std::vector<NetworkAddress> AddrV2sOf(const SimSpeaker& speaker) {
    std::vector<NetworkAddress> all;
    for (const SimSpeaker::Told& told : speaker.told) {
      if (told.command != "addrv2") continue;
      std::vector<NetworkAddress> entries;
      EXPECT_EQ(DecodeAddrV2(told.body, entries), DecodeError::kNone);
      all.insert(all.end(), entries.begin(), entries.end());
    }
    return all;
  }
};

TEST_F(AddressMessagesTest, GetAddrIsAnsweredOnceInTheFormThatThePeerKnows) {
  const BookImage image = BookOfHosts(400);
  SimHub& hub = AddHub(0, Passive(), image);
  SimSpeaker& modern = ConnectSpeaker(1, hub);
  modern.told.clear();
  modern.Send(commands::kGetAddr);
  modern.Send(commands::kGetAddr);
  Run(5);
  EXPECT_EQ(modern.CountOf(commands::kAddrV2), 1u);
  EXPECT_EQ(modern.CountOf(commands::kAddr), 0u);
  const std::vector<NetworkAddress> answer = AddrV2sOf(modern);
  EXPECT_EQ(answer.size(), image.entries.size() * 23 / 100);
  const auto is_onion = [](const NetworkAddress& entry) { return entry.network == kNetworkTorV3; };
  EXPECT_GT(std::count_if(answer.begin(), answer.end(), is_onion), 10);

  SimSpeaker& old = AddSpeaker(2);
  old.wants_addrv2 = false;
  old.Connect(hub.address);
  EXPECT_TRUE(RunUntil([&] { return old.CountOf(commands::kVerack) == 1; }, 10));
  Run(1);
  old.told.clear();
  old.Send(commands::kGetAddr);
  Run(5);
  ASSERT_EQ(old.CountOf(commands::kAddr), 1u);
  EXPECT_EQ(old.CountOf(commands::kAddrV2), 0u);
  std::vector<TimedAddress> entries;
  for (const SimSpeaker::Told& told : old.told) {
    if (told.command == "addr") {
      EXPECT_EQ(DecodeAddr(told.body, entries), DecodeError::kNone);
    }
  }
  EXPECT_EQ(entries.size(), answer.size() - static_cast<size_t>(std::count_if(answer.begin(), answer.end(), is_onion)))
      << "the same sample, as far as addr can carry it";
}

TEST_F(AddressMessagesTest, NewPeersHearTheOwnAddress) {
  SimHub& hub = AddHub(0, Passive());
  SimSpeaker& speaker = ConnectSpeaker(1, hub);
  EXPECT_TRUE(RunUntil([&] { return speaker.CountOf(commands::kAddrV2) == 1; }, 5));
  const std::vector<NetworkAddress> heard = AddrV2sOf(speaker);
  ASSERT_EQ(heard.size(), 1u);
  EXPECT_EQ(NodeAddress::FromWire(heard[0]), NodeAddress::Of(hub.address));
  EXPECT_EQ(heard[0].services, kServing);
  EXPECT_NEAR(heard[0].time_s, clock_.UnixSeconds(), 10);
}

TEST_F(AddressMessagesTest, AFewFreshAddressesReachTwoOthers) {
  SimHub& hub = AddHub(0, Passive());
  std::vector<SimSpeaker*> listeners;
  SimSpeaker& teller = ConnectSpeaker(1, hub);
  for (int i = 2; i <= 8; ++i) {
    listeners.push_back(&ConnectSpeaker(i, hub));
    listeners.back()->Send(commands::kGetAddr);
  }
  Run(60);
  for (SimSpeaker* listener : listeners) listener->told.clear();
  teller.told.clear();
  teller.Send(commands::kAddrV2, FreshHosts(500, 3));
  Run(600);
  std::map<std::vector<uint8_t>, int> reached;
  for (const SimSpeaker* listener : listeners) {
    for (const NetworkAddress& entry : AddrV2sOf(*listener)) ++reached[entry.bytes];
  }
  EXPECT_EQ(reached.size(), 3u);
  for (const auto& [bytes, times] : reached) EXPECT_EQ(times, 2);
  EXPECT_TRUE(AddrV2sOf(teller).empty());
}

TEST_F(AddressMessagesTest, AThousandIsTheLimitOfAMessage) {
  SimHub& hub = AddHub(0, Passive());
  SimSpeaker& within = ConnectSpeaker(1, hub);
  within.Send(commands::kAddrV2, FreshHosts(100, 1000));
  Run(5);
  EXPECT_TRUE(within.is_connected()) << "beyond the rate is no offence";
  SimSpeaker& beyond = ConnectSpeaker(2, hub);
  beyond.Send(commands::kAddrV2, FreshHosts(100, 1001));
  Run(5);
  EXPECT_FALSE(beyond.is_connected());
  beyond.Connect(hub.address);
  Run(5);
  EXPECT_FALSE(beyond.is_connected()) << "and it is not let in again";
}

TEST_F(AddressMessagesTest, FiveHundredAndTwelveBytesAreTheLimitOfAnAddress) {
  SimHub& hub = AddHub(0, Passive());
  const auto message_of = [&](size_t size) {
    std::vector<uint8_t> body;
    EncodeAddrV2({NetworkAddress{static_cast<uint32_t>(clock_.UnixSeconds()), kServing, 99, std::vector<uint8_t>(size, 1), 8333}}, body);
    return body;
  };
  SimSpeaker& speaker = ConnectSpeaker(1, hub);
  speaker.Send(commands::kAddrV2, message_of(512));
  Run(5);
  EXPECT_TRUE(speaker.is_connected()) << "an unknown network is no offence";
  speaker.Send(commands::kAddrV2, message_of(513));
  Run(5);
  EXPECT_FALSE(speaker.is_connected());
}

TEST_F(AddressMessagesTest, MalformedMessagesEndTheConnection) {
  SimHub& hub = AddHub(0, Passive());
  int number = 1;
  for (const Command& command : {commands::kAddr, commands::kAddrV2}) {
    SimSpeaker& speaker = ConnectSpeaker(number++, hub);
    std::vector<uint8_t> cut = FreshHosts(1, 2);
    cut.pop_back();
    speaker.Send(command, cut);
    Run(5);
    EXPECT_FALSE(speaker.is_connected());
  }
}

TEST_F(AddressMessagesTest, AFloodIsForgottenAndTheHubGoesOn) {
  SimHub& hub = AddHub(0, Passive());
  SimSpeaker& flooder = ConnectSpeaker(1, hub);
  for (int i = 0; i < 50; ++i) flooder.Send(commands::kAddrV2, FreshHosts(1'000 + i * 200, 200));
  Run(60);
  EXPECT_TRUE(flooder.is_connected());
  hub.hub->BeginShutdown();
  const auto image = hub.hub->TakeBookImage();
  ASSERT_TRUE(image.has_value());
  const size_t remembered = DecodeBookImage(*image)->entries.size();
  EXPECT_GE(remembered, 1u);
  EXPECT_LE(remembered, 10u) << "one, and a tenth a second";
}

TEST_F(AddressMessagesTest, WhatIsToldIsInTheFileWithinMinutes) {
  SimHub& hub = AddHub(0, Passive());
  SimSpeaker& speaker = ConnectSpeaker(1, hub);
  speaker.Send(commands::kAddrV2, FreshHosts(500, 1));
  EXPECT_TRUE(RunUntil([&] { return !hub.book.empty(); }, 6 * 60));
  const absl::StatusOr<BookImage> image = DecodeBookImage(hub.book);
  ASSERT_TRUE(image.ok()) << image.status();
  ASSERT_EQ(image->entries.size(), 1u);
  EXPECT_EQ(image->entries[0].address, NodeAddress::Of(HostAt(500)));
  // Nothing new, nothing to write.
  hub.book.clear();
  Run(3600);
  EXPECT_TRUE(hub.book.empty());
}

}  // namespace
}  // namespace headrace
