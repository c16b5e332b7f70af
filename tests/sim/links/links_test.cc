// A whole node (engine, stores, hub) that downloads from eight hubs over lines with a rate and a round trip each. Rates
// and blocks are a tenth of those of tests/engine/sync/download_links_test.cc, whose yardstick this is with real bytes:
// what counts is how they relate.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "engine/base/limits.h"
#include "tests/sim/sim_node.h"
#include "tests/support/chain_builder.h"

namespace headrace::sim {
namespace {

using headrace::testing::ChainBuilder;
using headrace::testing::TestTransaction;

constexpr double kMegabit = 1e6 / 8;
constexpr uint32_t kBlocks = 1'600;

struct ServedBlock {
  BlockHeader header;
  Hash256 hash;
  SlabRef raw;
};

// Blocks of 50 to 150 kB, a minute apart, that hold one transaction with an output that nobody can spend: cheap to
// check.
std::vector<ServedBlock> MakeChain() {
  std::vector<ServedBlock> chain;
  SimEntropy entropy(7);
  ChainBuilder coinbases;
  const BlockHeader genesis = BlockHeader::Load(GenesisBlock(ParamsFor(ChainId::kRegtest)).data());
  BlockHeader header = genesis;
  for (uint32_t height = 1; height <= kBlocks; ++height) {
    TestTransaction coinbase = coinbases.Add().transactions.front();
    std::vector<uint8_t> script(static_cast<size_t>(entropy.Between(50'000, 150'000)));
    script[0] = 0x6a;
    coinbase.outputs.push_back({0, std::move(script)});
    header.previous = height == 1 ? genesis.Hash() : chain.back().hash;
    header.version = 4;
    header.merkle_root = coinbase.Txid();
    header.time_s = genesis.time_s + 60 * height;
    headrace::testing::MineHeader(header);
    const auto head = header.Serialize();
    const std::vector<uint8_t> body = coinbase.Serialize();
    std::vector<uint8_t> raw(head.begin(), head.end());
    raw.push_back(1);
    raw.insert(raw.end(), body.begin(), body.end());
    chain.push_back({header, header.Hash(), Slab::Copy(raw)});
  }
  return chain;
}

const std::vector<ServedBlock>& Chain() {
  static const std::vector<ServedBlock> chain = MakeChain();
  return chain;
}

// A hub that has the chain, and answers for it out of memory.
class LineSeed {
 public:
  LineSeed(const Address& address, SimNetwork& network, SimClock& clock, SimEntropy entropy)
      : address(address), clock_(clock), entropy_(entropy), transport_(network, clock, wakeup, address) {
    PeerHubOptions options;
    options.magic = ParamsFor(ChainId::kRegtest).message_magic;
    options.listen = {address};
    hub_ = std::make_unique<PeerHub>(std::move(options), transport_, clock, entropy_, bell_);
    EXPECT_TRUE(hub_->Start().ok());
  }

  void Turn() {
    if (is_gone_) return;
    wakeup.due_ns = INT64_MAX;
    wakeup.busy_until_ns = clock_.now_ns() + kNsPerMs;
    hub_->Step(0);
    std::vector<PeerEvent> events;
    std::vector<PeerCommand> commands;
    while (hub_->TakeEvents(events, 64)) {
      for (const PeerEvent& event : std::exchange(events, {})) Answer(event, commands);
    }
    if (!commands.empty()) {
      hub_->Submit(commands);
      hub_->Step(0);
    }
    wakeup.At(std::min(clock_.now_ns() + 250 * kNsPerMs, transport_.NextDueNs()));
  }

  // Without a word.
  void Vanish() {
    transport_.Vanish(true);
    wakeup.due_ns = INT64_MAX;
    is_gone_ = true;
  }

  size_t in_flight_max() const { return in_flight_max_; }

  const Address address;
  Wakeup wakeup;

 private:
  class NoBell final : public Doorbell {
   public:
    void Ring() override {}
  };

  void Answer(const PeerEvent& event, std::vector<PeerCommand>& commands) {
    if (const auto* question = std::get_if<GetHeadersReceived>(&event)) {
      SendHeaders answer{question->peer, {}};
      size_t next = 0;
      for (const Hash256& known : question->locator) {
        const auto found =
            std::find_if(Chain().begin(), Chain().end(), [&](const ServedBlock& block) { return block.hash == known; });
        if (found == Chain().end()) continue;
        next = static_cast<size_t>(found - Chain().begin()) + 1;
        break;
      }
      for (; next < Chain().size() && answer.headers.size() < kMaxHeadersPerMessage; ++next)
        answer.headers.push_back(Chain()[next].header);
      commands.push_back(std::move(answer));
    } else if (const auto* wanted = std::get_if<GetDataReceived>(&event)) {
      in_flight_max_ = std::max(in_flight_max_, wanted->items.size());
      for (const InventoryItem& item : wanted->items) {
        const auto found = std::find_if(Chain().begin(), Chain().end(),
                                        [&](const ServedBlock& block) { return block.hash == item.hash; });
        if (found != Chain().end()) commands.push_back(SendBlock{wanted->peer, SharedBytes::From(found->raw)});
      }
    }
  }

  SimClock& clock_;
  SimEntropy entropy_;
  NoBell bell_;
  SimTransport transport_;
  std::unique_ptr<PeerHub> hub_;
  bool is_gone_ = false;
  size_t in_flight_max_ = 0;
};

class LinksTest : public ::testing::Test {
 protected:
  LinksTest() {
    const std::vector<double> megabits{1, 1, 2, 2, 5, 5, 10, 10};
    const std::vector<int64_t> round_trips_ms{140, 300, 20, 220, 100, 260, 60, 180};
    SimNodeOptions options;
    options.address = Address::Ipv4(10, 0, 0, 1, 8333);
    options.turn_ns_max = {kNsPerMs, kNsPerMs, kNsPerMs, kNsPerMs};
    options.hold_one_in = 0;
    options.block_file_bytes_max = 16 << 20;
    for (size_t i = 0; i < megabits.size(); ++i) {
      const Address address = Address::Ipv4(10, 0, 1, static_cast<uint8_t>(i + 1), 8333);
      rates_.push_back(megabits[i] * kMegabit);
      network_.SetLine(address, {rates_.back(), round_trips_ms[i] * kNsPerMs / 2});
      seeds_.push_back(std::make_unique<LineSeed>(address, network_, clock_, entropy_.Fork()));
      options.connect.push_back(address);
    }
    node_ = std::make_unique<SimNode>(0, options, network_, clock_, entropy_.Fork());
    EXPECT_TRUE(node_->Start(SimNode::Rebuild::kNothing).ok());
  }

  // Turns whoever is due for so long, and looks at the node's progress every tenth of a second.
  void Run(int64_t duration_ns) {
    const int64_t end_ns = clock_.now_ns() + duration_ns;
    while (clock_.now_ns() < end_ns) {
      Wakeup* next = nullptr;
      std::function<void()> turn;
      int64_t due_ns = std::min(end_ns, next_look_ns_);
      for (const auto& seed : seeds_) {
        if (seed->wakeup.due_ns < due_ns)
          due_ns = seed->wakeup.due_ns, next = &seed->wakeup, turn = [&seed] { seed->Turn(); };
      }
      for (int c = 0; c < SimNode::kComponentCount; ++c) {
        if (node_->wakeup(c).due_ns >= due_ns) continue;
        due_ns = node_->wakeup(c).due_ns;
        next = &node_->wakeup(c);
        turn = [this, c] {
          const absl::Status turned = node_->Turn(c);
          ASSERT_TRUE(turned.ok()) << turned;
        };
      }
      clock_.AdvanceTo(std::max(clock_.now_ns(), due_ns));
      if (next != nullptr) {
        turn();
      } else if (clock_.now_ns() >= next_look_ns_) {
        Look();
      }
    }
  }

  void Look() {
    next_look_ns_ = clock_.now_ns() + 100 * kNsPerMs;
    const uint32_t height = node_->applied().height;
    if (height != height_) height_ = height, height_since_ns_ = clock_.now_ns();
    longest_stand_ns_ = std::max(longest_stand_ns_, clock_.now_ns() - height_since_ns_);
  }

  // Of blocks that were taken, each once, whichever they are: their mean size is that of the chain.
  double BytesTaken() const {
    double all = 0;
    for (const ServedBlock& block : Chain()) all += static_cast<double>(block.raw->size());
    return static_cast<double>(node_->Status().blocks_downloaded) * all / kBlocks;
  }
  double RateOver(int64_t duration_ns) {
    const double before = BytesTaken();
    longest_stand_ns_ = 0;
    Run(duration_ns);
    return (BytesTaken() - before) * 1e9 / static_cast<double>(duration_ns);
  }
  double SumOfRates(size_t first, size_t end) const {
    double sum = 0;
    for (size_t i = first; i < end; ++i) sum += rates_[i];
    return sum;
  }
  size_t PeerCount() const { return node_->Status().peers.size(); }

  SimEntropy entropy_{5};
  SimClock clock_;
  SimNetwork network_{entropy_.Fork(), clock_, {}};
  std::vector<double> rates_;
  std::vector<std::unique_ptr<LineSeed>> seeds_;
  std::unique_ptr<SimNode> node_;
  int64_t next_look_ns_ = 0;
  uint32_t height_ = 0;
  int64_t height_since_ns_ = 0;
  int64_t longest_stand_ns_ = 0;
};

TEST_F(LinksTest, NineTenthsOfTheSumOfTheirRatesAreUsed) {
  // Handshakes and headers take the first second, the blocks' first two seconds follow.
  Run(4 * kNsPerSecond);
  const double rate = RateOver(20 * kNsPerSecond);
  EXPECT_GE(rate, 0.9 * SumOfRates(0, 8));
  EXPECT_LE(rate, 1.02 * SumOfRates(0, 8)) << "or the lines are none";
  EXPECT_LT(longest_stand_ns_, 3 * kNsPerSecond);
  EXPECT_EQ(PeerCount(), 8u);
  EXPECT_LE(node_->Status().blocks_in_flight_max_per_peer, kMaxBlocksInTransitPerPeer);
  for (const auto& seed : seeds_) EXPECT_LE(seed->in_flight_max(), kMaxBlocksInTransitPerPeer);
}

TEST_F(LinksTest, OneThatVanishesAndOneThatDripsAreReplacedWithinSeconds) {
  Run(6 * kNsPerSecond);
  seeds_[6]->Vanish();
  network_.SetLine(seeds_[3]->address, {1, 110 * kNsPerMs});
  const double rate = RateOver(20 * kNsPerSecond);
  EXPECT_GE(rate, 0.85 * (SumOfRates(0, 8) - rates_[6] - rates_[3])) << "less three seconds of twenty";
  EXPECT_LT(longest_stand_ns_, 3 * kNsPerSecond);
  EXPECT_EQ(PeerCount(), 6u);
}

TEST_F(LinksTest, FourOfEightThatVanishAtOnceLeaveTheOthersAtWork) {
  Run(6 * kNsPerSecond);
  for (const size_t gone : {1u, 2u, 5u, 6u}) seeds_[gone]->Vanish();
  const double left = rates_[0] + rates_[3] + rates_[4] + rates_[7];
  const double rate = RateOver(20 * kNsPerSecond);
  EXPECT_GE(rate, 0.85 * left);
  EXPECT_LT(longest_stand_ns_, 5 * kNsPerSecond);
  EXPECT_EQ(PeerCount(), 4u);
}

}  // namespace
}  // namespace headrace::sim
