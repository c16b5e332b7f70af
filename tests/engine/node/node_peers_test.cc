// The node among peers that are honest, hostile, slow and gone. The network is a script; everything behind it is real.
#include <algorithm>
#include <set>

#include "engine/base/limits.h"
#include "engine/consensus/difficulty.h"
#include "tests/engine/node/node_fixture.h"
#include "tests/support/inline_executor.h"

namespace headrace {
namespace {

using testing::ChainBuilder;
using testing::NodeFixture;
using testing::ScriptedPeer;
using testing::TemporaryDirectory;
using testing::TestBlock;
using testing::TestNode;

class NodePeersTest : public NodeFixture {};

// The block with its last transaction once more: the field's oldest way to make a block with the same root that is no
// block.
SlabRef Mutated(const TestBlock& block) {
  std::vector<uint8_t> raw(block.raw->bytes().begin(), block.raw->bytes().end());
  const std::vector<uint8_t> last = block.transactions.back().Serialize();
  raw[BlockHeader::kSerializedBytes] = static_cast<uint8_t>(block.transactions.size() + 1);
  raw.insert(raw.end(), last.begin(), last.end());
  return Slab::Copy(raw);
}

TEST_F(NodePeersTest, SyncsFromSeveralPeersAndAsksForEachBlockOnce) {
  for (PeerId id : {1, 2, 3}) peers_.Connect(id, &chain_);
  TestNode node(options_);
  Sync(node);
  ExpectSynced(node);
  std::vector<Hash256> asked = Asked({1, 2, 3});
  EXPECT_EQ(asked.size(), chain_.height());
  EXPECT_EQ(std::set<Hash256>(asked.begin(), asked.end()).size(), chain_.height());
  for (PeerId id : {1, 2, 3}) EXPECT_FALSE(peers_.peer(id).blocks_asked.empty()) << id;
  EXPECT_EQ(peers_.best_height, static_cast<int32_t>(chain_.height()));
  EXPECT_LE(node.Status().blocks_in_flight_max_per_peer, kMaxBlocksInTransitPerPeer);
}

TEST_F(NodePeersTest, AMutatedBlockCostsItsSenderTheConnectionAndTheBlockNothing) {
  // Three transactions and four, the last one twice, have one Merkle root.
  chain_.Add({chain_.Spend({chain_.CoinbaseOf(6)}, 1), chain_.Spend({chain_.CoinbaseOf(7)}, 1)});
  const uint32_t mutated_height = chain_.height();
  chain_.Add();
  ScriptedPeer& hostile = peers_.Connect(1, &chain_);
  hostile.answer = [&](const TestBlock& block) { return block.height == mutated_height ? Mutated(block) : block.raw; };
  TestNode node(options_);
  node.RunUntil([&] { return hostile.is_disconnected; });
  EXPECT_TRUE(hostile.is_discouraged);
  EXPECT_NE(hostile.disconnect_reason.find("bad-txns-duplicate"), std::string::npos) << hostile.disconnect_reason;
  peers_.Connect(2, &chain_);
  Sync(node);
  ExpectSynced(node);
}

TEST_F(NodePeersTest, BytesThatAreNoBlockCostTheSenderTheConnectionAndTheBlockNothing) {
  for (const size_t size : {size_t{80}, size_t{81}, size_t{100}}) {
    SCOPED_TRACE(size);
    TemporaryDirectory directory;
    options_.directory = directory.path();
    ScriptedPeer& hostile = peers_.Connect(size, &chain_);
    hostile.answer = [size](const TestBlock& block) { return Slab::Copy(block.raw->bytes().first(size)); };
    TestNode node(options_);
    node.RunUntil([&] { return hostile.is_disconnected; });
    EXPECT_TRUE(hostile.is_discouraged);
    const PeerId honest = size + 1000;
    peers_.Connect(honest, &chain_);
    Sync(node);
    ExpectSynced(node);
    peers_.Leave(honest);
  }
}

TEST_F(NodePeersTest, ABlockThatBreaksARuleIsRememberedWithWhatIsBuiltOnIt) {
  const ChainBuilder good = chain_;
  chain_.Add({}, 51 * kCoin);  // pays itself too much
  const Hash256 bad_hash = chain_.blocks().back()->hash;
  for (int i = 0; i < 3; ++i) chain_.Add();
  ScriptedPeer& first = peers_.Connect(1, &chain_);
  TestNode node(options_);
  node.RunUntil([&] { return first.is_disconnected; });
  EXPECT_TRUE(first.is_discouraged);
  EXPECT_NE(first.disconnect_reason.find("bad-cb-amount"), std::string::npos) << first.disconnect_reason;
  node.RunUntilQuiet();
  EXPECT_EQ(node.Status().applied_hash, good.blocks().back()->hash);
  EXPECT_EQ(node.Status().header_height, good.height());
  node.ExpectCoins(good.coins());
  // Another peer on that branch shows headers that are known to be bad: it is not asked for any of it.
  ScriptedPeer& second = peers_.Connect(2, &chain_);
  node.RunUntil([&] { return second.is_disconnected || second.headers_asked > 0; });
  node.RunUntilQuiet();
  EXPECT_EQ(std::count(second.blocks_asked.begin(), second.blocks_asked.end(), bad_hash), 0);
  EXPECT_EQ(node.Status().applied_hash, good.blocks().back()->hash);
}

TEST_F(NodePeersTest, ABadBlockIsStillBadAfterARestart) {
  const ChainBuilder good = chain_;
  chain_.Add({}, 51 * kCoin);
  {
    ScriptedPeer& peer = peers_.Connect(1, &chain_);
    TestNode node(options_);
    node.RunUntil([&] { return peer.is_disconnected; });
    node.RunUntilQuiet();
    ASSERT_TRUE(node.Shutdown().ok());
  }
  TestNode node(options_);
  EXPECT_EQ(node.Status().applied_height, good.height());
  EXPECT_EQ(node.Status().header_height, good.height());
}

TEST_F(NodePeersTest, ABadBlockCostsItsSenderTheConnectionThoughItWaitedForItsBranchToWin) {
  ChainBuilder rival = chain_;
  const TestBlock bad = rival.Add({}, 51 * kCoin, 7);
  const TestBlock above = rival.Add();
  chain_.Add();
  peers_.Connect(1, &chain_);
  TestNode node(options_);
  Sync(node);
  // As much work as the tip: stored, and let go.
  ScriptedPeer& sender = peers_.Connect(2, nullptr);
  sender.loose_blocks = {{bad.hash, bad.raw}};
  peers_.Say(HeadersReceived{2, {bad.header}});
  node.RunUntil([&] { return !sender.blocks_asked.empty(); });
  node.RunUntilQuiet();
  ASSERT_FALSE(sender.is_disconnected);
  // Somebody else makes that branch the better one.
  ScriptedPeer& other = peers_.Connect(3, nullptr);
  other.loose_blocks = {{above.hash, above.raw}};
  peers_.Say(HeadersReceived{3, {above.header}});
  node.RunUntil([&] { return sender.is_disconnected; });
  EXPECT_TRUE(sender.is_discouraged);
  EXPECT_EQ(sender.disconnect_reason, "sent a bad block: bad-cb-amount");
  EXPECT_FALSE(other.is_disconnected) << other.disconnect_reason;
  Sync(node);
  ExpectSynced(node);
}

TEST_F(NodePeersTest, ABadBlockCostsItsSenderTheConnectionBesideAWithheldHeader) {
  ChainBuilder withheld = chain_, rival = chain_;
  withheld.Add({}, -1, 5);
  const TestBlock bad = rival.Add({}, 51 * kCoin, 7);
  ScriptedPeer& honest = peers_.Connect(1, &chain_);
  TestNode node(options_);
  Sync(node);
  peers_.Say(HeadersReceived{1, {withheld.blocks().back()->header}});
  node.RunUntil([&] { return node.Status().header_height == withheld.height(); });
  ScriptedPeer& sender = peers_.Connect(2, nullptr);
  sender.loose_blocks = {{bad.hash, bad.raw}};
  peers_.Say(HeadersReceived{2, {bad.header}});
  node.RunUntil([&] { return sender.is_disconnected; });
  EXPECT_TRUE(sender.is_discouraged);
  EXPECT_EQ(sender.disconnect_reason, "sent a bad block: bad-cb-amount");
  EXPECT_FALSE(honest.is_disconnected);
  ExpectSynced(node);
}

TEST_F(NodePeersTest, AChainWithTooLittleWorkIsNotDownloadedAndOneWithJustEnoughIs) {
  HeaderTree tree(BlockHeader::Load(GenesisBlock(ParamsFor(ChainId::kRegtest)).data()));
  HeaderId tip = kGenesisId;
  for (const auto& block : chain_.blocks()) tip = tree.Add(block->header, block->hash, tip);
  const Uint256 work = tree.work(tip);
  options_.node.minimum_chain_work = work + Uint256(1);
  ScriptedPeer& peer = peers_.Connect(1, &chain_);
  {
    TestNode node(options_);
    node.RunUntil([&] { return peer.headers_asked > 0; });
    node.RunUntilQuiet();
    EXPECT_EQ(node.Status().header_height, 0u) << "and its headers are not remembered";
    EXPECT_TRUE(peer.blocks_asked.empty());
    EXPECT_EQ(node.Status().applied_height, 0u);
  }
  TemporaryDirectory directory;
  options_.directory = directory.path();
  options_.node.minimum_chain_work = work;
  peers_.Connect(2, &chain_);
  TestNode node(options_);
  Sync(node);
  ExpectSynced(node);
}

TEST_F(NodePeersTest, HeadersWithTooLittleWorkThatAreRememberedAreNotFollowed) {
  {
    ScriptedPeer& withholding = peers_.Connect(1, &chain_);
    withholding.answer = [](const TestBlock&) { return SlabRef(); };
    TestNode node(options_);
    node.RunUntil([&] { return !withholding.blocks_asked.empty(); });
    ASSERT_TRUE(node.Shutdown().ok());
    peers_.Leave(1);
  }
  HeaderTree tree(BlockHeader::Load(GenesisBlock(ParamsFor(ChainId::kRegtest)).data()));
  HeaderId tip = kGenesisId;
  for (const auto& block : chain_.blocks()) tip = tree.Add(block->header, block->hash, tip);
  // The operator asks for more than before.
  options_.node.minimum_chain_work = tree.work(tip) + Uint256(1);
  ScriptedPeer& peer = peers_.Connect(2, &chain_);
  TestNode node(options_);
  node.RunUntil([&] { return peer.headers_asked > 0; });
  node.RunUntilQuiet();
  EXPECT_EQ(node.Status().header_height, chain_.height());
  EXPECT_TRUE(peer.blocks_asked.empty());
}

TEST_F(NodePeersTest, ABlockThatNobodyAskedForIsDropped) {
  ChainBuilder other;
  other.Add({}, -1, 9);
  peers_.Connect(1, &chain_);
  TestNode node(options_);
  Sync(node);
  peers_.Say(BlockReceived{1, other.blocks()[0]->hash, other.blocks()[0]->raw});
  peers_.Say(BlockReceived{1, chain_.blocks()[7]->hash, chain_.blocks()[7]->raw});
  peers_.Say(BlockReceived{77, chain_.blocks()[8]->hash, chain_.blocks()[8]->raw});
  node.RunUntilQuiet();
  EXPECT_EQ(node.Status().blocks_downloaded, chain_.height());
  ExpectSynced(node);
}

TEST_F(NodePeersTest, WhatOnePeerHasLostOrWithholdsComesFromTheOther) {
  peers_.Connect(1, &chain_).has_lost_its_blocks = true;
  peers_.Connect(2, &chain_).answer = [](const TestBlock& block) {
    return block.height % 3 == 0 ? SlabRef() : block.raw;
  };
  peers_.Connect(3, &chain_);
  TestNode node(options_);
  Sync(node);
  ExpectSynced(node);
}

TEST_F(NodePeersTest, AWithheldChainDoesNotKeepTheNodeFromTheOneThatIsDelivered) {
  ChainBuilder withheld;
  while (withheld.height() < chain_.height() + 20) withheld.Add({}, -1, 77);
  for (const bool attacker_stays : {true, false}) {
    SCOPED_TRACE(attacker_stays);
    TemporaryDirectory directory;
    options_.directory = directory.path();
    const PeerId attacker = attacker_stays ? 1 : 11;
    const PeerId honest = attacker + 1;
    TestNode node(options_);
    peers_.Connect(attacker, &withheld).answer = [](const TestBlock&) { return SlabRef(); };
    peers_.Connect(honest, &chain_);
    node.RunUntil([&] { return node.Status().header_height == withheld.height(); });
    if (!attacker_stays) peers_.Leave(attacker);
    Sync(node);
    ExpectSynced(node);
    // And at the tip: a block of the honest chain that has as much work as a header that is withheld.
    chain_.Add();
    peers_.Say(HeadersReceived{honest, {chain_.blocks().back()->header}});
    Sync(node);
    if (!peers_.peer(attacker).is_disconnected) peers_.Leave(attacker);
    peers_.Leave(honest);
  }
}

TEST_F(NodePeersTest, NotFoundAndTheSameHeadersAgainDoNotKeepTheOthersOut) {
  ScriptedPeer& liar = peers_.Connect(1, &chain_);
  liar.has_lost_its_blocks = true;
  liar.repeats_headers = true;
  TestNode node(options_);
  node.RunUntil([&] { return liar.blocks_asked.size() > 3; });
  peers_.Connect(2, &chain_);
  Sync(node);
  ExpectSynced(node);
  EXPECT_LE(liar.blocks_asked.size(), 2 * chain_.height());
}

TEST_F(NodePeersTest, FullHeaderMessagesThatRepeatThemselvesDoNotKeepTheOthersOut) {
  while (chain_.height() < kMaxHeadersPerMessage + 10) chain_.Add();
  ScriptedPeer& replayer = peers_.Connect(1, nullptr);
  TestNode node(options_);
  HeadersReceived full{1, {}};
  for (uint32_t i = 0; i < kMaxHeadersPerMessage; ++i) full.headers.push_back(chain_.blocks()[i]->header);
  for (int i = 0; i < 3; ++i) {
    peers_.Say(full);
    ASSERT_TRUE(node.Turn().ok());
  }
  const uint32_t asked = replayer.headers_asked;
  peers_.Connect(2, &chain_);
  Sync(node);
  ExpectSynced(node);
  EXPECT_LE(replayer.headers_asked, asked + 1);
}

TEST_F(NodePeersTest, PeersMayComeAndGoInTheMiddle) {
  int sent = 0;
  TestNode node(options_);
  for (PeerId id = 1; id <= 40 && node.node().AppliedTip().height < chain_.height(); ++id) {
    peers_.Connect(id, &chain_).answer = [&](const TestBlock& block) {
      return ++sent % 7 == 0 ? SlabRef() : block.raw;
    };
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(node.Turn().ok());
    peers_.Leave(id);
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(node.Turn().ok());
  }
  peers_.Connect(1000, &chain_);
  Sync(node);
  ExpectSynced(node);
}

TEST_F(NodePeersTest, ASilentHeaderPeerIsReplaced) {
  ScriptedPeer& silent = peers_.Connect(1, nullptr);
  peers_.Connect(2, &chain_);
  TestNode node(options_);
  Sync(node);
  node.RunUntil([&] { return silent.is_disconnected; });
  EXPECT_FALSE(silent.is_discouraged);
  ExpectSynced(node);
}

TEST_F(NodePeersTest, HeadersThatConnectToNothingAreAskedAboutButNotForEver) {
  ScriptedPeer& peer = peers_.Connect(1, nullptr);
  TestNode node(options_);
  BlockHeader stray = chain_.blocks()[50]->header;
  for (uint32_t i = 1; i <= HeaderSync::kUnconnectingHeadersMax; ++i) {
    peers_.Say(HeadersReceived{1, {stray}});
    ASSERT_TRUE(node.Turn().ok());
    ASSERT_FALSE(peer.is_disconnected) << i;
  }
  EXPECT_GE(peer.headers_asked, HeaderSync::kUnconnectingHeadersMax);
  peers_.Say(HeadersReceived{1, {stray}});
  node.RunUntilQuiet();
  EXPECT_TRUE(peer.is_disconnected);
}

TEST_F(NodePeersTest, AHeaderWithoutProofOfWorkIsPunished) {
  ScriptedPeer& peer = peers_.Connect(1, nullptr);
  TestNode node(options_);
  BlockHeader header = chain_.blocks()[0]->header;
  const ChainParams& params = ParamsFor(ChainId::kRegtest);
  while (CheckProofOfWork(header.Hash(), header.bits, params)) ++header.nonce;
  peers_.Say(HeadersReceived{1, {header}});
  node.RunUntilQuiet();
  EXPECT_TRUE(peer.is_discouraged);
  EXPECT_NE(peer.disconnect_reason.find("high-hash"), std::string::npos) << peer.disconnect_reason;
}

TEST_F(NodePeersTest, MoreHeadersThanOneMessageHoldsAndABlockThatIsAnnouncedLater) {
  while (chain_.height() < kMaxHeadersPerMessage) chain_.Add();
  ScriptedPeer& peer = peers_.Connect(1, &chain_);
  TestNode node(options_);
  Sync(node);
  // A full message is followed by a question, even when there is nothing left.
  EXPECT_EQ(peer.headers_asked, 2u);
  chain_.Add();
  peers_.Say(InventoryReceived{1, {{kInvBlock, chain_.blocks().back()->hash}}});
  Sync(node);
  chain_.Add();
  peers_.Say(HeadersReceived{1, {chain_.blocks().back()->header}});
  Sync(node);
  ExpectSynced(node);
}

TEST_F(NodePeersTest, ServesHeadersInventoryAndBlocks) {
  while (chain_.height() < 1200) chain_.Add();
  TestNode node(options_);
  for (const auto& block : chain_.blocks()) node.Offer(*block);
  Sync(node);
  ScriptedPeer& asker = peers_.Connect(1, nullptr);
  const auto hash = [&](uint32_t height) { return chain_.blocks()[height - 1]->hash; };

  peers_.Say(GetHeadersReceived{1, {hash(100), hash(50)}, hash(103)});
  peers_.Say(GetHeadersReceived{1, {Hash256()}, Hash256()});   // an unknown locator: from the start
  peers_.Say(GetHeadersReceived{1, {}, hash(7)});              // no locator: that header
  peers_.Say(GetHeadersReceived{1, {hash(1200)}, Hash256()});  // all known: an empty answer
  node.RunUntilQuiet();
  ASSERT_EQ(asker.headers_sent.size(), 4u);
  EXPECT_EQ(asker.headers_sent[0].headers.size(), 3u);
  EXPECT_EQ(asker.headers_sent[0].headers[0].Hash(), hash(101));
  EXPECT_EQ(asker.headers_sent[1].headers.size(), 1200u);
  EXPECT_EQ(asker.headers_sent[2].headers.at(0).Hash(), hash(7));
  EXPECT_TRUE(asker.headers_sent[3].headers.empty());

  // getblocks: 500 at a time; asking for the last of them makes the node name its tip, so that the peer goes on.
  asker.inventory_sent.clear();
  peers_.Say(GetBlocksReceived{1, {hash(10)}, Hash256()});
  node.RunUntilQuiet();
  ASSERT_EQ(asker.inventory_sent.size(), 1u);
  ASSERT_EQ(asker.inventory_sent[0].items.size(), kMaxBlocksPerGetBlocks);
  EXPECT_EQ(asker.inventory_sent[0].items.back().hash, hash(510));
  peers_.Say(GetDataReceived{
      1, {{kInvWitnessBlock, hash(509)}, {kInvBlock, hash(510)}, {kInvBlock, Hash256()}, {kInvTransaction, hash(3)}}});
  node.RunUntilQuiet();
  EXPECT_EQ(asker.blocks_sent, (std::vector<Hash256>{hash(509), hash(510)}));
  ASSERT_EQ(asker.inventory_sent.size(), 2u);
  EXPECT_EQ(asker.inventory_sent[1].items, (std::vector<InventoryItem>{{kInvBlock, hash(1200)}}));
  ASSERT_EQ(asker.not_found_sent.size(), 1u);
  EXPECT_EQ(asker.not_found_sent[0].items, (std::vector<InventoryItem>{{kInvBlock, Hash256()}, {kInvTransaction, hash(3)}}));
  EXPECT_FALSE(asker.is_disconnected);
}

TEST_F(NodePeersTest, ANewTipIsAnnouncedToThoseWhoDoNotHaveIt) {
  ScriptedPeer& source = peers_.Connect(1, &chain_);
  ScriptedPeer& other = peers_.Connect(2, nullptr);
  other.services = 0;
  TestNode node(options_);
  Sync(node);
  source.inventory_sent.clear();
  chain_.Add();
  const Hash256 tip = chain_.blocks().back()->hash;
  peers_.Say(InventoryReceived{1, {{kInvBlock, tip}}});
  Sync(node);
  node.RunUntilQuiet();
  EXPECT_TRUE(source.inventory_sent.empty());
  ASSERT_FALSE(other.inventory_sent.empty());
  EXPECT_EQ(other.inventory_sent.back().items, (std::vector<InventoryItem>{{kInvBlock, tip}}));
}

// Headers of a better chain put the announcement off: nobody is told of every step of a long download. Whoever shows
// them may not deliver, or leave.
TEST_F(NodePeersTest, ATipIsAnnouncedThoughABetterChainWasOnlyShown) {
  ChainBuilder shown = chain_;
  HeadersReceived headers;
  constexpr size_t kShown = 16;
  for (size_t i = 0; i < kShown; ++i) headers.headers.push_back(shown.Add({}, -1, 77).header);
  // Workers that are done at once: the block is applied long before the one who shows the better chain counts as one
  // who withholds.
  testing::InlineExecutor inline_executor;
  options_.executor = &inline_executor;
  ScriptedPeer& source = peers_.Connect(1, &chain_);
  ScriptedPeer& other = peers_.Connect(2, nullptr);
  other.services = 0;
  TestNode node(options_);
  Sync(node);
  node.RunUntilQuiet();
  for (const bool leaves : {true, false}) {
    SCOPED_TRACE(leaves);
    headers.peer = leaves ? 3 : 4;
    ScriptedPeer& shower = peers_.Connect(headers.peer, nullptr);
    other.inventory_sent.clear();
    chain_.Add();
    const Hash256 tip = chain_.blocks().back()->hash;
    // Just before the block arrives.
    source.answer = [&](const TestBlock& block) {
      peers_.Say(headers);
      return block.raw;
    };
    peers_.Say(InventoryReceived{1, {{kInvBlock, tip}}});
    Sync(node);
    EXPECT_TRUE(other.inventory_sent.empty());
    if (leaves) peers_.Leave(headers.peer);
    // One that stays and delivers all but the first block, last ones first and each just in time, cannot be told from a slow one.
    size_t left = kShown;
    for (int turn = 1; other.inventory_sent.empty() && left > 1; ++turn) {
      ASSERT_TRUE(node.Turn().ok());
      if (leaves || turn % 400 != 0 || shower.blocks_asked.size() < kShown) continue;
      const TestBlock& block = *shown.blocks()[shown.height() - kShown + --left];
      peers_.Say(BlockReceived{headers.peer, block.hash, block.raw});
    }
    ASSERT_FALSE(other.inventory_sent.empty());
    EXPECT_EQ(other.inventory_sent.back().items, (std::vector<InventoryItem>{{kInvBlock, tip}}));
  }
}

// Headers came from somebody who left; whoever is there has no header above ours, and the blocks that we lack.
TEST_F(NodePeersTest, APeerThatIsItselfOnTheWayGivesWhatItHas) {
  ChainBuilder part;
  for (int i = 0; i < 40; ++i) part.Add();
  ASSERT_EQ(part.blocks().back()->hash, chain_.blocks()[39]->hash);
  PeerId id = 0;
  for (const int32_t said : {40, 25, 0, -1, 1'000'000}) {
    SCOPED_TRACE(said);
    TemporaryDirectory directory;
    options_.directory = directory.path();
    TestNode node(options_);
    ScriptedPeer& shows = peers_.Connect(++id, &chain_);
    shows.answer = [](const TestBlock&) { return SlabRef(); };
    node.RunUntil([&] { return !shows.blocks_asked.empty(); });
    peers_.Leave(id);
    peers_.Connect(++id, &part, said).knows = &chain_;
    node.RunUntil([&] { return node.node().AppliedTip().height == 40; });
    peers_.Leave(id);
    node.RunUntilQuiet();
  }
}

}  // namespace
}  // namespace headrace
