// What is served to peers that ask, and what is not: limits of every answer, branches that lost, blocks without
// witnesses, disks that have lost a bit.
#include "engine/sync/block_serving.h"

#include <map>

#include "engine/base/limits.h"
#include "engine/consensus/chain_params.h"
#include "engine/sync/peer_fault.h"
#include "gtest/gtest.h"
#include "tests/engine/sync/serving_ports.h"
#include "tests/reference/block_builder.h"

namespace headrace {
namespace {

using testing::BuiltBlock;
using testing::CoinbaseAt;
using testing::MemoryBlockStore;
using testing::QueuedGateway;

class BlockServingTest : public ::testing::Test {
 protected:
  static constexpr PeerId kPeer = 7;

  BlockServingTest() : tree_(BlockHeader::Load(GenesisBlock(ParamsFor(ChainId::kRegtest)).data())), chain_(tree_) {
    peers_[kPeer].info.id = kPeer;
  }

  // A block with a witness, so that it has two encodings.
  BuiltBlock Make(HeaderId parent, uint32_t salt, size_t padding_bytes = 0) {
    BuiltBlock block;
    block.header = tree_.header(parent);
    block.header.previous = tree_.hash(parent);
    block.header.time_s += 600;
    block.header.nonce = salt;
    block.transactions.push_back(CoinbaseAt(tree_.height(parent) + 1, 1000));
    // BIP141: a commitment to the witnesses of this block, which has none beside the coinbase's.
    std::vector<Hash256> wtxids{Hash256()};
    std::vector<Hash256> buffer;
    const Hash256 root = ComputeWitnessRoot(wtxids, buffer);
    const Digest256 commitment = Sha256Hasher().Write(root.span()).Write(Hash256().span()).FinishDouble();
    std::vector<uint8_t> script = {0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed};
    script.insert(script.end(), commitment.begin(), commitment.end());
    block.transactions[0].outputs.push_back({0, script});
    if (padding_bytes != 0) block.transactions[0].outputs.push_back({0, std::vector<uint8_t>(padding_bytes, 0x6a)});
    block.transactions[0].inputs[0].witness = {std::vector<uint8_t>(32, 0)};
    block.FixMerkleRoot();
    return block;
  }

  HeaderId Extend(HeaderId parent, int count, uint32_t salt = 0, size_t padding_bytes = 0) {
    for (int i = 0; i < count; ++i) {
      const BuiltBlock block = Make(parent, salt, padding_bytes);
      parent = tree_.Add(block.header, block.header.Hash(), parent);
      tree_.SetData(parent, store_.Keep(block.Serialize()), 1);
    }
    return parent;
  }

  template <typename Command>
  static std::vector<Command> Of(const std::vector<PeerCommand>& commands) {
    std::vector<Command> result;
    for (const PeerCommand& command : commands) {
      if (const auto* found = std::get_if<Command>(&command)) result.push_back(*found);
    }
    return result;
  }

  absl::StatusOr<std::vector<PeerCommand>> Ask(std::vector<InventoryItem> items) {
    serving_.OnGetData({kPeer, std::move(items)});
    std::vector<PeerCommand> commands;
    const absl::StatusOr<bool> any = serving_.Step(gateway_, commands);
    if (!any.ok()) return any.status();
    return commands;
  }

  SyncPeer& AddPeer(PeerId id) {
    peers_[id].info.id = id;
    return peers_[id];
  }
  void Want(PeerId id, HeaderId block, size_t times) {
    serving_.OnGetData({id, std::vector<InventoryItem>(times, {kInvWitnessBlock, tree_.hash(block)})});
  }
  // One call: what it sends, added to what each was sent before.
  void TakeStep() {
    std::vector<PeerCommand> commands;
    const absl::StatusOr<bool> any = serving_.Step(gateway_, commands);
    ASSERT_TRUE(any.ok()) << any.status();
    step_bytes_ = 0;
    for (const SendBlock& sent : Of<SendBlock>(commands)) {
      sent_bytes_[sent.peer] += sent.block.bytes.size();
      step_bytes_ += sent.block.bytes.size();
      ++sent_blocks_[sent.peer];
    }
  }

  std::map<PeerId, uint64_t> sent_bytes_;
  std::map<PeerId, size_t> sent_blocks_;
  uint64_t step_bytes_ = 0;
  HeaderTree tree_;
  ActiveChain chain_;
  MemoryBlockStore store_;
  SyncPeers peers_;
  QueuedGateway gateway_;
  BlockServing serving_{tree_, chain_, store_, peers_};
};

TEST_F(BlockServingTest, AnAnswerHoldsTwoThousandHeaders) {
  chain_.SetTip(Extend(kGenesisId, 2001));
  std::vector<PeerCommand> commands;
  serving_.OnGetHeaders({kPeer, {tree_.hash(kGenesisId)}, Hash256()}, commands);
  serving_.OnGetHeaders({kPeer, {tree_.hash(1)}, Hash256()}, commands);
  const auto answers = Of<SendHeaders>(commands);
  ASSERT_EQ(answers.size(), 2u);
  ASSERT_EQ(answers[0].headers.size(), kMaxHeadersPerMessage);
  EXPECT_EQ(answers[0].headers.back(), tree_.header(2000));
  ASSERT_EQ(answers[1].headers.size(), kMaxHeadersPerMessage);
  EXPECT_EQ(answers[1].headers.back(), tree_.header(2001));
}

TEST_F(BlockServingTest, BlocksOfBranchesThatAreNotActiveAreNotThere) {
  const HeaderId fork = Extend(kGenesisId, 2);
  const HeaderId other = Extend(fork, 3, 5);
  chain_.SetTip(Extend(fork, 1));
  const auto commands = Ask({{kInvWitnessBlock, tree_.hash(other)}, {kInvWitnessBlock, tree_.hash(fork)}});
  ASSERT_TRUE(commands.ok()) << commands.status();
  EXPECT_EQ(Of<SendBlock>(*commands).size(), 1u);
  const auto missing = Of<SendNotFound>(*commands);
  ASSERT_EQ(missing.size(), 1u);
  EXPECT_EQ(missing[0].items, (std::vector<InventoryItem>{{kInvWitnessBlock, tree_.hash(other)}}));
  // Nor are their headers, asked for by name or from a locator.
  std::vector<PeerCommand> headers;
  serving_.OnGetHeaders({kPeer, {}, tree_.hash(other)}, headers);
  EXPECT_TRUE(headers.empty());
  serving_.OnGetHeaders({kPeer, {tree_.hash(other), tree_.hash(fork)}, Hash256()}, headers);
  ASSERT_EQ(Of<SendHeaders>(headers).size(), 1u);
  EXPECT_EQ(Of<SendHeaders>(headers)[0].headers, std::vector<BlockHeader>{tree_.header(chain_.tip())});
}

TEST_F(BlockServingTest, WitnessesAreSentToThoseWhoAskForThem) {
  const BuiltBlock block = Make(kGenesisId, 0);
  chain_.SetTip(Extend(kGenesisId, 1));
  ASSERT_EQ(tree_.hash(chain_.tip()), block.header.Hash());
  BuiltBlock stripped = block;
  stripped.transactions[0].inputs[0].witness.clear();
  const auto commands = Ask({{kInvBlock, block.header.Hash()}, {kInvWitnessBlock, block.header.Hash()}});
  ASSERT_TRUE(commands.ok()) << commands.status();
  const auto blocks = Of<SendBlock>(*commands);
  ASSERT_EQ(blocks.size(), 2u);
  const auto bytes = [](const SendBlock& sent) {
    return std::vector<uint8_t>(sent.block.bytes.begin(), sent.block.bytes.end());
  };
  EXPECT_EQ(bytes(blocks[0]), stripped.Serialize());
  EXPECT_EQ(bytes(blocks[1]), block.Serialize());
}

TEST_F(BlockServingTest, ABlockThatTheDiskHasDamagedIsNotSent) {
  for (const size_t damaged_from_end : {1u, 20u, 60u}) {
    const HeaderId id = Extend(kGenesisId, 1, static_cast<uint32_t>(damaged_from_end));
    chain_.SetTip(id);
    std::vector<uint8_t>& bytes = store_.BytesAt(tree_.data(id));
    bytes[bytes.size() - damaged_from_end] ^= 1;
    for (const uint32_t type : {uint32_t{kInvWitnessBlock}, uint32_t{kInvBlock}}) {
      EXPECT_EQ(Ask({{type, tree_.hash(id)}}).status().code(), absl::StatusCode::kDataLoss) << damaged_from_end;
    }
  }
}

TEST_F(BlockServingTest, OneMessageOfWishesMayWaitForASlowReader) {
  chain_.SetTip(Extend(kGenesisId, 1));
  gateway_.queued_bytes = BlockServing::kQueuedBytesMax;
  const std::vector<InventoryItem> items(kMaxInventoryPerMessage - 1, {kInvWitnessBlock, tree_.hash(1)});
  for (int message = 0; message < 3; ++message) {
    const auto commands = Ask(items);
    ASSERT_TRUE(commands.ok());
    EXPECT_TRUE(commands->empty());
  }
  EXPECT_EQ(peers_[kPeer].wanted.size(), kMaxInventoryPerMessage);
  // One more is sent as soon as a byte of room is there, and then the queue is full again.
  gateway_.queued_bytes = BlockServing::kQueuedBytesMax - 1;
  const auto commands = Ask({});
  ASSERT_TRUE(commands.ok());
  EXPECT_EQ(Of<SendBlock>(*commands).size(), 1u);
}

TEST_F(BlockServingTest, AThousandPeersTogetherHaveBoundedWishesAndEachSomeOfItsOwn) {
  constexpr PeerId kPeers = 1'000;
  constexpr size_t kOwn = BlockWishes::kOwnBytes / sizeof(uint32_t);
  chain_.SetTip(Extend(kGenesisId, 1));
  gateway_.queued_bytes = BlockServing::kQueuedBytesMax;
  GetDataReceived message{0, std::vector<InventoryItem>(kMaxInventoryPerMessage, {kInvWitnessBlock, tree_.hash(1)})};
  GetDataReceived unknown{0, std::vector<InventoryItem>(kMaxInventoryPerMessage, {kInvTransaction, tree_.hash(1)})};
  uint64_t bytes = 0;
  for (PeerId id = 1; id <= kPeers; ++id) {
    AddPeer(id);
    GetDataReceived& asked = id % 2 == 0 ? message : unknown;
    asked.peer = id;
    serving_.OnGetData(asked);
    bytes += peers_[id].wanted.bytes();
    ASSERT_GE(peers_[id].wanted.bytes(), BlockWishes::kOwnBytes) << id;
  }
  EXPECT_EQ(peers_[2].wanted.size(), kMaxInventoryPerMessage) << "there was room for all of it";
  EXPECT_EQ(peers_[kPeers].wanted.size(), kOwn) << "there was none left";
  constexpr uint64_t kItemBytes = sizeof(uint32_t) + sizeof(InventoryItem);
  EXPECT_LE(bytes, BlockServing::kSharedWishBytes + kPeers * (BlockWishes::kOwnBytes + kItemBytes));
  // Room that is given back is there for others.
  for (PeerId id = 1; id < kPeers; ++id) peers_.erase(id);
  message.peer = kPeers;
  serving_.OnGetData(message);
  EXPECT_EQ(peers_[kPeers].wanted.size(), kMaxInventoryPerMessage);
}

class FairServingTest : public BlockServingTest {
 protected:
  static constexpr size_t kLargeBytes = 500'000;

  FairServingTest() {
    peers_.clear();
    small_ = Extend(kGenesisId, 1, 0, 20'000);
    large_ = Extend(small_, 1, 0, kLargeBytes);
    chain_.SetTip(large_);
  }

  HeaderId small_, large_;
};

TEST_F(FairServingTest, WhoeverWantsMuchGetsAsManyBytesAsOthers) {
  for (PeerId id : {1, 2, 3}) AddPeer(id);
  Want(1, large_, 1'000);
  Want(2, small_, 10'000);
  Want(3, large_, 500);
  for (int step = 0; step < 40; ++step) {
    TakeStep();
    EXPECT_GT(step_bytes_, uint64_t{BlockServing::kStepBytes} - 1);
    EXPECT_LT(step_bytes_, uint64_t{BlockServing::kStepBytes} + kLargeBytes + 1'000);
    const auto [least, most] = std::minmax({sent_bytes_[1], sent_bytes_[2], sent_bytes_[3]});
    EXPECT_LE(most - least, BlockServing::kTurnBytes + kLargeBytes + 1'000) << step;
  }
}

TEST_F(FairServingTest, NobodyIsServedTwiceBeforeEverybodyOnce) {
  constexpr PeerId kPeers = 50;
  for (PeerId id = 1; id <= kPeers; ++id) {
    AddPeer(id);
    Want(id, large_, 100);
  }
  for (int step = 0; step < 60; ++step) {
    TakeStep();
    size_t least = SIZE_MAX, most = 0;
    for (PeerId id = 1; id <= kPeers; ++id) {
      least = std::min(least, sent_blocks_[id]);
      most = std::max(most, sent_blocks_[id]);
    }
    ASSERT_LE(most - least, 1u) << step;
  }
  EXPECT_GE(sent_blocks_[1], 9u);
}

TEST_F(FairServingTest, ASlowReaderAndALeavingPeerHoldNobodyBack) {
  for (PeerId id : {1, 2, 3}) {
    AddPeer(id);
    Want(id, large_, 100);
  }
  gateway_.slow = {1};
  peers_[2].is_leaving = true;
  TakeStep();
  EXPECT_EQ(sent_bytes_[1], 0u);
  EXPECT_EQ(sent_bytes_[2], 0u);
  EXPECT_GE(sent_bytes_[3], uint64_t{BlockServing::kStepBytes});
}

TEST_F(FairServingTest, TurnsAreNotSavedUp) {
  for (PeerId id : {1, 2}) AddPeer(id);
  Want(1, large_, 1'000);
  // The second wants little of each turn, and then everything.
  for (int step = 0; step < 40; ++step) {
    Want(2, small_, 1);
    TakeStep();
  }
  sent_bytes_.clear();
  Want(2, large_, 1'000);
  for (int step = 0; step < 5; ++step) TakeStep();
  // Each may be ahead by a turn and a block, and have begun behind by a block.
  constexpr uint64_t kApartMax = BlockServing::kTurnBytes + 2 * (kLargeBytes + 1'000);
  EXPECT_LE(sent_bytes_[2], sent_bytes_[1] + kApartMax);
  EXPECT_LE(sent_bytes_[1], sent_bytes_[2] + kApartMax);
}

TEST_F(FairServingTest, AQueueWithRoomIsFilledUpToItsLimitAndABlock) {
  AddPeer(1);
  Want(1, large_, 100);
  for (int step = 0; step < 10; ++step) {
    gateway_.queued_bytes = sent_bytes_[1];
    TakeStep();
  }
  EXPECT_GE(sent_bytes_[1], BlockServing::kQueuedBytesMax);
  EXPECT_LT(sent_bytes_[1], BlockServing::kQueuedBytesMax + kLargeBytes + 1'000);
}

TEST_F(FairServingTest, WhatIsNotThereTakesTurnsToo) {
  for (PeerId id : {1, 2}) AddPeer(id);
  std::vector<InventoryItem> unknown;
  for (uint32_t i = 0; i < kMaxInventoryPerMessage; ++i) {
    Hash256 hash;
    hash.bytes[0] = static_cast<uint8_t>(i);
    hash.bytes[1] = static_cast<uint8_t>(i >> 8);
    hash.bytes[31] = 1;
    unknown.push_back({kInvWitnessBlock, hash});
  }
  serving_.OnGetData({1, unknown});
  Want(2, large_, 4);
  std::vector<InventoryItem> missing;
  int steps = 0;
  for (; missing.size() < unknown.size() && steps < 100; ++steps) {
    std::vector<PeerCommand> commands;
    ASSERT_TRUE(serving_.Step(gateway_, commands).ok());
    for (const SendNotFound& told : Of<SendNotFound>(commands)) {
      // A turn, and what the end of a step left of the one before.
      EXPECT_LE(told.items.size(), static_cast<size_t>(2 * BlockServing::kTurnBytes / BlockServing::kMissBytes));
      missing.insert(missing.end(), told.items.begin(), told.items.end());
    }
    if (steps == 0) {
      EXPECT_EQ(Of<SendBlock>(commands).size(), 4u) << "the other does not wait for all of them";
    }
  }
  EXPECT_EQ(missing, unknown);
  EXPECT_GT(steps, 1);
}

class HistoryTest : public BlockServingTest {
 protected:
  // Blocks ten minutes apart: more than a week of them.
  HistoryTest() {
    chain_.SetTip(Extend(kGenesisId, 7 * 144 + 2));
    gateway_.may_send_history = false;
  }
  // The last that is history, and the first that is not, by the tip's time.
  HeaderId old() const { return chain_.at(chain_.height() - 7 * 144 - 1); }
  HeaderId recent() const { return chain_.at(chain_.height() - 7 * 144); }
};

TEST_F(HistoryTest, IsRefusedNearTheTargetAndTheConnectionEnds) {
  const auto commands = Ask({{kInvWitnessBlock, tree_.hash(recent())}, {kInvWitnessBlock, tree_.hash(old())},
                             {kInvWitnessBlock, tree_.hash(recent())}});
  ASSERT_TRUE(commands.ok());
  EXPECT_EQ(Of<SendBlock>(*commands).size(), 1u);
  const auto disconnects = Of<Disconnect>(*commands);
  ASSERT_EQ(disconnects.size(), 1u);
  EXPECT_EQ(disconnects[0].peer, kPeer);
  EXPECT_EQ(disconnects[0].reason, RowOf(PeerFault::kHistoryBeyondTarget).sentence);
  EXPECT_FALSE(disconnects[0].discourage);
  EXPECT_TRUE(Ask({})->empty()) << "what it wanted besides is forgotten";
}

TEST_F(HistoryTest, IsServedToThoseWithPermissionAndFarFromTheTarget) {
  for (const bool is_permitted : {true, false}) {
    peers_[kPeer].info.permissions = is_permitted ? kMayDownload : 0;
    gateway_.may_send_history = !is_permitted;
    const auto commands = Ask({{kInvWitnessBlock, tree_.hash(old())}});
    ASSERT_TRUE(commands.ok());
    EXPECT_EQ(Of<SendBlock>(*commands).size(), 1u);
    EXPECT_TRUE(Of<Disconnect>(*commands).empty());
  }
}

}  // namespace
}  // namespace headrace
