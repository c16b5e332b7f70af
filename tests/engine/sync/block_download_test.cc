#include "engine/sync/block_download.h"

#include <algorithm>
#include <set>

#include "engine/consensus/chain_params.h"
#include "gtest/gtest.h"

namespace headrace {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

BlockHeader Genesis() { return BlockHeader::Load(GenesisBlock(ParamsFor(ChainId::kRegtest)).data()); }

// A tree of headers without proof of work (the tree itself checks none), and peers that have all of it.
class BlockDownloadTest : public ::testing::Test {
 protected:
  BlockDownloadTest() : tree_(Genesis()) {}

  HeaderId Extend(HeaderId parent, int count, uint32_t salt = 0) {
    for (int i = 0; i < count; ++i) {
      BlockHeader header = tree_.header(parent);
      header.previous = tree_.hash(parent);
      header.time_s += 600;
      header.nonce = salt;
      parent = tree_.Add(header, header.Hash(), parent);
    }
    return parent;
  }

  void AddPeer(PeerId id, HeaderId best_known) {
    SyncPeer& peer = peers_[id];
    peer.info.id = id;
    peer.info.services = kNodeNetwork | kNodeWitness;
    peer.best_known = best_known;
  }

  // What was asked of each peer, by header.
  std::map<PeerId, std::vector<HeaderId>> Assign(BlockDownload& download, uint64_t pending_bytes = 0) {
    std::vector<PeerCommand> commands;
    download.Assign(pending_bytes, now_ns_, commands);
    return Asked(commands);
  }

  std::map<PeerId, std::vector<HeaderId>> Asked(const std::vector<PeerCommand>& commands) {
    std::map<PeerId, std::vector<HeaderId>> asked;
    for (const PeerCommand& command : commands) {
      const auto* get_data = std::get_if<SendGetData>(&command);
      if (get_data == nullptr) continue;
      for (const InventoryItem& item : get_data->items) {
        EXPECT_EQ(item.type, kInvWitnessBlock);
        asked[get_data->peer].push_back(tree_.Find(item.hash));
      }
    }
    return asked;
  }

  std::vector<HeaderId> Requests(PeerId peer) const {
    std::vector<HeaderId> ids;
    for (const BlockRequest& request : peers_.at(peer).in_flight) ids.push_back(request.id);
    return ids;
  }

  void Deliver(BlockDownload& download, PeerId peer, HeaderId id) {
    const auto got = download.OnBlock(peer, tree_.hash(id), 1000, now_ns_);
    ASSERT_TRUE(got.has_value());
    tree_.SetData(id, {0, 8, 1000}, 1);
    download.OnSettled(id);
  }

  HeaderTree tree_;
  SyncPeers peers_;
  int64_t now_ns_ = kSecond;
};

class InFlightLimit : public BlockDownloadTest, public ::testing::WithParamInterface<uint32_t> {};

TEST_P(InFlightLimit, IsReachedAndNeverExceeded) {
  const uint32_t limit = GetParam();
  const HeaderId tip = Extend(kGenesisId, 300);
  AddPeer(1, tip);
  AddPeer(2, tip);
  BlockDownloadOptions options;
  options.in_flight_per_peer_max = limit;
  BlockDownload download(tree_, peers_, options);
  std::map<PeerId, std::set<HeaderId>> in_flight;
  size_t delivered = 0;
  size_t most = 0;
  while (delivered < 300) {
    for (const auto& [peer, ids] : Assign(download)) in_flight[peer].insert(ids.begin(), ids.end());
    for (auto& [peer, ids] : in_flight) {
      ASSERT_LE(ids.size(), limit);
      most = std::max(most, ids.size());
    }
    now_ns_ += 1'000'000;
    for (auto& [peer, ids] : in_flight) {
      if (ids.empty()) continue;
      const HeaderId id = *ids.begin();
      ids.erase(ids.begin());
      Deliver(download, peer, id);
      ++delivered;
    }
  }
  EXPECT_EQ(most, limit);
  EXPECT_EQ(download.in_flight_per_peer_max_ever(), limit);
  EXPECT_GE(peers_[1].blocks_received, 75u);
  EXPECT_GE(peers_[2].blocks_received, 75u);
  EXPECT_EQ(download.in_flight_count(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Limits, InFlightLimit, ::testing::Values(1, 16, 17));

TEST_F(BlockDownloadTest, ABlockThatWasLeftOutIsAskedOfAnotherSoon) {
  const HeaderId tip = Extend(kGenesisId, 4);
  AddPeer(1, tip);
  BlockDownload download(tree_, peers_, {});
  ASSERT_EQ(Assign(download)[1], (std::vector<HeaderId>{1, 2, 3, 4}));
  AddPeer(2, tip);
  EXPECT_TRUE(Assign(download).empty());

  // It goes on past the first, which it was asked for before.
  Deliver(download, 1, 2);
  now_ns_ += BlockDownload::kFrontierPatienceNs / 2;
  Deliver(download, 1, 3);
  now_ns_ += BlockDownload::kFrontierPatienceNs / 2 - 1;
  EXPECT_TRUE(Assign(download).empty());
  ++now_ns_;
  EXPECT_EQ(Assign(download), (std::map<PeerId, std::vector<HeaderId>>{{2, {1}}}));
}

TEST_F(BlockDownloadTest, SlowLinesAreKeptBusyAndFastOnesHaveTheirTurn) {
  AddPeer(1, Extend(kGenesisId, 4));
  AddPeer(2, 4);
  BlockDownloadOptions options;
  options.budget_bytes = 100'000;
  BlockDownload download(tree_, peers_, options);
  EXPECT_EQ(download.BusyBytes(), 0u) << "nothing is known of them";
  peers_[1].bytes_per_second = 20'000;
  EXPECT_EQ(download.BusyBytes(), 0u) << "one line brings all in order";
  peers_[2].bytes_per_second = 30'000;
  EXPECT_EQ(download.BusyBytes(), 50'000u);
  peers_[2].bytes_per_second = 30'001;
  EXPECT_EQ(download.BusyBytes(), 0u);
}

TEST_F(BlockDownloadTest, TheWindowEndsWhereItShould) {
  AddPeer(1, Extend(kGenesisId, 100));
  BlockDownloadOptions options;
  options.in_flight_per_peer_max = 1000;
  options.window_blocks = 8;
  BlockDownload download(tree_, peers_, options);
  EXPECT_EQ(Assign(download)[1].size(), 8u);
  Deliver(download, 1, 3);
  EXPECT_TRUE(Assign(download).empty());
  Deliver(download, 1, 1);
  EXPECT_EQ(Assign(download)[1], std::vector<HeaderId>{9});
}

TEST_F(BlockDownloadTest, NothingAboveTheStopHeightIsAskedFor) {
  AddPeer(1, Extend(kGenesisId, 100));
  BlockDownloadOptions options;
  options.height_max = 5;
  BlockDownload download(tree_, peers_, options);
  EXPECT_EQ(Assign(download)[1], (std::vector<HeaderId>{1, 2, 3, 4, 5}));
}

TEST_F(BlockDownloadTest, TheFrontierIsAdmittedWhenTheBudgetIsUsedUp) {
  AddPeer(1, Extend(kGenesisId, 100));
  BlockDownloadOptions options;
  options.budget_bytes = 1000;
  BlockDownload download(tree_, peers_, options);
  EXPECT_EQ(Assign(download, 2000)[1], std::vector<HeaderId>{1});
  EXPECT_TRUE(Assign(download, 2000).empty());
}

TEST_F(BlockDownloadTest, OnlyPeersThatHaveABlockAreAsked) {
  const HeaderId middle = Extend(kGenesisId, 5);
  const HeaderId tip = Extend(middle, 5);
  const HeaderId other_branch = Extend(middle, 3, 7);
  AddPeer(1, middle);
  AddPeer(2, other_branch);
  BlockDownload download(tree_, peers_, {});
  // Nobody has the best header's chain: that of most work which somebody has is followed.
  std::set<HeaderId> asked;
  for (const auto& [peer, ids] : Assign(download)) {
    for (const HeaderId id : ids) EXPECT_TRUE(tree_.IsAncestorOf(id, *peers_.at(peer).best_known)) << peer << " " << id;
    asked.insert(ids.begin(), ids.end());
  }
  EXPECT_EQ(asked, (std::set<HeaderId>{1, 2, 3, 4, 5, 11, 12, 13}));
  AddPeer(3, tip);
  EXPECT_EQ(Assign(download)[3], (std::vector<HeaderId>{6, 7, 8, 9, 10}));
}

TEST_F(BlockDownloadTest, APeerThatStallsTheWindowIsReplacedAndItsRequestsGoElsewhere) {
  const HeaderId tip = Extend(kGenesisId, 8);
  AddPeer(1, tip);
  BlockDownload download(tree_, peers_, {});
  EXPECT_EQ(Assign(download)[1].size(), 8u);
  AddPeer(2, tip);
  EXPECT_TRUE(Assign(download).empty());
  std::vector<PeerCommand> commands;
  now_ns_ += BlockDownload::kStallTimeoutMinNs - 1;
  download.Tick(now_ns_, commands);
  EXPECT_TRUE(commands.empty());
  now_ns_ += 1;
  download.Tick(now_ns_, commands);
  EXPECT_EQ(Asked(commands)[2], std::vector<HeaderId>{1});
  const auto disconnect = std::find_if(commands.begin(), commands.end(), [](const PeerCommand& command) {
    return std::holds_alternative<Disconnect>(command);
  });
  ASSERT_NE(disconnect, commands.end());
  EXPECT_EQ(std::get<Disconnect>(*disconnect).peer, 1u);
  peers_.erase(1);
  EXPECT_EQ(Assign(download)[2].size(), 7u);
}

TEST_F(BlockDownloadTest, WhatAPeerHadInFlightIsAskedElsewhereWhenItGoes) {
  const HeaderId tip = Extend(kGenesisId, 8);
  AddPeer(1, tip);
  BlockDownload download(tree_, peers_, {});
  EXPECT_EQ(Assign(download)[1].size(), 8u);
  download.OnDisconnected(1);
  peers_.erase(1);
  AddPeer(2, tip);
  EXPECT_EQ(Assign(download)[2].size(), 8u);
}

TEST_F(BlockDownloadTest, UnaskedAndRepeatedBlocksAreNotTaken) {
  const HeaderId tip = Extend(kGenesisId, 2);
  AddPeer(1, tip);
  AddPeer(2, tip);
  BlockDownload download(tree_, peers_, {});
  EXPECT_FALSE(download.OnBlock(1, tree_.hash(1), 10, now_ns_));
  Assign(download);
  EXPECT_FALSE(download.OnBlock(1, Hash256(), 10, now_ns_));
  const auto& of_one = peers_[1].in_flight;
  const bool is_of_one =
      std::any_of(of_one.begin(), of_one.end(), [](const BlockRequest& request) { return request.id == 1; });
  const PeerId asked = is_of_one ? 1 : 2;
  EXPECT_TRUE(download.OnBlock(asked, tree_.hash(1), 10, now_ns_));
  EXPECT_FALSE(download.OnBlock(asked, tree_.hash(1), 10, now_ns_));
}

TEST_F(BlockDownloadTest, NotFoundLowersWhatAPeerIsBelievedToHave) {
  const HeaderId tip = Extend(kGenesisId, 4);
  AddPeer(1, tip);
  BlockDownload download(tree_, peers_, {});
  EXPECT_EQ(Assign(download)[1].size(), 4u);
  download.OnNotFound({1, {{kInvWitnessBlock, tree_.hash(3)}}}, now_ns_);
  EXPECT_EQ(*peers_[1].best_known, 2u);
  EXPECT_TRUE(Assign(download).empty());
  AddPeer(2, tip);
  EXPECT_EQ(Assign(download)[2], std::vector<HeaderId>{3});
}

// A peer that reorganised answers for the branch that it left; what it has shown since on the new one is still true, and it
// does not say it again.
TEST_F(BlockDownloadTest, NotFoundForABranchThatAPeerLeftDoesNotTakeBackTheNewOne) {
  const HeaderId left = Extend(kGenesisId, 2);
  AddPeer(1, left);
  BlockDownload download(tree_, peers_, {});
  EXPECT_EQ(Assign(download)[1].size(), 2u);
  const HeaderId tip = Extend(kGenesisId, 3, 9);
  peers_[1].best_known = tip;
  download.OnNotFound({1, {{kInvWitnessBlock, tree_.hash(1)}, {kInvWitnessBlock, tree_.hash(left)}}}, now_ns_);
  EXPECT_EQ(peers_[1].best_known, tip);
  EXPECT_EQ(Assign(download)[1], (std::vector<HeaderId>{3, 4, 5}));
}

// The branch that a peer left may win after all, and then the peer has it again: not asked at once, not refused for ever.
TEST_F(BlockDownloadTest, WhatWasNotFoundIsAskedAgainAfterAWhile) {
  const HeaderId tip = Extend(kGenesisId, 1);
  AddPeer(1, tip);
  BlockDownload download(tree_, peers_, {});
  std::vector<PeerCommand> commands;
  for (int round = 0; round < 40; ++round) {
    EXPECT_EQ(Assign(download)[1], std::vector<HeaderId>{tip});
    download.OnNotFound({1, {{kInvWitnessBlock, tree_.hash(tip)}}}, now_ns_);
    peers_[1].best_known = tip;  // it shows the header again
    now_ns_ += BlockDownload::kLackingNs - 1;
    download.Tick(now_ns_, commands);
    EXPECT_TRUE(Assign(download).empty());
    now_ns_ += 1;
    download.Tick(now_ns_, commands);
  }
  EXPECT_TRUE(commands.empty());
}

TEST_F(BlockDownloadTest, TheWindowFollowsTheBestHeaderToAnotherBranch) {
  const HeaderId fork = Extend(kGenesisId, 3);
  const HeaderId first = Extend(fork, 2);
  AddPeer(1, first);
  BlockDownload download(tree_, peers_, {});
  Assign(download);
  for (HeaderId id = 1; id <= first; ++id) Deliver(download, 1, id);
  EXPECT_TRUE(Assign(download).empty());
  const HeaderId second = Extend(fork, 4, 9);
  AddPeer(2, second);
  EXPECT_EQ(Assign(download)[2], (std::vector<HeaderId>{6, 7, 8, 9}));
}

// Whom the commands disconnect.
std::set<PeerId> Disconnected(const std::vector<PeerCommand>& commands) {
  std::set<PeerId> peers;
  for (const PeerCommand& command : commands) {
    if (const auto* disconnect = std::get_if<Disconnect>(&command)) peers.insert(disconnect->peer);
  }
  return peers;
}

TEST_F(BlockDownloadTest, TheStallTimeOutDoublesWithEveryStallAndDecaysWithEveryBlock) {
  const HeaderId tip = Extend(kGenesisId, 40);
  BlockDownload download(tree_, peers_, {.window_blocks = 8});
  const auto tick_after = [&](int64_t wait_ns) {
    now_ns_ += wait_ns;
    std::vector<PeerCommand> commands;
    download.Tick(now_ns_, commands);
    for (const PeerId peer : Disconnected(commands)) peers_.erase(peer);
    return Disconnected(commands);
  };
  AddPeer(1, tip);
  Assign(download);
  for (PeerId peer = 1; peer <= 3; ++peer) {
    const int64_t timeout_ns = BlockDownload::kStallTimeoutMinNs << (peer - 1);
    EXPECT_EQ(tick_after(timeout_ns - 1), std::set<PeerId>{}) << peer;
    // Whoever comes next finds everything asked for, and takes over.
    AddPeer(peer + 1, tip);
    EXPECT_EQ(tick_after(1), std::set<PeerId>{peer});
    Assign(download);
  }
  // Sixteen seconds are what a peer is given now; an eighth less after every block, and never less than two.
  HeaderId next = 1;
  for (int block = 0; block < 20; ++block) {
    Deliver(download, 4, next++);
    Assign(download);
  }
  AddPeer(5, tip);
  EXPECT_EQ(tick_after(BlockDownload::kStallTimeoutMinNs - 1), std::set<PeerId>{});
  EXPECT_EQ(tick_after(1), std::set<PeerId>{4});
}

TEST_F(BlockDownloadTest, ASlowPeerThatDeliversIsLeftAloneWhileOthersHaveWork) {
  const HeaderId tip = Extend(kGenesisId, 100);
  AddPeer(1, tip);
  BlockDownload download(tree_, peers_, {.in_flight_per_peer_max = 4});
  ASSERT_EQ(Assign(download)[1], (std::vector<HeaderId>{1, 2, 3, 4}));
  AddPeer(2, tip);
  Assign(download);
  std::vector<PeerCommand> commands;
  for (const HeaderId late : {2u, 3u, 4u}) {
    now_ns_ += BlockDownload::kStallTimeoutMinNs - 1;
    Deliver(download, 1, late);
    // The other one has room, so that it could take over, and blocks to be asked for besides.
    Deliver(download, 2, late + 3);
    now_ns_ += 1;
    download.Tick(now_ns_, commands);
    EXPECT_EQ(Disconnected(commands), std::set<PeerId>{}) << late;
  }
  // One that delivers nothing more is replaced by whoever has room.
  now_ns_ += BlockDownload::kStallTimeoutMinNs;
  download.Tick(now_ns_, commands);
  EXPECT_EQ(Disconnected(commands), std::set<PeerId>{1});
}

TEST_F(BlockDownloadTest, APeerThatSendsNoBlockForAMinuteLosesItsRequestsThoughNobodyElseHasThem) {
  const HeaderId tip = Extend(kGenesisId, 8);
  AddPeer(1, tip);
  BlockDownload download(tree_, peers_, {});
  ASSERT_EQ(Assign(download)[1].size(), 8u);
  std::vector<PeerCommand> commands;
  now_ns_ += BlockDownload::kBlockTimeoutNs - 1;
  download.Tick(now_ns_, commands);
  EXPECT_EQ(Disconnected(commands), std::set<PeerId>{});
  EXPECT_EQ(download.in_flight_count(), 8u);
  now_ns_ += 1;
  download.Tick(now_ns_, commands);
  EXPECT_EQ(Disconnected(commands), std::set<PeerId>{1});
  EXPECT_EQ(download.in_flight_count(), 0u);
  peers_.erase(1);
  AddPeer(2, tip);
  EXPECT_EQ(Assign(download)[2].size(), 8u);
}

TEST_F(BlockDownloadTest, APeerThatLacksTooManyBlocksOfItsHeadersIsDropped) {
  AddPeer(1, Extend(kGenesisId, 40));
  BlockDownload download(tree_, peers_, {.in_flight_per_peer_max = 32});
  peers_[1].in_flight_target = 32;  // a fast line, as if it had delivered before
  const std::vector<HeaderId> asked = Assign(download)[1];
  ASSERT_GT(asked.size(), BlockDownload::kLackingBlocksMax);
  for (size_t lacking = 0; lacking <= BlockDownload::kLackingBlocksMax; ++lacking) {
    std::vector<PeerCommand> commands;
    download.Tick(now_ns_, commands);
    EXPECT_EQ(Disconnected(commands), std::set<PeerId>{}) << lacking;
    download.OnNotFound({1, {{kInvWitnessBlock, tree_.hash(asked[lacking])}}}, now_ns_);
  }
  std::vector<PeerCommand> commands;
  download.Tick(now_ns_, commands);
  EXPECT_EQ(Disconnected(commands), std::set<PeerId>{1});
}

// Near the tip others are asked when the first one takes long; the third is one that we connected to.
TEST_F(BlockDownloadTest, ABlockAtTheTipIsAskedOfUpToThreePeers) {
  const HeaderId tip = Extend(kGenesisId, BlockDownload::kNearTipBlocks);
  for (PeerId peer = 1; peer <= 4; ++peer) AddPeer(peer, tip), peers_[peer].info.is_inbound = true;
  BlockDownload download(tree_, peers_, {.in_flight_per_peer_max = 1});
  download.SetAtTip(true);
  const auto first = Assign(download);
  ASSERT_EQ(first.size(), 2u);
  const PeerId asked_first = first.begin()->first;
  ASSERT_EQ(first.begin()->second, std::vector<HeaderId>{1});
  std::vector<PeerCommand> commands;
  now_ns_ += BlockDownload::kParallelRequestNs - 1;
  download.Tick(now_ns_, commands);
  EXPECT_TRUE(commands.empty());
  now_ns_ += 1;
  download.Tick(now_ns_, commands);
  const auto second = Asked(commands);
  ASSERT_EQ(second.size(), 2u) << "each of the two blocks of somebody else";
  // The third place is not for inbound peers, though one has room.
  AddPeer(5, tip);
  peers_[5].info.is_inbound = true;
  commands.clear();
  now_ns_ += BlockDownload::kParallelRequestNs;
  download.Tick(now_ns_, commands);
  EXPECT_TRUE(commands.empty());
  AddPeer(6, tip);
  download.Tick(now_ns_, commands);
  EXPECT_EQ(Asked(commands), (std::map<PeerId, std::vector<HeaderId>>{{6, {1}}}));
  AddPeer(7, tip);
  AddPeer(8, tip);
  commands.clear();
  now_ns_ += BlockDownload::kParallelRequestNs;
  download.Tick(now_ns_, commands);
  EXPECT_EQ(Asked(commands), (std::map<PeerId, std::vector<HeaderId>>{{7, {2}}})) << "nobody is the fourth";
  // The first copy counts. The others are on their way, and each is one of its peer's requests until it is here.
  Deliver(download, 6, 1);
  EXPECT_EQ(Requests(asked_first), std::vector<HeaderId>{1});
  EXPECT_FALSE(download.OnBlock(asked_first, tree_.hash(1), 1000, now_ns_));
  EXPECT_TRUE(peers_[asked_first].in_flight.empty());
  EXPECT_EQ(download.in_flight_count(), 1u);
}

TEST_F(BlockDownloadTest, FarFromTheTipEveryBlockIsAskedOfOnePeer) {
  const HeaderId tip = Extend(kGenesisId, BlockDownload::kNearTipBlocks + 1);
  for (PeerId peer = 1; peer <= 3; ++peer) AddPeer(peer, tip);
  BlockDownload download(tree_, peers_, {});
  download.SetAtTip(true);
  Assign(download);
  std::vector<PeerCommand> commands;
  now_ns_ += BlockDownload::kParallelRequestNs;
  download.Tick(now_ns_, commands);
  EXPECT_TRUE(commands.empty());
}

TEST_F(BlockDownloadTest, DuringTheInitialDownloadEveryBlockIsAskedOfOnePeer) {
  const HeaderId tip = Extend(kGenesisId, 1);
  for (PeerId peer = 1; peer <= 3; ++peer) AddPeer(peer, tip);
  BlockDownload download(tree_, peers_, {});
  Assign(download);
  std::vector<PeerCommand> commands;
  now_ns_ += BlockDownload::kParallelRequestNs;
  download.Tick(now_ns_, commands);
  EXPECT_TRUE(commands.empty());
}

// Whoever was asked second takes over from one that stalls, and is not asked again.
TEST_F(BlockDownloadTest, AStalledBlockPassesToWhoeverWasAskedBesides) {
  const HeaderId tip = Extend(kGenesisId, 1);
  AddPeer(1, tip);
  BlockDownload download(tree_, peers_, {});
  download.SetAtTip(true);
  Assign(download);
  AddPeer(2, tip);
  std::vector<PeerCommand> commands;
  now_ns_ += BlockDownload::kParallelRequestNs;
  download.Tick(now_ns_, commands);
  ASSERT_EQ(Asked(commands), (std::map<PeerId, std::vector<HeaderId>>{{2, {tip}}}));
  commands.clear();
  now_ns_ += BlockDownload::kStallTimeoutMinNs - BlockDownload::kParallelRequestNs;
  download.Tick(now_ns_, commands);
  EXPECT_EQ(Disconnected(commands), std::set<PeerId>{1});
  EXPECT_TRUE(Asked(commands).empty());
  EXPECT_EQ(Requests(2), std::vector<HeaderId>{tip});
  Deliver(download, 2, tip);
}

TEST_F(BlockDownloadTest, BlocksInFlightCountTowardsTheBudget) {
  AddPeer(1, Extend(kGenesisId, 100));
  BlockDownloadOptions options;
  options.in_flight_per_peer_max = 100;
  // A block is taken for 250,000 bytes before the first one has come.
  options.budget_bytes = 4 * 250'000;
  BlockDownload download(tree_, peers_, options);
  EXPECT_EQ(Assign(download)[1], (std::vector<HeaderId>{1, 2, 3, 4}));
  EXPECT_TRUE(Assign(download).empty());
}

TEST_F(BlockDownloadTest, PeersWithoutWitnessesOrBlocksAreNotAsked) {
  const HeaderId tip = Extend(kGenesisId, 3);
  for (PeerId id = 1; id <= 3; ++id) AddPeer(id, tip);
  peers_[1].info.services = kNodeNetwork;
  peers_[2].info.services = kNodeWitness;
  BlockDownload download(tree_, peers_, {});
  EXPECT_EQ(Assign(download), (std::map<PeerId, std::vector<HeaderId>>{{3, {1, 2, 3}}}));
}

}  // namespace
}  // namespace headrace
