// Branches that turn out invalid after the node began to follow them.
#include "tests/engine/node/reorg_fixture.h"
#include "tests/support/captured_log.h"
#include "tests/support/node/scripted_peers.h"

namespace headrace {
namespace {

using testing::AllShapes;
using testing::BusyBranch;
using testing::CapturedLog;
using testing::NodeShape;
using testing::ReorgFixture;
using testing::ScriptedPeer;
using testing::ScriptedPeers;
using testing::TestNode;
using testing::TestNodeOptions;

constexpr uint32_t kFork = 120;
constexpr uint32_t kLength = 16;  // of the branch with the bad block; the one that the node is on has half of it

struct BadBlock {
  const char* name;
  BusyBranch::Offence offence;
  const char* reason;
};

const BadBlock kBadBlocks[] = {
    {"BadScript", BusyBranch::Offence::kBadScript, "block-script-verify-flag-failed"},
    {"MissingInput", BusyBranch::Offence::kMissingInput, "bad-txns-inputs-missingorspent"},
    {"DoubleSpend", BusyBranch::Offence::kDoubleSpend, "bad-txns-inputs-missingorspent"},
    {"CoinbaseAmount", BusyBranch::Offence::kCoinbaseAmount, "bad-cb-amount"},
};

// What is bad, the place of the bad block on its branch from 1, and whether peers deliver (headers first) or a file.
class ReorgInvalidTest : public ReorgFixture,
                         public ::testing::WithParamInterface<std::tuple<BadBlock, uint32_t, bool>> {};

TEST_P(ReorgInvalidTest, TheNodeEndsOnTheBestValidChain) {
  const auto& [bad, place, is_from_peers] = GetParam();
  const BusyBranch base = Base(kFork, 1, 12);
  BusyBranch a = base.Fork(kFork, 2);
  a.Grow(kLength / 2, 8);
  BusyBranch good_part = base.Fork(kFork, 3);
  good_part.Grow(place - 1, 8);
  BusyBranch b = good_part;
  b.GrowBad(bad.offence, 8);
  const Hash256 bad_hash = b.tip();
  b.Grow(kLength - place, 8);
  const BusyBranch& best = good_part.height() > a.height() ? good_part : a;

  ScriptedPeers peers;
  // Every shape has its turn.
  const std::vector<NodeShape> shapes = AllShapes();
  TestNodeOptions options =
      Options(shapes[(place + static_cast<uint32_t>(bad.offence) + is_from_peers) % shapes.size()]);
  CheckpointAlways(options);
  options.peers = &peers;
  {
    TestNode node(options);
    OfferFrom(node, a, 1);
    node.RunUntilQuiet();
    ExpectOn(node, a);
    CapturedLog log;
    if (is_from_peers) {
      ScriptedPeer& peer = peers.Connect(1, &b.chain());
      node.RunUntil([&] { return log.Has("block rejected hash=" + bad_hash.ToHex()); });
      node.RunUntilQuiet();
      EXPECT_EQ(peer.blocks_asked.size(), kLength);
    } else {
      OfferFrom(node, b, kFork + 1);
      node.RunUntilQuiet();
    }
    EXPECT_TRUE(log.Has("block rejected hash=" + bad_hash.ToHex() + " height=" + std::to_string(kFork + place) +
                        " reason=" + bad.reason));
    ExpectOn(node, best);
    // What stands on the bad block is out of the race with it.
    EXPECT_EQ(node.Status().header_height, best.height());

    // More of the same, with more work than anything: headers first and blocks first, nobody is led astray.
    b.Grow(5, 4);
    ScriptedPeer& liar = peers.Connect(2, &b.chain());
    node.RunUntil([&] { return liar.is_disconnected; });
    EXPECT_TRUE(liar.is_discouraged);
    EXPECT_TRUE(liar.blocks_asked.empty());
    OfferFrom(node, b, kFork + 1);
    node.RunUntilQuiet();
    ExpectOn(node, best);
  }
  // Killed. What was judged stays so, and a third branch is welcome.
  BusyBranch third = base.Fork(kFork - 3, 4);
  third.Grow(best.height() + 1 - third.height(), 8);
  TestNode node(options);
  node.RunUntilQuiet();
  EXPECT_EQ(node.node().AppliedTip().height, best.height());
  if (is_from_peers) {
    peers.Connect(3, &third.chain());
    node.RunUntil([&] { return node.node().AppliedTip().height == third.height(); });
  } else {
    OfferFrom(node, third, kFork - 2);
  }
  node.RunUntilQuiet();
  ExpectOn(node, third);
  ExpectAsIfAlone(node, third);
}

INSTANTIATE_TEST_SUITE_P(Places, ReorgInvalidTest,
                         ::testing::Combine(::testing::ValuesIn(kBadBlocks),
                                            ::testing::Values(1u, kLength / 2 + 1, kLength), ::testing::Bool()),
                         [](const auto& info) {
                           return std::string(std::get<0>(info.param).name) + "At" +
                                  std::to_string(std::get<1>(info.param)) +
                                  (std::get<2>(info.param) ? "FromPeers" : "FromFile");
                         });

class ReorgFallbackTest : public ReorgFixture {};

// The branch with most work is bad at its end, the next best in the middle, the third is good: each is tried in its
// turn.
TEST_F(ReorgFallbackTest, TheNextBestBranchIsTriedUntilOneIsGood) {
  const BusyBranch base = Base(kFork, 1, 12);
  BusyBranch a = base.Fork(kFork, 2);
  a.Grow(3, 8);
  BusyBranch best = base.Fork(kFork - 2, 3);
  best.Grow(6, 8);
  BusyBranch worst = base.Fork(kFork, 4);
  worst.Grow(2, 8);
  worst.GrowBad(BusyBranch::Offence::kBadScript, 8);
  worst.Grow(9, 8);
  BusyBranch middling = base.Fork(kFork - 1, 5);
  middling.Grow(3, 8);
  middling.GrowBad(BusyBranch::Offence::kCoinbaseAmount, 8);
  middling.Grow(4, 8);
  for (const NodeShape& shape : AllShapes()) {
    SCOPED_TRACE(shape.name);
    const testing::TemporaryDirectory directory;
    TestNodeOptions options = Options(shape);
    options.directory = directory.path();
    TestNode node(options);
    OfferFrom(node, a, 1);
    node.RunUntilQuiet();
    // Longest first, and all at once: the node starts on the bad ones.
    OfferFrom(node, worst, kFork + 1);
    OfferFrom(node, middling, kFork);
    OfferFrom(node, best, kFork - 1);
    node.RunUntilQuiet();
    ExpectOn(node, best);
    EXPECT_EQ(node.Status().header_height, best.height());
  }
}

}  // namespace
}  // namespace headrace
