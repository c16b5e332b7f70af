// A peer that does not read what it asked for: its queue is bounded to the byte, it is not listened to meanwhile, and
// others do not notice.
#include "net/wire/small_messages.h"
#include "tests/net/peer/sim_hubs.h"

namespace headrace {
namespace {

using testing::SimHub;
using testing::SimSpeaker;

class SlowReaderTest : public testing::SimHubsTest {
 protected:
  static constexpr uint64_t kQueueMax = 1'000'000;

  SlowReaderTest() {
    PeerHubOptions options;
    options.send_queue_bytes_max = kQueueMax;
    hub_ = &AddHub(0, options);
    slow_ = &ConnectSpeaker(1, *hub_);
    id_ = hub_->hub->Status().front().info.id;
    slow_->StopReading();
    // The wire holds some of it.
    SendBlockOf(500'000);
  }
  void SendBlockOf(uint64_t size) {
    std::vector<PeerCommand> orders;
    orders.push_back(SendBlock{id_, SharedBytes::From(std::make_shared<Slab>(size))});
    hub_->hub->Submit(orders);
    Run(2);
  }
  uint64_t Queued() const { return hub_->hub->QueuedBytes(id_); }
  // A block that makes the queue so long.
  void FillTo(uint64_t queued) { SendBlockOf(queued - Queued() - MessageHeader::kSerializedBytes); }
  uint64_t MessagesReceived() const { return hub_->hub->Status().front().messages_received; }
  void SayPing(SimSpeaker& speaker) {
    std::vector<uint8_t> body;
    EncodeNonce(5, body);
    speaker.Send(commands::kPing, body);
    Run(2);
  }

  SimHub* hub_ = nullptr;
  SimSpeaker* slow_ = nullptr;
  PeerId id_ = 0;
};

TEST_F(SlowReaderTest, MayHaveTwiceTheLimitQueuedAndNotAByteMore) {
  FillTo(2 * kQueueMax);
  EXPECT_EQ(Queued(), 2 * kQueueMax);
  EXPECT_TRUE(slow_->is_connected());
  Run(60);
  EXPECT_EQ(Queued(), 2 * kQueueMax) << "nothing is read";
  std::vector<PeerCommand> orders;
  orders.push_back(SendInventory{id_, {}});
  hub_->hub->Submit(orders);
  Run(2);
  EXPECT_EQ(hub_->hub->connection_count(), 0u);
  EXPECT_EQ(Queued(), 0u);
}

TEST_F(SlowReaderTest, IsNotListenedToAboveTheLimitAndIsAgainBelowHalfOfIt) {
  FillTo(kQueueMax);
  uint64_t received = MessagesReceived();
  SayPing(*slow_);
  EXPECT_EQ(MessagesReceived(), received + 1) << "at the limit it is";
  // The pong went over it.
  EXPECT_GT(Queued(), kQueueMax);
  received = MessagesReceived();
  for (int i = 0; i < 10; ++i) SayPing(*slow_);
  EXPECT_EQ(MessagesReceived(), received);
  slow_->ReadOn();
  Run(30);
  EXPECT_EQ(MessagesReceived(), received + 10);
  EXPECT_EQ(Queued(), 0u);
  EXPECT_EQ(slow_->CountOf(commands::kBlock), 2u);
  EXPECT_EQ(slow_->CountOf(commands::kPong), 11u);
}

TEST_F(SlowReaderTest, CostsOthersNothing) {
  FillTo(2 * kQueueMax);
  SimSpeaker& quick = ConnectSpeaker(2, *hub_);
  SayPing(quick);
  EXPECT_EQ(quick.CountOf(commands::kPong), 1u);
}

}  // namespace
}  // namespace headrace
