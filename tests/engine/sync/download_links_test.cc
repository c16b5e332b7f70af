// The download over links with a rate and a round trip each, in simulated time: blocks have sizes and no content, a
// peer sends what it was asked for in order, and the rules of the download decide the rest. Nothing here depends on the
// machine.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <numeric>
#include <random>
#include <set>

#include "engine/consensus/chain_params.h"
#include "engine/sync/block_download.h"

namespace headrace {
namespace {

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kSecondNs = 1'000 * kMs;
constexpr int64_t kTurnNs = 5 * kMs;
constexpr double kMegabit = 1e6 / 8;
constexpr int64_t kNever = INT64_MAX;

struct Link {
  double bytes_per_second = 0;
  int64_t round_trip_ns = 0;
  int64_t stops_ns = kNever;  // from then on it carries nothing, and says nothing
  int64_t drips_ns = kNever;  // from then on one byte a second
  HeaderId withholds_one_in = 0;
};

// Two each of 10, 20, 50 and 100 Mbit/s; round trips of 20 to 300 ms in an order that the seed decides.
std::vector<Link> EightLinks(uint32_t seed) {
  std::vector<int64_t> round_trips{20, 60, 100, 140, 180, 220, 260, 300};
  std::mt19937 random(seed);
  std::shuffle(round_trips.begin(), round_trips.end(), random);
  std::vector<Link> links;
  for (const double megabits : {10, 10, 20, 20, 50, 50, 100, 100}) {
    links.push_back({megabits * kMegabit, round_trips[links.size()] * kMs});
  }
  return links;
}

double SumOfRates(const std::vector<Link>& links) {
  return std::accumulate(links.begin(), links.end(), 0.0,
                         [](double sum, const Link& link) { return sum + link.bytes_per_second; });
}

// A node that downloads and does nothing else, and its peers.
class LinkedDownload {
 public:
  LinkedDownload(std::vector<Link> links, uint32_t block_count, std::function<uint32_t(HeaderId)> size_of,
                 const BlockDownloadOptions& options = {})
      : tree_(BlockHeader::Load(GenesisBlock(ParamsFor(ChainId::kRegtest)).data())),
        download_(tree_, peers_, options),
        options_(options),
        size_of_(std::move(size_of)) {
    HeaderId tip = kGenesisId;
    for (uint32_t i = 0; i < block_count; ++i) {
      BlockHeader header = tree_.header(tip);
      header.previous = tree_.hash(tip);
      header.time_s += 600;
      tip = tree_.Add(header, header.Hash(), tip);
    }
    // It has been at work before, and stopped behind the first block.
    tree_.SetData(1, {0, 8, size_of_(1)}, 1);
    for (const Link& link : links) {
      const PeerId id = lines_.size() + 1;
      lines_[id].link = link;
      SyncPeer& peer = peers_[id];
      peer.info.id = id;
      peer.info.services = kNodeNetwork | kNodeWitness;
      peer.best_known = tip;
    }
  }

  void RunUntil(int64_t end_ns) {
    while (now_ns_ < end_ns) Turn();
  }

  int64_t now_ns() const { return now_ns_; }
  // Of blocks that came for the first time; those that came again.
  uint64_t bytes() const { return bytes_; }
  uint64_t bytes_again() const { return bytes_again_; }
  // The longest time between two blocks that were the lowest missing one.
  int64_t longest_stand_ns() const { return std::max(longest_stand_ns_, now_ns_ - frontier_since_ns_); }
  uint32_t frontier() const { return frontier_; }
  const std::map<PeerId, int64_t>& replaced() const { return replaced_; }
  uint64_t bytes_from(PeerId peer) const { return lines_.at(peer).bytes; }
  size_t most_in_flight(PeerId peer) const { return lines_.at(peer).most_in_flight; }
  const BlockDownload& download() const { return download_; }

  // Mean rate of first copies, and the longest stand, since a moment that was marked.
  void Mark() { marked_ns_ = now_ns_, marked_bytes_ = bytes_, longest_stand_ns_ = 0; }
  double RateSinceMark() const {
    return static_cast<double>(bytes_ - marked_bytes_) * 1e9 / static_cast<double>(now_ns_ - marked_ns_);
  }

 private:
  struct Line {
    Link link;
    struct Asked {
      HeaderId id;
      int64_t ready_ns;
    };
    std::deque<Asked> asked;
    double sent_of_first = 0;
    double received = 0;
    uint64_t bytes = 0;
    size_t withheld = 0;
    size_t most_in_flight = 0;
    bool is_open = true;
  };

  void Turn() {
    now_ns_ += kTurnNs;
    for (auto& [id, line] : lines_) Carry(id, line);
    std::vector<PeerCommand> commands;
    if (now_ns_ % (100 * kMs) == 0) {
      for (auto& [id, line] : lines_) {
        if (line.is_open) download_.OnReceivedBytes(id, static_cast<uint64_t>(line.received), now_ns_);
      }
      download_.Tick(now_ns_, commands);
    }
    // What waits for the frontier gives way to what comes: it is in the block files (BlockPipeline::RoomBytes).
    download_.Assign(0, now_ns_, commands);
    for (const PeerCommand& command : commands) Execute(command);
  }

  void Carry(PeerId id, Line& line) {
    if (!line.is_open || now_ns_ >= line.link.stops_ns) return;
    const double rate = now_ns_ >= line.link.drips_ns ? 1 : line.link.bytes_per_second;
    double room = rate * static_cast<double>(kTurnNs) / 1e9;
    while (!line.asked.empty() && line.asked.front().ready_ns <= now_ns_ && room > 0) {
      const HeaderId block = line.asked.front().id;
      const double rest = size_of_(block) - line.sent_of_first;
      const double moved = std::min(rest, room);
      room -= moved;
      line.received += moved;
      line.sent_of_first += moved;
      if (moved < rest) return;
      line.asked.pop_front();
      line.sent_of_first = 0;
      line.bytes += size_of_(block);
      Arrive(id, block);
    }
  }

  void Arrive(PeerId peer, HeaderId block) {
    const auto taken = download_.OnBlock(peer, tree_.hash(block), size_of_(block), now_ns_);
    if (!taken) {
      bytes_again_ += size_of_(block);
      return;
    }
    bytes_ += size_of_(block);
    waiting_bytes_ += size_of_(block);
    tree_.SetData(block, {0, 8, size_of_(block)}, 1);
    download_.OnSettled(block);
    while (frontier_ < tree_.size() && tree_.has_data(frontier_)) {
      waiting_bytes_ -= size_of_(frontier_);
      longest_stand_ns_ = std::max(longest_stand_ns_, now_ns_ - frontier_since_ns_);
      frontier_since_ns_ = now_ns_;
      ++frontier_;
    }
  }

  void Execute(const PeerCommand& command) {
    if (const auto* ask = std::get_if<SendGetData>(&command)) {
      Line& line = lines_.at(ask->peer);
      ASSERT_TRUE(line.is_open);
      for (const InventoryItem& item : ask->items) {
        const HeaderId block = tree_.Find(item.hash);
        EXPECT_TRUE(std::none_of(line.asked.begin(), line.asked.end(), [&](const auto& asked) {
          return asked.id == block;
        })) << "asked twice of one peer";
        const bool is_withheld = line.link.withholds_one_in != 0 && block % line.link.withholds_one_in == 0;
        if (is_withheld) {
          ++line.withheld;
        } else {
          line.asked.push_back({block, now_ns_ + line.link.round_trip_ns});
        }
        const size_t in_flight = line.asked.size() + line.withheld;
        line.most_in_flight = std::max(line.most_in_flight, in_flight);
        EXPECT_LE(in_flight, options_.in_flight_per_peer_max);
      }
    } else if (const auto* away = std::get_if<Disconnect>(&command)) {
      replaced_[away->peer] = now_ns_;
      lines_.at(away->peer).is_open = false;
      download_.OnDisconnected(away->peer);
      peers_.erase(away->peer);
    }
  }

  HeaderTree tree_;
  SyncPeers peers_;
  BlockDownload download_;
  const BlockDownloadOptions options_;
  const std::function<uint32_t(HeaderId)> size_of_;
  std::map<PeerId, Line> lines_;
  std::map<PeerId, int64_t> replaced_;
  int64_t now_ns_ = 0;
  uint64_t bytes_ = 0;
  uint64_t bytes_again_ = 0;
  uint64_t waiting_bytes_ = 0;
  uint32_t frontier_ = 2;
  int64_t frontier_since_ns_ = 0;
  int64_t longest_stand_ns_ = 0;
  int64_t marked_ns_ = 0;
  uint64_t marked_bytes_ = 0;
};

// A number that looks like chance and is the same for a block whenever it is asked.
uint32_t Scramble(uint32_t value) {
  uint64_t z = value * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  return static_cast<uint32_t>(z >> 32);
}

// As full blocks are: around a megabyte and a half, now and then nearly empty, now and then four.
uint32_t FullBlock(HeaderId id) {
  const uint32_t draw = Scramble(id);
  if (draw % 40 == 0) return 500 + draw % 5'000;
  if (draw % 40 == 1) return 3'900'000;
  return 1'000'000 + draw % 1'000'000;
}
uint32_t Megabyte(HeaderId) { return 1'000'000; }
uint32_t QuarterMegabyte(HeaderId) { return 250'000; }
uint32_t FourMegabytes(HeaderId) { return 4'000'000; }
uint32_t TinyBlock(HeaderId) { return 10'000; }

class DownloadOverLinks : public ::testing::TestWithParam<uint32_t> {};

TEST_P(DownloadOverLinks, NineTenthsOfTheSumOfTheirRatesAreUsed) {
  for (const auto& size_of : {FullBlock, Megabyte, QuarterMegabyte, FourMegabytes}) {
    const std::vector<Link> links = EightLinks(GetParam());
    LinkedDownload world(links, 6'000, size_of);
    SCOPED_TRACE(size_of(7));
    world.RunUntil(2 * kSecondNs);
    world.Mark();
    world.RunUntil(26 * kSecondNs);
    EXPECT_GE(world.RateSinceMark(), 0.9 * SumOfRates(links));
    EXPECT_TRUE(world.replaced().empty()) << "slow lines are not stalls";
    // A block of four megabytes alone takes 10 Mbit/s 3.2 s.
    EXPECT_LT(world.longest_stand_ns(), (size_of(7) == 4'000'000 ? 4 : 3) * kSecondNs);
    EXPECT_LT(world.bytes_again(), world.bytes() / 50) << "hardly anything comes twice";
  }
}

// Sixteen requests a round trip are what the protocol allows: a line with 300 ms carries 53 blocks a second, whatever
// its rate.
TEST_P(DownloadOverLinks, SmallBlocksComeAsFastAsSixteenARoundTripAllow) {
  const std::vector<Link> links = EightLinks(GetParam());
  double possible = 0;
  for (const Link& link : links) {
    // A request leaves in the turn of the engine in which a block came.
    const double cycle_s = static_cast<double>(link.round_trip_ns + kTurnNs) / 1e9;
    possible += std::min(link.bytes_per_second, 16.0 * TinyBlock(1) / cycle_s);
  }
  LinkedDownload world(links, 40'000, TinyBlock);
  world.RunUntil(2 * kSecondNs);
  world.Mark();
  world.RunUntil(22 * kSecondNs);
  EXPECT_GE(world.RateSinceMark(), 0.9 * possible);
  EXPECT_TRUE(world.replaced().empty());
}

TEST_P(DownloadOverLinks, AnyOneThatStopsCostsLessThanThreeSeconds) {
  for (size_t stopped = 0; stopped < 8; ++stopped) {
    SCOPED_TRACE(stopped);
    std::vector<Link> links = EightLinks(GetParam());
    const double before = SumOfRates(links);
    const double after = before - links[stopped].bytes_per_second;
    links[stopped].stops_ns = 8 * kSecondNs;
    LinkedDownload world(links, 4'000, FullBlock);
    world.RunUntil(8 * kSecondNs);
    const uint64_t bytes = world.bytes();
    world.RunUntil(28 * kSecondNs);
    EXPECT_LT(world.longest_stand_ns(), 3 * kSecondNs);
    // What 20 s on the lines that are left would have brought, less what three seconds would.
    EXPECT_GE(static_cast<double>(world.bytes() - bytes), 17 * after);
    ASSERT_EQ(world.replaced().size(), 1u);
    EXPECT_EQ(world.replaced().begin()->first, stopped + 1);
    EXPECT_LE(world.replaced().begin()->second, (8 + 5) * kSecondNs);
  }
}

TEST_P(DownloadOverLinks, OneThatDripsIsReplacedAndNothingElseIsDelayed) {
  for (size_t dripping = 0; dripping < 8; ++dripping) {
    SCOPED_TRACE(dripping);
    std::vector<Link> links = EightLinks(GetParam());
    const double others = SumOfRates(links) - links[dripping].bytes_per_second;
    links[dripping].drips_ns = 8 * kSecondNs;
    LinkedDownload world(links, 4'000, FullBlock);
    world.RunUntil(8 * kSecondNs);
    world.Mark();
    world.RunUntil(28 * kSecondNs);
    EXPECT_GE(world.RateSinceMark(), 0.9 * others);
    EXPECT_LT(world.longest_stand_ns(), 3 * kSecondNs);
    ASSERT_EQ(world.replaced().size(), 1u);
    EXPECT_EQ(world.replaced().begin()->first, dripping + 1);
    EXPECT_LE(world.replaced().begin()->second, (8 + 5) * kSecondNs);
  }
}

TEST_P(DownloadOverLinks, FourOfEightThatVanishAtOnceLeaveTheOthersAtFullRate) {
  for (const bool fast_ones : {false, true}) {
    SCOPED_TRACE(fast_ones);
    std::vector<Link> links = EightLinks(GetParam());
    double left = SumOfRates(links);
    for (size_t i = 0; i < 4; ++i) {
      Link& link = links[fast_ones ? i + 4 : i];
      link.stops_ns = 8 * kSecondNs;
      left -= link.bytes_per_second;
    }
    LinkedDownload world(links, 4'000, FullBlock);
    world.RunUntil(8 * kSecondNs);
    const uint64_t bytes = world.bytes();
    world.RunUntil(38 * kSecondNs);
    EXPECT_GE(static_cast<double>(world.bytes() - bytes), 0.9 * 27 * left);
    EXPECT_EQ(world.replaced().size(), 4u);
    // What the fast ones owed, some 40 blocks, takes the slow ones seven seconds.
    EXPECT_LT(world.longest_stand_ns(), (fast_ones ? 7 : 3) * kSecondNs);
  }
}

// One block in twelve never comes from it; all others do, and so it looks alive.
TEST_P(DownloadOverLinks, OneThatWithholdsSomeBlocksDoesNotHoldTheOthersUp) {
  std::vector<Link> links = EightLinks(GetParam());
  links[5].withholds_one_in = 12;
  const double others = SumOfRates(links) - links[5].bytes_per_second;
  LinkedDownload world(links, 4'000, FullBlock);
  world.RunUntil(2 * kSecondNs);
  world.Mark();
  world.RunUntil(32 * kSecondNs);
  EXPECT_GE(world.RateSinceMark(), 0.9 * others);
  EXPECT_LT(world.longest_stand_ns(), 5 * kSecondNs);
}

// Forty seconds for a block: it is left alone, and its blocks come from others when they are due.
TEST_P(DownloadOverLinks, AVerySlowLineDoesNotHoldTheOthersUp) {
  std::vector<Link> links = EightLinks(GetParam());
  const double others = SumOfRates(links);
  links.push_back({40'000, 250 * kMs});
  LinkedDownload world(links, 4'000, FullBlock);
  world.RunUntil(2 * kSecondNs);
  world.Mark();
  world.RunUntil(32 * kSecondNs);
  EXPECT_GE(world.RateSinceMark(), 0.9 * others);
  EXPECT_LT(world.longest_stand_ns(), 5 * kSecondNs);
}

// At the end of the chain there is nothing else to do: the last blocks come when the fastest lines could bring them.
TEST_P(DownloadOverLinks, TheLastBlocksDoNotWaitForTheSlowestLine) {
  const std::vector<Link> links = EightLinks(GetParam());
  LinkedDownload world(links, 600, FullBlock);
  double bytes = 0;
  for (HeaderId id = 1; id <= 600; ++id) bytes += FullBlock(id);
  const int64_t least_ns = static_cast<int64_t>(bytes / SumOfRates(links) * 1e9);
  world.RunUntil(least_ns + 5 * kSecondNs);
  EXPECT_EQ(world.frontier(), 601u);
}

TEST_P(DownloadOverLinks, TheLimitOfRequestsIsReachedAndNeverExceeded) {
  for (const uint32_t limit : {1u, 3u, 16u}) {
    SCOPED_TRACE(limit);
    LinkedDownload world(EightLinks(GetParam()), 20'000, TinyBlock, {.in_flight_per_peer_max = limit});
    world.RunUntil(10 * kSecondNs);
    size_t most = 0;
    for (PeerId peer = 1; peer <= 8; ++peer) most = std::max(most, world.most_in_flight(peer));
    EXPECT_EQ(most, limit);
    EXPECT_EQ(world.download().in_flight_per_peer_max_ever(), limit);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, DownloadOverLinks, ::testing::Range(1u, 4u));

}  // namespace
}  // namespace headrace
