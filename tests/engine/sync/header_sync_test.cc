// Whom headers are asked of, when again, and what becomes of a peer that sends the wrong ones.
#include "engine/sync/header_sync.h"

#include "engine/base/limits.h"
#include "engine/consensus/chain_params.h"
#include "engine/consensus/difficulty.h"
#include "gtest/gtest.h"

namespace headrace {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

class HeaderSyncTest : public ::testing::Test {
 protected:
  HeaderSyncTest() : tree_(BlockHeader::Load(GenesisBlock(params_).data())) {}

  // Headers on genesis with enough work for regtest, an hour apart.
  std::vector<BlockHeader> Mine(size_t count) {
    std::vector<BlockHeader> headers;
    BlockHeader header = tree_.header(kGenesisId);
    for (size_t i = 0; i < count; ++i) {
      header.previous = header.Hash();
      header.version = 4;
      header.time_s += 3'600;
      while (!CheckProofOfWork(header.Hash(), header.bits, params_)) ++header.nonce;
      headers.push_back(header);
    }
    return headers;
  }

  SyncPeer& AddPeer(PeerId id) {
    SyncPeer& peer = peers_[id];
    peer.info.id = id;
    peer.info.services = kNodeNetwork | kNodeWitness;
    return peer;
  }

  std::vector<PeerCommand> Receive(PeerId peer, std::vector<BlockHeader> headers) {
    std::vector<PeerCommand> commands;
    sync_.OnHeaders({peer, std::move(headers)}, now_ns_, now_s_, params_, commands, [](HeaderId) {});
    return commands;
  }

  template <typename Command>
  static std::vector<Command> Of(const std::vector<PeerCommand>& commands) {
    std::vector<Command> result;
    for (const PeerCommand& command : commands) {
      if (const auto* found = std::get_if<Command>(&command)) result.push_back(*found);
    }
    return result;
  }

  const ChainParams& params_ = ParamsFor(ChainId::kRegtest);
  HeaderTree tree_;
  SyncPeers peers_;
  HeaderSync sync_{tree_, peers_};
  int64_t now_ns_ = kSecond;
  int64_t now_s_ = 2'000'000'000;
};

TEST_F(HeaderSyncTest, HeadersThatConnectToNothingAreForgivenWhenOthersConnect) {
  AddPeer(1);
  const std::vector<BlockHeader> headers = Mine(10);
  const BlockHeader stray = headers.back();
  for (size_t round = 0; round < 3; ++round) {
    for (uint32_t i = 0; i < HeaderSync::kUnconnectingHeadersMax; ++i) {
      const auto commands = Receive(1, {stray});
      ASSERT_TRUE(Of<Disconnect>(commands).empty()) << i;
      EXPECT_EQ(Of<SendGetHeaders>(commands).size(), 1u) << "what lies between is asked for";
    }
    ASSERT_TRUE(Of<Disconnect>(Receive(1, {headers[round]})).empty());
  }
  for (uint32_t i = 0; i < HeaderSync::kUnconnectingHeadersMax; ++i) Receive(1, {stray});
  const auto disconnects = Of<Disconnect>(Receive(1, {stray}));
  ASSERT_EQ(disconnects.size(), 1u);
  EXPECT_TRUE(disconnects[0].discourage);
}

TEST_F(HeaderSyncTest, AnnouncementsThatCrossTheQuestionWhatLiesBetweenAreNoFault) {
  AddPeer(1);
  const std::vector<BlockHeader> headers = Mine(50);
  // Each block is announced as it comes, and the answer to the question that the first one led to is behind them all.
  EXPECT_EQ(Of<SendGetHeaders>(Receive(1, {headers[9]})).size(), 1u);
  for (size_t i = 10; i < headers.size(); ++i) {
    const auto commands = Receive(1, {headers[i]});
    ASSERT_TRUE(Of<Disconnect>(commands).empty()) << i;
    EXPECT_TRUE(Of<SendGetHeaders>(commands).empty()) << "it was asked already";
  }
  ASSERT_TRUE(Of<Disconnect>(Receive(1, headers)).empty());
  EXPECT_EQ(tree_.height(tree_.best_header()), 50u);
  EXPECT_EQ(peers_.at(1).unconnecting_headers, 0u);
}

TEST_F(HeaderSyncTest, AFullMessageIsFollowedByAnotherQuestionToTheSamePeer) {
  AddPeer(1);
  const std::vector<BlockHeader> headers = Mine(kMaxHeadersPerMessage);
  const auto commands = Receive(1, headers);
  const auto questions = Of<SendGetHeaders>(commands);
  ASSERT_EQ(questions.size(), 1u);
  EXPECT_EQ(questions[0].peer, 1u);
  EXPECT_EQ(questions[0].locator.front(), headers.back().Hash());
  EXPECT_TRUE(peers_[1].headers_requested);
  // The same again leads nowhere.
  EXPECT_TRUE(Of<SendGetHeaders>(Receive(1, headers)).empty());
  EXPECT_TRUE(peers_[1].headers_exhausted);
}

TEST_F(HeaderSyncTest, AHeaderFromTheNearFutureEndsTheConnectionAndIsNotHeldAgainstThePeer) {
  AddPeer(1);
  BlockHeader header = Mine(1)[0];
  now_s_ = int64_t{header.time_s} - 7'201;
  const auto disconnects = Of<Disconnect>(Receive(1, {header}));
  ASSERT_EQ(disconnects.size(), 1u);
  EXPECT_FALSE(disconnects[0].discourage);
  now_s_ += 1;
  EXPECT_TRUE(Of<Disconnect>(Receive(1, {header})).empty());
  EXPECT_EQ(peers_[1].best_known, tree_.Find(header.Hash()));
  // One that breaks a rule for good is.
  header.bits = 0x207ffffe;
  header.previous = tree_.hash(1);
  while (!CheckProofOfWork(header.Hash(), header.bits, params_)) ++header.nonce;
  const auto punished = Of<Disconnect>(Receive(1, {header}));
  ASSERT_EQ(punished.size(), 1u);
  EXPECT_TRUE(punished[0].discourage);
}

TEST_F(HeaderSyncTest, AQuestionWithoutAnAnswerIsPutToTheNextPeerAndEndsTheConnection) {
  AddPeer(1);
  AddPeer(2);
  std::vector<PeerCommand> commands;
  sync_.OnConnected(1, now_ns_, commands);
  ASSERT_EQ(Of<SendGetHeaders>(commands).size(), 1u);
  EXPECT_EQ(Of<SendGetHeaders>(commands)[0].peer, 1u);
  commands.clear();
  sync_.OnConnected(2, now_ns_, commands);
  EXPECT_TRUE(commands.empty()) << "one peer at a time";
  now_ns_ += HeaderSync::kSecondQuestionNs;
  sync_.Tick(now_ns_, commands);
  ASSERT_EQ(Of<SendGetHeaders>(commands).size(), 1u);
  EXPECT_EQ(Of<SendGetHeaders>(commands)[0].peer, 2u);
  commands.clear();
  now_ns_ = kSecond + HeaderSync::kHeadersTimeoutNs - 1;
  sync_.Tick(now_ns_, commands);
  EXPECT_TRUE(Of<Disconnect>(commands).empty());
  now_ns_ += 1;
  sync_.Tick(now_ns_, commands);
  ASSERT_EQ(Of<Disconnect>(commands).size(), 1u);
  EXPECT_EQ(Of<Disconnect>(commands)[0].peer, 1u);
}

}  // namespace
}  // namespace headrace
