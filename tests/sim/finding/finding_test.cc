// Networks of whole nodes (engine, stores, hub, address book on a disk) that know one DNS seed and nothing else.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/node_network.h"
#include "tests/sim/sim_name_lookup.h"

namespace headrace::sim {
namespace {

constexpr char kSeedName[] = "seed.example";
constexpr size_t kFullRelay = 8;
constexpr size_t kBlockRelay = 2;

class FindingTest : public NodeNetworkTest {
 protected:
  ~FindingTest() override { nodes_.clear(); }  // before whom they ask

  // A host that is not running yet.
  void AddFinder() {
    lookups_.push_back(std::make_unique<SimNameLookup>([this](const std::string& name) { return Resolve(name); }, clock_));
    SimNodeOptions options;
    DiscoveryOptions& discovery = options.hub.discovery.emplace();
    discovery.dns = {{kSeedName}, 8333, false};
    discovery.lookup = lookups_.back().get();
    AddNode(std::move(options));
  }
  // So many nodes that start within half a minute, of which the first has a chain.
  void MakeNetwork(int count) {
    for (int i = 0; i < count; ++i) AddFinder();
    for (int i = 0; i < count; ++i) {
      Start(i);
      Run(entropy_.Between(0, 3));
    }
    Give(*nodes_[0], 30);
  }
  // So many more blocks on the best chain.
  void Give(SimNode& node, uint32_t count) {
    std::vector<const ModelBlock*> blocks;
    const ModelBlock* old_tip = tip_;
    tip_ = &maker_.Extend(*old_tip, count);
    for (const ModelBlock* block = tip_; block != old_tip; block = block->parent) blocks.insert(blocks.begin(), block);
    for (const ModelBlock* block : blocks) {
      ASSERT_TRUE(RunUntil([&] { return node.OfferBlock(*block); }, 60)) << "height " << block->height;
    }
  }

  // The seed's server: the nodes that a crawler would find now. Only the plain name exists.
  std::vector<Address> Resolve(const std::string& name) {
    std::vector<Address> found;
    if (name != kSeedName) return found;
    for (const auto& node : nodes_) {
      if (!node->is_running()) continue;
      found.push_back(node->options().address);
      found.back().port = 0;
    }
    return found;
  }

  // Connections that a node has made for good, by address.
  static std::map<std::string, PeerKind> Chosen(const SimNode& node) {
    std::map<std::string, PeerKind> chosen;
    for (const PeerStatusNet& peer : node.PeerStatuses()) {
      const bool is_chosen = peer.info.kind == PeerKind::kFullRelay || peer.info.kind == PeerKind::kBlockRelay;
      if (is_chosen && peer.is_handshake_complete) {
        EXPECT_TRUE(chosen.emplace(peer.info.address, peer.info.kind).second) << "twice " << peer.info.address;
      }
    }
    return chosen;
  }
  static size_t CountOf(const SimNode& node, PeerKind kind) {
    size_t count = 0;
    for (const auto& [address, one] : Chosen(node)) count += one == kind ? 1 : 0;
    return count;
  }
  static bool IsComplete(const SimNode& node) {
    return node.is_running() && CountOf(node, PeerKind::kFullRelay) == kFullRelay &&
           CountOf(node, PeerKind::kBlockRelay) == kBlockRelay;
  }
  bool AllAreComplete() const {
    return AllAreAtTip() && std::all_of(nodes_.begin(), nodes_.end(), [](const auto& node) {
             return !node->is_running() || IsComplete(*node);
           });
  }
  std::string WhereAllAre() const {
    std::string text;
    for (const auto& node : nodes_) {
      if (!node->is_running()) continue;
      text += "\nnode " + std::to_string(node->number()) + " full=" + std::to_string(CountOf(*node, PeerKind::kFullRelay)) +
              " block=" + std::to_string(CountOf(*node, PeerKind::kBlockRelay)) +
              " height=" + std::to_string(node->applied().height);
    }
    return text;
  }

  // Looks now and then: what it asks costs more than a turn.
  bool RunUntilNowAndThen(const std::function<bool()>& done, int64_t seconds) {
    for (int64_t second = 0; second < seconds; ++second) {
      if (done()) return true;
      Run(1);
    }
    return done();
  }
  size_t QuestionsOf(int number) const { return lookups_[static_cast<size_t>(number)]->asked().size(); }

  std::vector<std::unique_ptr<SimNameLookup>> lookups_;
};

TEST_P(FindingTest, TwentyNodesThatKnowOneSeedMeetOnOneTip) {
  MakeNetwork(20);
  EXPECT_TRUE(RunUntilNowAndThen([&] { return AllAreComplete(); }, 1'800)) << WhereAllAre();
  for (int i = 0; i < 20; ++i) EXPECT_LE(QuestionsOf(i), 4u) << "node " << i << " asks the seed no more than it must";
  // A block that is made later reaches all.
  Give(*nodes_[7], 1);
  EXPECT_TRUE(RunUntilNowAndThen([&] { return AllAreComplete(); }, 60)) << WhereAllAre();
  Run(600);
  EXPECT_TRUE(AllAreComplete()) << "and so it stays" << WhereAllAre();
}

TEST_P(FindingTest, AKilledNodeIsBackWithItsPeersInSeconds) {
  MakeNetwork(20);
  ASSERT_TRUE(RunUntilNowAndThen([&] { return AllAreComplete(); }, 1'800)) << WhereAllAre();
  Run(60);
  for (const bool has_power : {true, false}) {
    SCOPED_TRACE(has_power ? "killed" : "without power");
    constexpr int kNumber = 5;
    SimNode& node = *nodes_[kNumber];
    const auto before = Chosen(node);
    const size_t questions = QuestionsOf(kNumber);
    node.Crash(has_power);
    Run(90);
    Start(kNumber);
    EXPECT_TRUE(RunUntil([&] { return Chosen(node) == before; }, 5)) << WhereAllAre();
    Run(60);
    EXPECT_EQ(Chosen(node), before);
    EXPECT_EQ(QuestionsOf(kNumber), questions) << "nobody needs a seed who has peers";
  }
}

TEST_P(FindingTest, WhoseFormerPeersAreAllGoneStartsOverFromTheSeed) {
  MakeNetwork(14);
  ASSERT_TRUE(RunUntilNowAndThen([&] { return AllAreComplete(); }, 1'800)) << WhereAllAre();
  Run(60);
  constexpr int kNumber = 5;
  SimNode& node = *nodes_[kNumber];
  for (const auto& one : nodes_) one->Crash(true);
  // Others, of whom the node has never heard.
  for (int i = 14; i < 26; ++i) {
    AddFinder();
    Start(i);
  }
  ASSERT_TRUE(RunUntilNowAndThen([&] { return IsComplete(*nodes_[20]); }, 1'800)) << WhereAllAre();
  const size_t questions = QuestionsOf(kNumber);
  Start(kNumber);
  EXPECT_FALSE(RunUntil([&] { return QuestionsOf(kNumber) != questions; }, 10)) << "its own peers come first";
  EXPECT_TRUE(RunUntil([&] { return QuestionsOf(kNumber) != questions; }, 5));
  EXPECT_TRUE(RunUntilNowAndThen([&] { return IsComplete(node); }, 600)) << WhereAllAre();
  // It alone has the chain.
  EXPECT_EQ(node.applied().hash, tip_->hash);
  EXPECT_TRUE(RunUntilNowAndThen([&] { return AllAreComplete(); }, 600)) << WhereAllAre();
}

INSTANTIATE_TEST_SUITE_P(Seeds, FindingTest, ::testing::Values(1, 2));

}  // namespace
}  // namespace headrace::sim
