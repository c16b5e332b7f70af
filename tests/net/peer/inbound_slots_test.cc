// A hub whose inbound slots are taken: who may still come, and who goes for it.
#include <algorithm>
#include <vector>

#include "tests/net/peer/sim_hubs.h"

namespace headrace {
namespace {

using testing::SimHub;
using testing::SimSpeaker;

class InboundSlotsTest : public testing::SimHubsTest {
 protected:
  SimHub& AddServer(size_t inbound_max) {
    PeerHubOptions options;
    options.inbound_max = inbound_max;
    return AddHub(0, options);
  }
  // All of one group.
  SimSpeaker& OfTheCrowd(int number) {
    return AddSpeakerAt(Address::Ipv4(99, 9, static_cast<uint8_t>(number / 250), static_cast<uint8_t>(1 + number % 250), 8333));
  }
  // Whether it is let in.
  bool Comes(SimSpeaker& speaker, const SimHub& hub) {
    speaker.Connect(hub.address);
    const bool is_let_in = RunUntil([&] { return speaker.CountOf(commands::kVerack) == 1; }, 5);
    Run(1);
    return is_let_in;
  }
  static size_t StillThere(const std::vector<SimSpeaker*>& speakers) {
    return static_cast<size_t>(std::count_if(speakers.begin(), speakers.end(), [](const SimSpeaker* one) { return one->is_connected(); }));
  }
};

TEST_F(InboundSlotsTest, AFewAreAllProtected) {
  SimHub& hub = AddServer(3);
  std::vector<SimSpeaker*> first;
  for (int i = 1; i <= 3; ++i) {
    first.push_back(&AddSpeaker(i));
    EXPECT_TRUE(Comes(*first.back(), hub));
  }
  EXPECT_FALSE(Comes(AddSpeaker(4), hub));
  EXPECT_EQ(StillThere(first), 3u);
  EXPECT_EQ(hub.hub->connection_count(), 3u);
}

TEST_F(InboundSlotsTest, WithoutSlotsNobodyComes) {
  SimHub& hub = AddServer(0);
  EXPECT_FALSE(Comes(AddSpeaker(1), hub));
  EXPECT_EQ(hub.hub->connection_count(), 0u);
}

TEST_F(InboundSlotsTest, OneOfTheCrowdGoesForWhoComesFromElsewhere) {
  SimHub& hub = AddServer(30);
  std::vector<SimSpeaker*> crowd;
  for (int i = 0; i < 30; ++i) {
    crowd.push_back(&OfTheCrowd(i));
    EXPECT_TRUE(Comes(*crowd.back(), hub));
  }
  EXPECT_EQ(StillThere(crowd), 30u);
  EXPECT_TRUE(Comes(AddSpeaker(1), hub));
  EXPECT_EQ(StillThere(crowd), 29u);
  EXPECT_EQ(hub.hub->connection_count(), 30u);
  EXPECT_EQ(hub.CountOf(PeerKind::kInbound), 30u);
}

TEST_F(InboundSlotsTest, ACrowdCannotPushOthersOut) {
  SimHub& hub = AddServer(40);
  std::vector<SimSpeaker*> others;
  for (int i = 1; i <= 20; ++i) {
    others.push_back(&AddSpeaker(i));
    EXPECT_TRUE(Comes(*others.back(), hub));
  }
  for (int i = 0; i < 200; ++i) {
    OfTheCrowd(i).Connect(hub.address);
    // By fives, as fast as they are accepted.
    if (i % 5 == 0) Run(1);
    EXPECT_LE(hub.hub->connection_count(), 40u + 8);
  }
  Run(10);
  EXPECT_EQ(StillThere(others), others.size());
  EXPECT_EQ(hub.hub->connection_count(), 40u);
}

TEST_F(InboundSlotsTest, WhoWasSentAwayMayComeAgain) {
  SimHub& hub = AddServer(30);
  std::vector<SimSpeaker*> crowd;
  for (int i = 0; i < 30; ++i) {
    crowd.push_back(&OfTheCrowd(i));
    EXPECT_TRUE(Comes(*crowd.back(), hub));
  }
  EXPECT_TRUE(Comes(AddSpeaker(1), hub));
  const auto gone = std::find_if(crowd.begin(), crowd.end(), [](const SimSpeaker* one) { return !one->is_connected(); });
  ASSERT_NE(gone, crowd.end());
  (*gone)->told.clear();
  EXPECT_TRUE(Comes(**gone, hub)) << "it has done nothing wrong";
  EXPECT_EQ(hub.hub->connection_count(), 30u);
}

}  // namespace
}  // namespace headrace
