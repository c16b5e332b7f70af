// The node at the tip: how it is told of new blocks and puts them together, how it tells others, what it serves of
// them.
#include <algorithm>
#include <array>

#include "engine/consensus/chain_params.h"
#include "engine/sync/compact_serving.h"
#include "engine/sync/tip_announcement.h"
#include "tests/engine/node/node_fixture.h"

namespace headrace {
namespace {

using testing::ChainBuilder;
using testing::NodeFixture;
using testing::ScriptedPeer;
using testing::TestBlock;
using testing::TestNode;

class NodeCompactTest : public NodeFixture {
 protected:
  NodeCompactTest() {
    // Some hours after the chain's tip: no initial download.
    options_.now_s = chain_.blocks().back()->header.time_s + 3600;
  }

  // On the chain of its first peer, whose blocks it has, and past the initial download.
  void StartAtTip(TestNode& node) {
    peers_.Connect(1, &chain_);
    Sync(node);
    node.RunUntil([&] { return !node.Status().is_initial_block_download; });
    node.RunUntilQuiet();
  }
  // A block with two transactions that nobody has seen.
  const TestBlock& Mine() {
    const uint32_t first = next_coinbase_;
    next_coinbase_ += 2;
    return chain_.Add({chain_.Spend({chain_.CoinbaseOf(first)}, 1), chain_.Spend({chain_.CoinbaseOf(first + 1)}, 2)});
  }
  // The peer speaks of compact blocks and delivers a block, and so is asked to announce.
  void MakeAnnouncer(TestNode& node, PeerId peer) {
    peers_.Say(SendCompactReceived{peer, false});
    peers_.Say(HeadersReceived{peer, {Mine().header}});
    Sync(node);
    node.RunUntilQuiet();
  }
  void AskFor(PeerId peer, uint32_t type, uint32_t height) {
    peers_.Say(GetDataReceived{peer, {{type, chain_.blocks()[height - 1]->hash}}});
  }
  void AskForTransactions(PeerId peer, uint32_t height, std::vector<uint32_t> indexes) {
    peers_.Say(GetBlockTransactionsReceived{peer, {chain_.blocks()[height - 1]->hash, std::move(indexes)}});
  }

  uint32_t next_coinbase_ = 10;
};

TEST_F(NodeCompactTest, WhoeverDeliversATipAnnouncesTheNextWhichComesTogether) {
  TestNode node(options_);
  StartAtTip(node);
  ScriptedPeer& peer = peers_.peer(1);
  EXPECT_TRUE(peer.compact_wishes.empty());
  MakeAnnouncer(node, 1);
  ASSERT_EQ(peer.compact_wishes.size(), 1u);
  EXPECT_TRUE(peer.compact_wishes[0].wants_announcements);
  EXPECT_EQ(node.Status().blocks_rebuilt, 0u);

  const TestBlock block = Mine();
  const size_t whole_before = peer.blocks_asked.size();
  peers_.SayCompact(1, block);
  Sync(node);
  ASSERT_EQ(peer.transactions_asked.size(), 1u);
  EXPECT_EQ(peer.transactions_asked[0], (BlockTransactionsRequest{block.hash, {1, 2}}));
  EXPECT_EQ(peer.blocks_asked.size(), whole_before) << "asked for whole as well";
  ExpectSynced(node);
  // One without transactions needs nothing.
  peers_.SayCompact(1, chain_.Add());
  Sync(node);
  EXPECT_EQ(peer.transactions_asked.size(), 1u);
  EXPECT_EQ(peer.blocks_asked.size(), whole_before);
  ExpectSynced(node);
  node.RunUntilQuiet();
  node.RunUntil([&] { return node.Status().blocks_rebuilt == 2; });
  EXPECT_FALSE(peer.is_disconnected) << peer.disconnect_reason;
  ASSERT_EQ(node.Status().peers.size(), 1u);
  EXPECT_TRUE(node.Status().peers[0].is_compact_announcer);
  EXPECT_FALSE(node.Status().peers[0].wants_compact);
}

TEST_F(NodeCompactTest, DuringTheInitialDownloadACompactBlockIsAHeader) {
  options_.now_s = 2'000'000'000;
  TestNode node(options_);
  peers_.Connect(1, &chain_);
  Sync(node);
  node.RunUntilQuiet();
  const TestBlock block = Mine();
  peers_.SayCompact(1, block);
  Sync(node);
  ScriptedPeer& peer = peers_.peer(1);
  EXPECT_TRUE(peer.transactions_asked.empty());
  EXPECT_EQ(peer.blocks_asked.back(), block.hash);
  EXPECT_EQ(node.Status().blocks_rebuilt, 0u);
  ExpectSynced(node);
}

TEST_F(NodeCompactTest, FarAboveTheTipACompactBlockIsAHeader) {
  TestNode node(options_);
  StartAtTip(node);
  for (int i = 0; i < 3; ++i) Mine();
  const size_t before = peers_.peer(1).blocks_asked.size();
  // It does not connect: its headers are asked for, then its blocks, whole.
  peers_.SayCompact(1, *chain_.blocks().back());
  Sync(node);
  EXPECT_TRUE(peers_.peer(1).transactions_asked.empty());
  EXPECT_EQ(peers_.peer(1).blocks_asked.size(), before + 3);
  ExpectSynced(node);
}

TEST_F(NodeCompactTest, WhoKeepsTheTransactionsKeepsNobodyWaiting) {
  TestNode node(options_);
  StartAtTip(node);
  peers_.Connect(2, &chain_);
  node.RunUntilQuiet();
  ScriptedPeer& keeper = peers_.peer(1);
  keeper.keeps_transactions = true;
  keeper.answer = [](const TestBlock&) { return nullptr; };
  const TestBlock block = Mine();
  peers_.SayCompact(1, block);
  peers_.Say(HeadersReceived{2, {block.header}});
  Sync(node);
  ASSERT_EQ(keeper.transactions_asked.size(), 1u);
  EXPECT_EQ(peers_.peer(2).blocks_asked.back(), block.hash);
  // Well before the two seconds after which it would count as stalling.
  EXPECT_FALSE(keeper.is_disconnected) << keeper.disconnect_reason;
  ExpectSynced(node);
}

TEST_F(NodeCompactTest, ABadBlockThatCameTogetherIsRememberedAndNobodyIsBlamed) {
  TestNode node(options_);
  StartAtTip(node);
  const ChainBuilder good = chain_;
  const TestBlock bad = chain_.Add({}, 51 * kCoin);
  peers_.SayCompact(1, bad);
  node.RunUntil([&] { return node.Status().blocks_rebuilt == 1; });
  node.RunUntilQuiet();
  EXPECT_FALSE(peers_.peer(1).is_disconnected) << peers_.peer(1).disconnect_reason;
  EXPECT_EQ(node.Status().applied_hash, good.blocks().back()->hash);
  EXPECT_EQ(node.Status().header_height, good.height());
  // Others may say it again.
  peers_.Connect(2, &good);
  peers_.SayCompact(2, bad);
  node.RunUntilQuiet();
  EXPECT_FALSE(peers_.peer(2).is_disconnected) << peers_.peer(2).disconnect_reason;
  node.ExpectCoins(good.coins());
}

TEST_F(NodeCompactTest, ABadHeaderCostsTheConnection) {
  TestNode node(options_);
  StartAtTip(node);
  TestBlock block = Mine();
  // Without its proof of work.
  CompactBlock compact;
  compact.header = block.header;
  while (compact.header.Hash().bytes[31] < 0x80) ++compact.header.nonce;
  compact.short_ids = {1};
  peers_.Say(CompactBlockReceived{1, std::make_shared<const CompactBlock>(compact)});
  node.RunUntil([&] { return peers_.peer(1).is_disconnected; });
  EXPECT_TRUE(peers_.peer(1).is_discouraged);
}

TEST_F(NodeCompactTest, WrongShortIdsCostAnAnswerAndNothingMore) {
  TestNode node(options_);
  StartAtTip(node);
  const TestBlock block = Mine();
  // Two places alike: the whole block is asked for.
  CompactBlock compact;
  compact.header = block.header;
  compact.short_ids = {7, 7};
  compact.prefilled = {{0, block.transactions[0].Serialize()}};
  peers_.Say(CompactBlockReceived{1, std::make_shared<const CompactBlock>(compact)});
  Sync(node);
  EXPECT_TRUE(peers_.peer(1).transactions_asked.empty());
  EXPECT_EQ(peers_.peer(1).types_asked.back(), kInvWitnessBlock);
  EXPECT_FALSE(peers_.peer(1).is_disconnected) << peers_.peer(1).disconnect_reason;
  ExpectSynced(node);
  // The transactions are there, but for the wrong one among them: the same.
  const TestBlock next = Mine();
  compact.header = next.header;
  compact.short_ids = {};
  compact.prefilled = {{0, next.transactions[0].Serialize()},
                       {1, next.transactions[2].Serialize()},
                       {2, next.transactions[1].Serialize()}};
  peers_.Say(CompactBlockReceived{1, std::make_shared<const CompactBlock>(compact)});
  Sync(node);
  EXPECT_EQ(peers_.peer(1).blocks_asked.back(), next.hash);
  EXPECT_FALSE(peers_.peer(1).is_disconnected) << peers_.peer(1).disconnect_reason;
  ExpectSynced(node);
}

// The transactions of a branch that lost come again: then nothing is missing, and the next block is asked for
// compactly.
TEST_F(NodeCompactTest, AfterAReorganisationBlocksComeTogetherFromTheTransactionsOfTheLostBranch) {
  TestNode node(options_);
  StartAtTip(node);
  peers_.Say(SendCompactReceived{1, false});
  ChainBuilder rival = chain_;
  const TestBlock lost = Mine();
  peers_.Say(HeadersReceived{1, {lost.header}});
  Sync(node);
  rival.Add({}, -1, 9);
  rival.Add({}, -1, 9);
  chain_ = rival;
  peers_.Say(HeadersReceived{1, {rival.blocks()[rival.height() - 2]->header, rival.blocks().back()->header}});
  node.RunUntil([&] { return node.Status().applied_hash == rival.blocks().back()->hash; });
  node.RunUntilQuiet();
  const TestBlock again = chain_.Add({lost.transactions.begin() + 1, lost.transactions.end()});
  peers_.Say(HeadersReceived{1, {again.header}});
  Sync(node);
  EXPECT_EQ(peers_.peer(1).types_asked.back(), kInvCompactBlock);
  EXPECT_TRUE(peers_.peer(1).transactions_asked.empty());
  node.RunUntil([&] { return node.Status().blocks_rebuilt == 1; });
  ExpectSynced(node);
}

TEST_F(NodeCompactTest, NewBlocksAreServedCompactlyAndOlderOnesWhole) {
  TestNode node(options_);
  StartAtTip(node);
  for (int i = 0; i < 3; ++i) Mine();
  peers_.Say(
      HeadersReceived{1, {chain_.blocks()[131]->header, chain_.blocks()[132]->header, chain_.blocks()[133]->header}});
  Sync(node);
  ScriptedPeer& asker = peers_.Connect(2, nullptr);
  const uint32_t deepest = chain_.height() - 5;  // BIP152's depth
  AskFor(2, kInvCompactBlock, chain_.height());
  AskFor(2, kInvCompactBlock, deepest);
  AskFor(2, kInvCompactBlock, deepest - 1);
  node.RunUntil([&] { return asker.compact_sent.size() == 2 && asker.blocks_sent.size() == 1; });
  EXPECT_EQ(asker.compact_sent[0].header.Hash(), chain_.blocks().back()->hash);
  EXPECT_EQ(asker.compact_sent[0].short_ids.size(), 2u);
  EXPECT_EQ(asker.compact_sent[1].header.Hash(), chain_.blocks()[deepest - 1]->hash);
  EXPECT_EQ(asker.blocks_sent[0], chain_.blocks()[deepest - 2]->hash);
  EXPECT_TRUE(asker.not_found_sent.empty());
  // One that is not there.
  peers_.Say(GetDataReceived{2, {{kInvCompactBlock, Hash256()}}});
  node.RunUntil([&] { return !asker.not_found_sent.empty(); });
}

TEST_F(NodeCompactTest, TransactionsOfNewBlocksAreServedAndOlderBlocksWhole) {
  TestNode node(options_);
  StartAtTip(node);
  const TestBlock block = Mine();
  peers_.Say(HeadersReceived{1, {block.header}});
  Sync(node);
  ScriptedPeer& asker = peers_.Connect(2, nullptr);
  const uint32_t deepest = chain_.height() - 10;  // BIP152's depth
  AskForTransactions(2, chain_.height(), {0, 2});
  AskForTransactions(2, deepest, {0});
  AskForTransactions(2, deepest - 1, {0});
  peers_.Say(GetBlockTransactionsReceived{2, {Hash256(), {0}}});
  node.RunUntil([&] { return asker.transactions_sent.size() == 2 && asker.blocks_sent.size() == 1; });
  EXPECT_EQ(asker.transactions_sent[0],
            (BlockTransactions{block.hash, {block.transactions[0].Serialize(), block.transactions[2].Serialize()}}));
  EXPECT_EQ(asker.transactions_sent[1].block, chain_.blocks()[deepest - 1]->hash);
  EXPECT_EQ(asker.blocks_sent[0], chain_.blocks()[deepest - 2]->hash);
  EXPECT_FALSE(asker.is_disconnected) << asker.disconnect_reason;
  // One that the block does not have.
  AskForTransactions(2, chain_.height(), {3});
  node.RunUntil([&] { return asker.is_disconnected; });
  EXPECT_TRUE(asker.is_discouraged);
}

TEST_F(NodeCompactTest, EveryPeerIsToldOfATipAsItAskedFor) {
  TestNode node(options_);
  StartAtTip(node);
  // Four that have shown the tip and one that has shown nothing.
  for (PeerId peer = 2; peer <= 5; ++peer) peers_.Connect(peer, nullptr);
  for (PeerId peer = 2; peer <= 4; ++peer) peers_.Say(HeadersReceived{peer, {chain_.blocks().back()->header}});
  peers_.Say(SendCompactReceived{2, true});
  peers_.Say(SendHeadersReceived{2});
  peers_.Say(SendCompactReceived{3, false});
  peers_.Say(SendHeadersReceived{3});
  peers_.Say(SendCompactReceived{5, true});
  peers_.Say(SendHeadersReceived{5});
  node.RunUntilQuiet();
  for (int round = 0; round < 2; ++round) {
    const TestBlock block = Mine();
    peers_.Say(HeadersReceived{1, {block.header}});
    Sync(node);
    node.RunUntilQuiet();
    const auto count = static_cast<size_t>(round) + 1;
    ASSERT_EQ(peers_.peer(2).compact_sent.size(), count);
    EXPECT_EQ(peers_.peer(2).compact_sent.back().header, block.header);
    EXPECT_TRUE(peers_.peer(2).headers_sent.empty() && peers_.peer(2).inventory_sent.empty());
    ASSERT_EQ(peers_.peer(3).headers_sent.size(), count);
    EXPECT_EQ(peers_.peer(3).headers_sent.back().headers, std::vector<BlockHeader>{block.header});
    EXPECT_TRUE(peers_.peer(3).compact_sent.empty() && peers_.peer(3).inventory_sent.empty());
    // They asked for nothing, or what was asked for would not connect to anything that they are known to have.
    for (const PeerId peer : {4, 5}) {
      ASSERT_EQ(peers_.peer(peer).inventory_sent.size(), count) << peer;
      EXPECT_EQ(peers_.peer(peer).inventory_sent.back().items, (std::vector<InventoryItem>{{kInvBlock, block.hash}}));
      EXPECT_TRUE(peers_.peer(peer).compact_sent.empty() && peers_.peer(peer).headers_sent.empty());
    }
  }
  // Nobody is told by whom it was told.
  EXPECT_TRUE(peers_.peer(1).inventory_sent.empty());
}

// Who finds blocks by getblocks shows no headers. The blocks that it was sent say where it is.
TEST_F(NodeCompactTest, WhoWasSentTheTipIsToldOfTheNextByACompactBlock) {
  TestNode node(options_);
  StartAtTip(node);
  constexpr std::array<uint32_t, 2> kTypes = {kInvWitnessBlock, kInvCompactBlock};
  for (PeerId peer = 2; peer <= 4; ++peer) {
    peers_.Connect(peer, nullptr);
    peers_.Say(SendCompactReceived{peer, true});
  }
  for (const PeerId peer : {2, 3}) AskFor(peer, kTypes[peer - 2], chain_.height());
  // The block below the tip is not enough: the next one would not connect to what this one has.
  AskFor(4, kInvWitnessBlock, chain_.height() - 1);
  node.RunUntilQuiet();
  const TestBlock block = Mine();
  peers_.Say(HeadersReceived{1, {block.header}});
  Sync(node);
  node.RunUntilQuiet();
  for (const PeerId peer : {2, 3}) {
    ASSERT_FALSE(peers_.peer(peer).compact_sent.empty()) << peer;
    EXPECT_EQ(peers_.peer(peer).compact_sent.back().header, block.header) << peer;
    EXPECT_TRUE(peers_.peer(peer).inventory_sent.empty()) << peer;
  }
  EXPECT_TRUE(peers_.peer(4).compact_sent.empty());
  EXPECT_EQ(peers_.peer(4).inventory_sent.size(), 1u);
}

// One who asked for headers gets all of a reorganisation, when they are not too many.
TEST_F(NodeCompactTest, HeadersOfAReorganisationAreToldFromTheForkOn) {
  TestNode node(options_);
  StartAtTip(node);
  const ChainBuilder fork = chain_;
  for (uint32_t length : {uint32_t{3}, static_cast<uint32_t>(TipAnnouncement::kHeadersMax),
                          static_cast<uint32_t>(TipAnnouncement::kHeadersMax) + 1}) {
    SCOPED_TRACE(length);
    const PeerId listener = 100 + length;
    peers_.Connect(listener, nullptr);
    peers_.Say(HeadersReceived{listener, {fork.blocks().back()->header}});
    peers_.Say(SendHeadersReceived{listener});
    ChainBuilder branch = fork;
    HeadersReceived message{1, {}};
    for (uint32_t i = 0; i < length; ++i) message.headers.push_back(branch.Add({}, -1, length).header);
    chain_ = branch;
    peers_.Say(std::move(message));
    node.RunUntil([&] { return node.Status().applied_hash == branch.blocks().back()->hash; });
    node.RunUntilQuiet();
    std::vector<BlockHeader> told;
    for (const SendHeaders& one : peers_.peer(listener).headers_sent)
      told.insert(told.end(), one.headers.begin(), one.headers.end());
    if (length > TipAnnouncement::kHeadersMax) {
      EXPECT_TRUE(told.empty());
      EXPECT_EQ(peers_.peer(listener).inventory_sent.size(), 1u);
    } else {
      ASSERT_EQ(told.size(), length);
      for (uint32_t i = 0; i < length; ++i) EXPECT_EQ(told[i], branch.blocks()[fork.height() + i]->header);
      EXPECT_TRUE(peers_.peer(listener).inventory_sent.empty());
    }
    peers_.Leave(listener);
  }
}

}  // namespace
}  // namespace headrace
