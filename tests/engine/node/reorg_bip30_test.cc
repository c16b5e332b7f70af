// Coinbases with one identifier: what BIP30's exceptions overwrite, what is taken back, and what is forgotten for good.
#include "engine/consensus/chain_params.h"
#include "tests/engine/node/reorg_fixture.h"
#include "tests/support/captured_log.h"

namespace headrace {
namespace {

using testing::CapturedLog;
using testing::ChainBuilder;
using testing::kTrueScript;
using testing::ReorgFixture;
using testing::TestCoinSet;
using testing::TestNode;
using testing::TestNodeOptions;
using testing::TestTransaction;

constexpr uint32_t kFirst = 104;   // has the coinbase for the first time
constexpr uint32_t kSecond = 108;  // and for the second
constexpr uint32_t kEnd = 112;

class ReorgBip30Test : public ReorgFixture {
 protected:
  ReorgBip30Test() : params_(ParamsFor(ChainId::kRegtest)) {
    // Before BIP34 a coinbase need not name its height, so two can be the same.
    params_.bip34_height = UINT32_MAX;
    twin_.inputs = {{Hash256(), OutPoint::kNullIndex}};
    twin_.script_sig = {4, 't', 'w', 'i', 'n'};
    twin_.outputs = {{50 * kCoin, kTrueScript}, {0, kTrueScript}};
    while (a_.height() < kFirst - 1) a_.Add();
    a_.AddExactly({twin_});
    while (a_.height() < kSecond - 1) a_.Add();
    a_.AddExactly({twin_, a_.Spend({a_.CoinbaseOf(3)}, 2)});
    second_hash_ = a_.blocks().back()->hash;
    while (a_.height() < kEnd) a_.Add();
  }

  TestNodeOptions TwinOptions(bool is_exception) {
    params_.bip30_exceptions.clear();
    if (is_exception) params_.bip30_exceptions.push_back({kSecond, second_hash_});
    TestNodeOptions options = Options();
    options.params = &params_;
    return options;
  }

  static void Offer(TestNode& node, const ChainBuilder& chain, uint32_t first_height) {
    for (uint32_t h = first_height; h <= chain.height(); ++h) node.Offer(*chain.blocks()[h - 1]);
    node.RunUntilQuiet();
  }

  // A branch from below `height` on, long enough to win.
  ChainBuilder Rival(uint32_t height) {
    ChainBuilder rival = a_;
    rival.TruncateTo(height);
    while (rival.height() < kEnd + 1) rival.Add({}, -1, 9);
    return rival;
  }

  // The chain that wins against the rival in its turn.
  ChainBuilder Return() {
    ChainBuilder longer = a_;
    while (longer.height() < kEnd + 2) longer.Add({}, -1, 11);
    return longer;
  }

  TestCoinSet WithoutTwin(TestCoinSet coins) const {
    for (uint32_t o = 0; o < twin_.outputs.size(); ++o) EXPECT_EQ(coins.erase({twin_.Txid(), o}), 1u);
    return coins;
  }

  ChainParams params_;
  TestTransaction twin_;
  ChainBuilder a_;
  Hash256 second_hash_;
};

TEST_F(ReorgBip30Test, WithoutTheExceptionTheSecondIsRefused) {
  TestNode node(TwinOptions(false));
  CapturedLog log;
  Offer(node, a_, 1);
  EXPECT_TRUE(log.Has(" height=" + std::to_string(kSecond) + " reason=bad-txns-BIP30"));
  ChainBuilder below = a_;
  below.TruncateTo(kSecond - 1);
  EXPECT_EQ(node.node().AppliedTip().hash, below.blocks().back()->hash);
  node.ExpectCoins(below.coins());
}

// The field's behaviour: what the second coinbase overwrote does not come back when the second is disconnected.
TEST_F(ReorgBip30Test, WhatWasOverwrittenIsLostAndTheWayForwardMakesItAgain) {
  const TestNodeOptions options = TwinOptions(true);
  const ChainBuilder rival = Rival(kFirst + 1);
  const ChainBuilder longer = Return();
  {
    TestNode node(options);
    Offer(node, a_, 1);
    EXPECT_EQ(node.node().AppliedTip().hash, a_.blocks().back()->hash);
    node.ExpectCoins(a_.coins());
    EXPECT_EQ(a_.coins().at({twin_.Txid(), 0}).height, kSecond);

    Offer(node, rival, kFirst + 2);
    EXPECT_EQ(node.node().AppliedTip().hash, rival.blocks().back()->hash);
    node.ExpectCoins(WithoutTwin(rival.coins()));
    // The manifest of this stop says the same.
    ASSERT_TRUE(node.Shutdown().ok());
  }
  {
    TestNode node(options);
    node.ExpectCoins(WithoutTwin(rival.coins()));
    Offer(node, longer, kEnd + 1);
    EXPECT_EQ(node.node().AppliedTip().hash, longer.blocks().back()->hash);
    node.ExpectCoins(longer.coins());
    // Killed with the manifest of the rival: down by undo and up over the exception once more.
  }
  TestNode node(options);
  node.RunUntilQuiet();
  EXPECT_EQ(node.node().AppliedTip().hash, longer.blocks().back()->hash);
  node.ExpectCoins(longer.coins());
}

// Below both, nothing is left of either: the branch is as if it had been alone, and both ways can be gone again and
// again.
TEST_F(ReorgBip30Test, BothAreTakenBackAndTheRivalIsAsIfAlone) {
  TestNodeOptions options = TwinOptions(true);
  CheckpointAlways(options);
  ChainBuilder rival = Rival(kFirst - 2);
  ChainBuilder longer = a_;
  TestNode node(options);
  Offer(node, longer, 1);
  for (int turn = 0; turn < 3; ++turn) {
    SCOPED_TRACE(turn);
    while (rival.height() <= longer.height()) rival.Add({}, -1, 9);
    Offer(node, rival, kFirst - 1);
    EXPECT_EQ(node.node().AppliedTip().hash, rival.blocks().back()->hash);
    node.ExpectCoins(rival.coins());
    while (longer.height() <= rival.height()) longer.Add({}, -1, 11);
    Offer(node, longer, kFirst);
    EXPECT_EQ(node.node().AppliedTip().hash, longer.blocks().back()->hash);
    node.ExpectCoins(longer.coins());
  }
  EXPECT_EQ(node.Status().reorganisations, 6u);
}

// No exception is needed where the first was wholly spent before: and then the undo data bring the first one's spend
// back.
TEST_F(ReorgBip30Test, ASpentCoinbaseMayComeAgainAndUndoKnowsWhichOneWasSpent) {
  ChainBuilder chain;
  chain.AddExactly({twin_});
  while (chain.height() < 101) chain.Add();
  chain.Add({chain.Spend({{twin_.Txid(), 0}, {twin_.Txid(), 1}}, 2)});
  chain.AddExactly({twin_});
  const uint32_t again = chain.height();
  while (chain.height() < again + 5) chain.Add();
  TestNode node(TwinOptions(false));
  Offer(node, chain, 1);
  EXPECT_EQ(chain.coins().at({twin_.Txid(), 0}).height, again);
  node.ExpectCoins(chain.coins());
  // A fork below the spend: the first coinbase is unspent again, as of height 1.
  ChainBuilder rival = chain;
  rival.TruncateTo(101);
  while (rival.height() < chain.height() + 1) rival.Add({}, -1, 9);
  EXPECT_EQ(rival.coins().at({twin_.Txid(), 0}).height, 1u);
  Offer(node, rival, 102);
  EXPECT_EQ(node.node().AppliedTip().hash, rival.blocks().back()->hash);
  node.ExpectCoins(rival.coins());
  while (chain.height() <= rival.height()) chain.Add();
  Offer(node, chain, rival.height());
  EXPECT_EQ(node.node().AppliedTip().hash, chain.blocks().back()->hash);
  node.ExpectCoins(chain.coins());
}

}  // namespace
}  // namespace headrace
