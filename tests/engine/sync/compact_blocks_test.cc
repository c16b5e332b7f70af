// Receiving compact blocks: who is asked for what, what counts as in flight, who announces, and what cannot be put
// together.
#include "engine/sync/compact_blocks.h"

#include <algorithm>

#include "engine/base/check.h"
#include "engine/consensus/chain_params.h"
#include "gtest/gtest.h"
#include "tests/engine/sync/known_transactions.h"

namespace headrace {
namespace {

using testing::AnswerTo;
using testing::ChainBuilder;
using testing::CompactOf;
using testing::KnownTransactions;
using testing::TestBlock;
using testing::TestTransaction;

constexpr int64_t kNow = 1'000'000'000;

class CompactBlocksTest : public ::testing::Test {
 protected:
  CompactBlocksTest() : tree_(BlockHeader::Load(GenesisBlock(ParamsFor(ChainId::kRegtest)).data())) {
    for (int i = 0; i < 4; ++i) chain_.Add();
    for (const auto& block : chain_.blocks()) Know(*block, true);
    tip_ = tree_.Find(chain_.blocks().back()->hash);
    block_ = chain_.Add({chain_.Spend({chain_.CoinbaseOf(1)}, 1), chain_.Spend({chain_.CoinbaseOf(2)}, 2)});
    id_ = Know(block_, false);
  }

  HeaderId Know(const TestBlock& block, bool has_data) {
    const HeaderId id = tree_.Add(block.header, block.hash, tree_.Find(block.header.previous));
    if (has_data) tree_.SetData(id, {0, 8, 100}, 1);
    return id;
  }

  SyncPeer& AddPeer(PeerId id, bool is_inbound = true) {
    SyncPeer& peer = peers_[id];
    peer.info.id = id;
    peer.info.is_inbound = is_inbound;
    peer.info.services = kNodeNetwork | kNodeWitness;
    peer.best_known = id_;
    compact_.OnSendCompact({id, false});
    return peer;
  }

  std::optional<RebuiltBlock> Say(PeerId peer, const CompactBlock& block) {
    return compact_.OnCompactBlock({peer, std::make_shared<const CompactBlock>(block)}, id_, kNow, commands_);
  }
  std::optional<RebuiltBlock> Answer(PeerId peer, const BlockTransactions& answer) {
    return compact_.OnBlockTransactions({peer, std::make_shared<const BlockTransactions>(answer)}, kNow, commands_);
  }
  // The commands of one kind since the last look at them.
  template <typename Command>
  std::vector<Command> Take() {
    std::vector<Command> taken;
    for (const PeerCommand& command : commands_) {
      if (const auto* one = std::get_if<Command>(&command)) taken.push_back(*one);
    }
    std::erase_if(commands_, [](const PeerCommand& command) { return std::holds_alternative<Command>(command); });
    return taken;
  }
  void ExpectAskedWhole(PeerId peer) {
    const auto asked = Take<SendGetData>();
    ASSERT_EQ(asked.size(), 1u);
    EXPECT_EQ(asked[0].peer, peer);
    EXPECT_EQ(asked[0].items, (std::vector<InventoryItem>{{kInvWitnessBlock, block_.hash}}));
  }
  std::vector<HeaderId> Requests(PeerId peer) const {
    std::vector<HeaderId> ids;
    for (const BlockRequest& request : peers_.at(peer).in_flight) ids.push_back(request.id);
    return ids;
  }
  // As if the peer had delivered a block that is the tip now.
  void Deliver(PeerId peer) {
    compact_.OnArrived(peer, id_);
    compact_.OnNewTip(id_, commands_);
    id_ = Know(chain_.Add(), false);
  }
  std::vector<PeerId> Announcers() {
    std::vector<PeerId> announcers;
    for (const auto& [id, peer] : peers_) {
      if (peer.is_compact_announcer) announcers.push_back(id);
    }
    return announcers;
  }

  HeaderTree tree_;
  SyncPeers peers_;
  ChainBuilder chain_;
  KnownTransactions known_;
  BlockDownload download_{tree_, peers_, {}};
  CompactBlocks compact_{tree_, peers_, download_, known_};
  std::vector<PeerCommand> commands_;
  HeaderId tip_ = kGenesisId;
  TestBlock block_;
  HeaderId id_ = kNoHeader;
};

TEST_F(CompactBlocksTest, WhatIsMissingIsAskedForAndTheBlockComesTogether) {
  SyncPeer& peer = AddPeer(1);
  known_.Add(block_.transactions[1]);
  EXPECT_FALSE(Say(1, CompactOf(block_)));
  const auto asked = Take<SendGetBlockTransactions>();
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].request, (BlockTransactionsRequest{block_.hash, {2}}));
  EXPECT_EQ(Requests(1), std::vector<HeaderId>{id_});
  EXPECT_TRUE(download_.is_in_flight(id_));
  // It counts: nobody is asked for it whole.
  download_.Assign(0, kNow, commands_);
  EXPECT_TRUE(Take<SendGetData>().empty());
  // Saying it again changes nothing.
  EXPECT_FALSE(Say(1, CompactOf(block_)));
  EXPECT_TRUE(commands_.empty());

  const auto rebuilt = Answer(1, AnswerTo(asked[0].request, block_));
  ASSERT_TRUE(rebuilt);
  EXPECT_EQ(rebuilt->id, id_);
  EXPECT_TRUE(std::ranges::equal(rebuilt->block->bytes(), block_.raw->bytes()));
  EXPECT_TRUE(peer.in_flight.empty());
  EXPECT_EQ(peer.blocks_received, 1u);
  EXPECT_EQ(peer.in_flight_target, 0u) << "most of it was here before: that says nothing about the line";
  EXPECT_EQ(compact_.rebuilding_count(), 0u);
  EXPECT_TRUE(commands_.empty());
}

TEST_F(CompactBlocksTest, ABlockWhoseTransactionsAreAllKnownNeedsNoQuestion) {
  AddPeer(1);
  for (size_t t = 1; t < block_.transactions.size(); ++t) known_.Add(block_.transactions[t]);
  ASSERT_TRUE(Say(1, CompactOf(block_)));
  EXPECT_TRUE(commands_.empty());
  // It has arrived; another one is too late.
  AddPeer(2);
  EXPECT_FALSE(Say(2, CompactOf(block_)));
  EXPECT_TRUE(commands_.empty());
  EXPECT_TRUE(peers_[2].in_flight.empty());
}

TEST_F(CompactBlocksTest, EqualShortIdsMakeItAskForTheWholeBlockAndNobodyIsBlamed) {
  AddPeer(1);
  CompactBlock compact = CompactOf(block_);
  compact.short_ids[1] = compact.short_ids[0];
  EXPECT_FALSE(Say(1, compact));
  ExpectAskedWhole(1);
  EXPECT_TRUE(commands_.empty());
  EXPECT_EQ(Requests(1), std::vector<HeaderId>{id_});
  EXPECT_EQ(compact_.rebuilding_count(), 0u);
  // It was tried: another one of the same peer is not, however good.
  EXPECT_FALSE(Say(1, CompactOf(block_)));
  EXPECT_TRUE(commands_.empty());
}

TEST_F(CompactBlocksTest, AWrongMerkleRootMakesItAskForTheWholeBlockAndNobodyIsBlamed) {
  AddPeer(1);
  // A known transaction that has the short id of another: what a collision looks like.
  known_.Add(block_.transactions[1].Txid(), block_.transactions[2].Serialize());
  EXPECT_FALSE(Say(1, CompactOf(block_)));
  const auto asked = Take<SendGetBlockTransactions>();
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_FALSE(Answer(1, AnswerTo(asked[0].request, block_)));
  ExpectAskedWhole(1);
  EXPECT_TRUE(commands_.empty());
  EXPECT_EQ(Requests(1), std::vector<HeaderId>{id_});
  // The whole block then counts as any other.
  EXPECT_TRUE(download_.OnBlock(1, block_.hash, 100, kNow));
}

TEST_F(CompactBlocksTest, WhoAnswersWithOtherTransactionsGoes) {
  for (PeerId peer = 1; peer <= 3; ++peer) {
    AddPeer(peer);
    EXPECT_FALSE(Say(peer, CompactOf(block_)));
    ASSERT_EQ(Take<SendGetBlockTransactions>().size(), 1u);
    BlockTransactions answer = AnswerTo({block_.hash, {1, 2}}, block_);
    if (peer == 1) answer.transactions.pop_back();
    if (peer == 2) std::swap(answer.transactions[0], answer.transactions[1]);
    if (peer == 3) answer.transactions[1] = chain_.Spend({chain_.CoinbaseOf(3)}, 1).Serialize();
    EXPECT_FALSE(Answer(peer, answer));
    const auto gone = Take<Disconnect>();
    ASSERT_EQ(gone.size(), 1u) << peer;
    EXPECT_EQ(gone[0].peer, peer);
    EXPECT_TRUE(gone[0].discourage);
    // Late, right, and not waited for any more.
    EXPECT_FALSE(Answer(peer, AnswerTo({block_.hash, {1, 2}}, block_)));
    download_.OnDisconnected(peer);
    compact_.OnDisconnected(peer);
    peers_.erase(peer);
    EXPECT_FALSE(download_.is_in_flight(id_));
  }
}

TEST_F(CompactBlocksTest, AnswersThatNobodyAskedForAreForgotten) {
  AddPeer(1);
  AddPeer(2);
  EXPECT_FALSE(Answer(1, AnswerTo({block_.hash, {1, 2}}, block_)));
  EXPECT_FALSE(Answer(1, {Hash256(), {}}));
  EXPECT_FALSE(Say(1, CompactOf(block_)));
  commands_.clear();
  EXPECT_FALSE(Answer(2, AnswerTo({block_.hash, {1, 2}}, block_)));
  EXPECT_TRUE(commands_.empty());
  EXPECT_TRUE(Answer(1, AnswerTo({block_.hash, {1, 2}}, block_)));
}

TEST_F(CompactBlocksTest, ThreePeersAtMostAreAskedForOneBlockAndTheLastIsOneThatWeConnectedTo) {
  for (PeerId peer = 1; peer <= 4; ++peer) AddPeer(peer).is_compact_announcer = true;
  AddPeer(5, false).is_compact_announcer = true;
  AddPeer(6, false).is_compact_announcer = true;
  AddPeer(7);
  EXPECT_FALSE(Say(1, CompactOf(block_, 1)));
  // Not from whoever was not asked to announce, once others are at it.
  EXPECT_FALSE(Say(7, CompactOf(block_, 7)));
  for (const PeerId peer : {2, 3, 4, 5, 6}) EXPECT_FALSE(Say(peer, CompactOf(block_, peer)));
  std::vector<PeerId> asked;
  for (const auto& question : Take<SendGetBlockTransactions>()) asked.push_back(question.peer);
  EXPECT_EQ(asked, (std::vector<PeerId>{1, 2, 5}));
  // The first that is whole wins, whoever was asked first; the others owe nothing any more.
  EXPECT_TRUE(Answer(5, AnswerTo({block_.hash, {1, 2}}, block_)));
  compact_.OnArrived(5, id_);
  EXPECT_EQ(compact_.rebuilding_count(), 0u);
  for (const auto& [id, peer] : peers_) EXPECT_TRUE(peer.in_flight.empty()) << id;
  EXPECT_FALSE(Answer(1, AnswerTo({block_.hash, {1, 2}}, block_)));
  EXPECT_TRUE(commands_.empty());
}

TEST_F(CompactBlocksTest, SoManyWaitAtMostTheRestIsAskedForWhole) {
  AddPeer(1, false).best_known.reset();
  std::vector<TestBlock> more;
  for (size_t i = 0; i <= CompactBlocks::kRebuildingMax; ++i) {
    // Siblings, each with a transaction that is not known.
    ChainBuilder branch = chain_;
    branch.TruncateTo(4);
    more.push_back(branch.Add({branch.Spend({branch.CoinbaseOf(1)}, 1)}, -1, static_cast<uint32_t>(100 + i)));
  }
  BlockDownload download(tree_, peers_, {.in_flight_per_peer_max = 1000});
  CompactBlocks compact(tree_, peers_, download, known_);
  for (const TestBlock& block : more) {
    const HeaderId id = Know(block, false);
    peers_[1].best_known = id;
    compact.OnCompactBlock({1, std::make_shared<const CompactBlock>(CompactOf(block))}, id, kNow, commands_);
  }
  EXPECT_EQ(compact.rebuilding_count(), CompactBlocks::kRebuildingMax);
  EXPECT_EQ(Take<SendGetBlockTransactions>().size(), CompactBlocks::kRebuildingMax);
  EXPECT_EQ(Take<SendGetData>().size(), 1u);
  compact.OnDisconnected(1);
  EXPECT_EQ(compact.rebuilding_count(), 0u);
}

TEST_F(CompactBlocksTest, WhoDeliversTheLastTipsAnnouncesTheNext) {
  for (PeerId peer = 1; peer <= 5; ++peer) AddPeer(peer, false);
  peers_[5].offers_compact = false;
  for (const PeerId peer : {1, 2, 5, 3}) Deliver(peer);
  EXPECT_EQ(Announcers(), (std::vector<PeerId>{1, 2, 3}));
  EXPECT_EQ(Take<SendCompactWish>().size(), 3u);
  Deliver(1);  // already one: now the last to go
  EXPECT_TRUE(commands_.empty());
  Deliver(4);
  EXPECT_EQ(Announcers(), (std::vector<PeerId>{1, 3, 4}));
  const auto wishes = Take<SendCompactWish>();
  ASSERT_EQ(wishes.size(), 2u);
  EXPECT_EQ(wishes[0].peer, 2u);
  EXPECT_FALSE(wishes[0].wants_announcements);
  EXPECT_EQ(wishes[1].peer, 4u);
  EXPECT_TRUE(wishes[1].wants_announcements);
  // A place that is left is free.
  compact_.OnDisconnected(3);
  peers_.erase(3);
  Deliver(2);
  EXPECT_EQ(Announcers(), (std::vector<PeerId>{1, 2, 4}));
}

TEST_F(CompactBlocksTest, StrangersDoNotPushOutTheLastAnnouncerThatWeConnectedTo) {
  AddPeer(1, false);
  for (PeerId peer = 2; peer <= 6; ++peer) AddPeer(peer);
  for (const PeerId peer : {1, 2, 3, 4, 5, 6}) Deliver(peer);
  EXPECT_EQ(Announcers(), (std::vector<PeerId>{1, 5, 6}));
  // Another one that we connected to may: then there is still one.
  AddPeer(7, false);
  Deliver(7);
  EXPECT_EQ(Announcers(), (std::vector<PeerId>{5, 6, 7}));
}

TEST_F(CompactBlocksTest, TheNextBlockIsAskedForCompactlyWhileThereIsSomethingToPutItTogetherFrom) {
  AddPeer(1);
  const auto ask = [&](std::vector<InventoryItem> items, PeerId peer = 1) {
    std::vector<PeerCommand> commands{SendGetData{peer, std::move(items)}};
    compact_.AskCompactly(tip_, commands);
    return std::get<SendGetData>(commands[0]).items[0].type;
  };
  EXPECT_EQ(ask({{kInvWitnessBlock, block_.hash}}), kInvWitnessBlock);
  known_.Add(block_.transactions[1]);
  EXPECT_EQ(ask({{kInvWitnessBlock, block_.hash}}), kInvCompactBlock);
  EXPECT_EQ(ask({{kInvWitnessBlock, block_.hash}, {kInvWitnessBlock, block_.hash}}), kInvWitnessBlock);
  EXPECT_EQ(ask({{kInvWitnessBlock, tree_.hash(Know(chain_.Add(), false))}}), kInvWitnessBlock) << "not the next";
  peers_[1].offers_compact = false;
  EXPECT_EQ(ask({{kInvWitnessBlock, block_.hash}}), kInvWitnessBlock);
}

// At the limit: whatever the peer says of a block that it is sending, it is asked for nothing more before that is here.
TEST_F(CompactBlocksTest, AWholeCopyOnItsWayCountsUntilItIsHere) {
  constexpr uint32_t kMax = 2;
  BlockDownload download(tree_, peers_, {.in_flight_per_peer_max = kMax});
  CompactBlocks compact(tree_, peers_, download, known_);
  SyncPeer& peer = AddPeer(1);
  const TestBlock second = chain_.Add();
  const HeaderId second_id = Know(second, false);
  const TestBlock third = chain_.Add();
  peer.best_known = Know(third, false);
  download.Assign(0, kNow, commands_);
  const auto asked = Take<SendGetData>();
  ASSERT_EQ(asked.size(), 1u);
  ASSERT_EQ(asked[0].items.size(), kMax);
  const auto say = [&](const CompactBlock& block) {
    return compact.OnCompactBlock({1, std::make_shared<const CompactBlock>(block)}, id_, kNow, commands_);
  };
  // Something is missing; two short ids are alike; what comes together is not the block.
  EXPECT_FALSE(say(CompactOf(block_)));
  CompactBlock ambiguous = CompactOf(block_);
  ambiguous.short_ids[1] = ambiguous.short_ids[0];
  EXPECT_FALSE(say(ambiguous));
  CompactBlock other = CompactOf(block_);
  for (uint32_t t = 1; t < block_.transactions.size(); ++t) {
    other.prefilled.push_back({t, chain_.Spend({chain_.CoinbaseOf(3)}, t).Serialize()});
  }
  other.short_ids.clear();
  EXPECT_FALSE(say(other));
  EXPECT_TRUE(commands_.empty());
  EXPECT_EQ(compact.rebuilding_count(), 0u);
  EXPECT_EQ(Requests(1), (std::vector<HeaderId>{id_, second_id}));
  // Nothing is missing: the block is here, and its copy still on the line.
  for (size_t t = 1; t < block_.transactions.size(); ++t) known_.Add(block_.transactions[t]);
  EXPECT_TRUE(say(CompactOf(block_)));
  compact.OnArrived(1, id_);
  EXPECT_EQ(Requests(1), (std::vector<HeaderId>{id_, second_id}));
  EXPECT_FALSE(download.is_in_flight(id_)) << "nobody waits for it";
  download.Assign(0, kNow, commands_);
  EXPECT_TRUE(commands_.empty());
  // Then it makes room, and is not taken twice.
  EXPECT_FALSE(download.OnBlock(1, block_.hash, 100, kNow));
  EXPECT_EQ(Requests(1), std::vector<HeaderId>{second_id});
  download.Assign(0, kNow, commands_);
  EXPECT_EQ(Requests(1), (std::vector<HeaderId>{second_id, *peer.best_known}));
  EXPECT_EQ(download.in_flight_per_peer_max_ever(), kMax);
}

// The chain went elsewhere between question and answer: the peer did as it was asked, and the block is still in flight
// to it.
TEST_F(CompactBlocksTest, AnAnswerThatCannotBeUsedAnyMoreLeadsToTheWholeBlock) {
  AddPeer(1);
  known_.Add(block_.transactions[1]);
  download_.Assign(0, kNow, commands_);
  compact_.AskCompactly(tip_, commands_);
  const auto asked = Take<SendGetData>();
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].items[0].type, kInvCompactBlock);
  compact_.OnUnwanted(1, id_, commands_);
  ExpectAskedWhole(1);
  // Once, and not for what nobody asked for.
  compact_.OnUnwanted(1, id_, commands_);
  compact_.OnUnwanted(2, id_, commands_);
  EXPECT_TRUE(commands_.empty());
  // Nor is it asked for compactly again.
  commands_.push_back(SendGetData{1, {{kInvWitnessBlock, block_.hash}}});
  compact_.AskCompactly(tip_, commands_);
  ExpectAskedWhole(1);
}

}  // namespace
}  // namespace headrace
