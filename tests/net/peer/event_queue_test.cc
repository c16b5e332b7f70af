// The queue between reactor and engine by itself: what it holds, when it holds the reactor back, and what it counts.
#include "net/peer/event_queue.h"

#include "gtest/gtest.h"

namespace headrace {
namespace {

class CountingDoorbell : public Doorbell {
 public:
  void Ring() override { ++rings; }
  int rings = 0;
};

class EventQueueTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kBlockBytes = 500'000;

  static PeerEvent BlockFrom(PeerId peer, size_t size = kBlockBytes) {
    return BlockReceived{peer, Hash256(), std::make_shared<Slab>(size)};
  }

  // Who sent what the engine takes, in order.
  static std::vector<PeerId> Take(EventQueue& queue, size_t events_max = 1000) {
    std::vector<PeerEvent> events;
    queue.Take(events, events_max, true);
    std::vector<PeerId> peers;
    for (const PeerEvent& event : events) {
      peers.push_back(std::visit(
          [](const auto& what) -> PeerId {
            if constexpr (requires { what.peer; }) return what.peer;
            return 0;
          },
          event));
    }
    return peers;
  }

  CountingDoorbell engine_;
  CountingDoorbell reactor_;
};

TEST_F(EventQueueTest, BlocksThatWaitAreBoundedInBytes) {
  // A thousand events have room, and three blocks with what an event needs beside its bytes.
  EventQueue queue(1024, 3 * (kBlockBytes + sizeof(PeerEvent)), engine_, reactor_);
  for (PeerId peer = 1; peer <= 3; ++peer) {
    EXPECT_EQ(queue.Push(BlockFrom(peer)), peer);
    EXPECT_FALSE(queue.is_blocked()) << peer;
  }
  EXPECT_EQ(queue.Push(BlockFrom(4)), 4u);
  EXPECT_TRUE(queue.is_blocked());
  // A small one does not overtake it.
  EXPECT_EQ(queue.Push(InventoryReceived{5, {}}), 5u);
  EXPECT_FALSE(queue.Flush());
  EXPECT_EQ(engine_.rings, 1);

  // One is taken, and one has room.
  EXPECT_EQ(Take(queue, 1), std::vector<PeerId>{1});
  EXPECT_TRUE(queue.Flush());
  EXPECT_TRUE(queue.is_blocked());
  EXPECT_EQ(Take(queue), (std::vector<PeerId>{2, 3, 4}));
  EXPECT_TRUE(queue.Flush());
  EXPECT_FALSE(queue.is_blocked());
  EXPECT_EQ(Take(queue), std::vector<PeerId>{5});
  // What was taken counts no more.
  for (PeerId peer = 6; peer <= 8; ++peer) queue.Push(BlockFrom(peer));
  EXPECT_FALSE(queue.is_blocked());
}

TEST_F(EventQueueTest, ABlockLargerThanTheBoundComesAlone) {
  EventQueue queue(1024, kBlockBytes / 2, engine_, reactor_);
  queue.Push(BlockFrom(1));
  EXPECT_FALSE(queue.is_blocked());
  queue.Push(BlockFrom(2));
  EXPECT_TRUE(queue.is_blocked());
  EXPECT_EQ(Take(queue), std::vector<PeerId>{1});
  EXPECT_TRUE(queue.Flush());
  EXPECT_FALSE(queue.is_blocked());
  EXPECT_EQ(Take(queue), std::vector<PeerId>{2});
}

TEST_F(EventQueueTest, WhatIsInsideAnEventCounts) {
  const uint64_t fixed = EventBytes(PeerDisconnected{1});
  EXPECT_GE(fixed, sizeof(PeerEvent));
  EXPECT_EQ(EventBytes(BlockFrom(1, 4'000'000)), fixed + 4'000'000);
  EXPECT_EQ(EventBytes(HeadersReceived{1, std::vector<BlockHeader>(2000)}), fixed + 2000 * sizeof(BlockHeader));
  EXPECT_EQ(EventBytes(InventoryReceived{1, std::vector<InventoryItem>(50'000)}),
            fixed + 50'000 * sizeof(InventoryItem));
  EXPECT_EQ(EventBytes(GetHeadersReceived{1, std::vector<Hash256>(101), Hash256()}), fixed + 101 * sizeof(Hash256));
}

}  // namespace
}  // namespace headrace
