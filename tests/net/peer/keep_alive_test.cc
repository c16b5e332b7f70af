// Who is still there, in simulated time: pings and their answers (BIP31), silence, and who takes the place of the gone.
#include "tests/net/peer/sim_hubs.h"
#include "tests/support/captured_log.h"

namespace headrace {
namespace {

using testing::CapturedLog;
using testing::SimHub;
using testing::SimSpeaker;

constexpr int64_t kMinute = 60;
// The last protocol version that does not answer pings.
constexpr int32_t kBeforePongs = 60'000;

class KeepAliveTest : public testing::SimHubsTest {
 protected:
  // A hub that wants one peer, and knows of those hosts.
  SimHub& AddFinder(int begin, int end) {
    PeerHubOptions options = Finding();
    options.discovery->outbound.full_relay_max = 1;
    options.discovery->outbound.block_relay_max = options.discovery->outbound.feelers_max = 0;
    AddressBook book(false, clock_, entropy_);
    for (int i = begin; i < end; ++i) {
      const NodeAddress node = NodeAddress::Of(HostAt(i));
      book.Add({node, kNodeNetwork | kNodeWitness, clock_.UnixSeconds()}, node, 0);
    }
    return AddHub(0, options, book.Export());
  }
  SimSpeaker& AddSilent(int number, int32_t protocol_version) {
    SimSpeaker& speaker = AddSpeaker(number);
    speaker.protocol_version = protocol_version;
    speaker.answers_pings = false;
    return speaker;
  }
  // Until the hub has met somebody; the silence begins now.
  void Meet(const SimHub& hub) {
    ASSERT_TRUE(RunUntil([&] { return hub.told == 1; }, 2 * kMinute));
    met_ns_ = clock_.now_ns();
  }
  // Until so much time has passed since.
  void RunTo(int64_t seconds) { Run(seconds - (clock_.now_ns() - met_ns_) / sim::kNsPerSecond); }
  static SimSpeaker& TheConnectedOf(SimSpeaker& a, SimSpeaker& b) { return a.is_connected() ? a : b; }

  int64_t met_ns_ = 0;
};

TEST_F(KeepAliveTest, APeerBeforeBip31IsGivenNinetyMinutesOfSilenceAndThenReplaced) {
  SimSpeaker& first = AddSilent(1, kBeforePongs);
  SimSpeaker& second = AddSilent(2, kBeforePongs);
  SimHub& hub = AddFinder(1, 3);
  Meet(hub);
  SimSpeaker& silent = TheConnectedOf(first, second);
  SimSpeaker& other = &silent == &first ? second : first;
  RunTo(90 * kMinute - 1);
  EXPECT_TRUE(silent.is_connected());
  EXPECT_EQ(hub.told, 1u);
  EXPECT_EQ(other.accepted, 0u);
  RunTo(90 * kMinute + 1);
  EXPECT_FALSE(silent.is_connected());
  EXPECT_TRUE(RunUntil([&] { return other.is_connected() && hub.told == 2; }, 5 * kMinute));
  EXPECT_EQ(hub.CountOf(PeerKind::kFullRelay), 1u);
}

TEST_F(KeepAliveTest, WhateverAPeerBeforeBip31SaysKeepsIt) {
  SimSpeaker& old = AddSilent(1, kBeforePongs);
  SimHub& hub = AddHub(0, PeerHubOptions{});
  old.Connect(hub.address);
  Meet(hub);
  RunTo(89 * kMinute);
  old.Send(Command("alert"));
  RunTo((89 + 90) * kMinute - 2);
  EXPECT_TRUE(old.is_connected());
  RunTo((89 + 90) * kMinute + 2);
  EXPECT_FALSE(old.is_connected());
}

TEST_F(KeepAliveTest, AModernPeerThatAnswersNoPingIsGivenTwentyMinutesHoweverMuchItSays) {
  CapturedLog log;
  SimSpeaker& mute = AddSilent(1, 70'016);
  SimHub& hub = AddHub(0, PeerHubOptions{});
  mute.Connect(hub.address);
  Meet(hub);
  for (int minute = 1; minute < 20; ++minute) {
    RunTo(minute * kMinute);
    mute.Send(Command("sendheaders"));
  }
  RunTo(20 * kMinute - 1);
  EXPECT_TRUE(mute.is_connected());
  RunTo(20 * kMinute + 1);
  EXPECT_FALSE(mute.is_connected());
  EXPECT_TRUE(log.Has("did not answer a ping in time"));
}

TEST_F(KeepAliveTest, AModernPeerThatOnlyAnswersPingsIsKept) {
  SimSpeaker& quiet = AddSpeaker(1);
  SimHub& hub = AddFinder(1, 2);
  Meet(hub);
  RunTo(5 * 60 * kMinute);
  EXPECT_TRUE(quiet.is_connected());
  EXPECT_EQ(hub.told, 1u);
  // One at once, and one every two minutes.
  EXPECT_NEAR(static_cast<double>(quiet.CountOf(commands::kPing)), 150, 4);
  EXPECT_GE(hub.hub->Status().front().ping_min_ns, 2 * 1'000'000);
}

TEST_F(KeepAliveTest, OnlyPeersThatKnowBip31AreSentANonce) {
  for (const int32_t version : {kBeforePongs, kBeforePongs + 1}) {
    SimSpeaker& speaker = AddSilent(version - kBeforePongs + 1, version);
    SimHub& hub = AddHub(0, PeerHubOptions{});
    speaker.Connect(hub.address);
    Run(5 * kMinute);
    size_t pings = 0;
    for (const SimSpeaker::Told& told : speaker.told) {
      if (told.command != "ping") continue;
      ++pings;
      EXPECT_EQ(told.body.size(), version > kBeforePongs ? 8u : 0u) << version;
    }
    // The second waits for the answer to the first, where there is to be one.
    EXPECT_EQ(pings, version > kBeforePongs ? 1u : 3u);
  }
}

}  // namespace
}  // namespace headrace
