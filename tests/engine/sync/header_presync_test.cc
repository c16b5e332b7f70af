// Chains of headers with little work, from peers that are honest, patient, forgetful and hostile: what is remembered of
// them, and how much memory they take meanwhile.
#include "engine/sync/header_presync.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <random>

#include "engine/base/limits.h"
#include "engine/consensus/chain_params.h"
#include "engine/consensus/difficulty.h"
#include "engine/primitives/targets.h"
#include "engine/sync/header_sync.h"

namespace headrace {
namespace {

constexpr int64_t kOneSecondNs = 1'000'000'000;

// A chain of valid regtest headers above genesis or a fork; each costs two hashes.
std::vector<BlockHeader> MineHeaders(const BlockHeader& parent, size_t count, uint32_t salt) {
  const ChainParams& params = ParamsFor(ChainId::kRegtest);
  std::vector<BlockHeader> headers;
  headers.reserve(count);
  BlockHeader header = parent;
  for (size_t i = 0; i < count; ++i) {
    header.previous = header.Hash();
    header.version = 4;
    header.time_s += 60;
    header.merkle_root.bytes[0] = static_cast<uint8_t>(salt);
    header.merkle_root.bytes[1] = static_cast<uint8_t>(salt >> 8);
    while (!CheckProofOfWork(header.Hash(), header.bits, params)) ++header.nonce;
    headers.push_back(header);
  }
  return headers;
}

// A peer that answers getheaders from a chain, which a test may change between two questions.
struct ChainPeer {
  const std::vector<BlockHeader>* chain = nullptr;
  uint32_t questions = 0;
  bool is_sent_away = false;
  bool is_discouraged = false;
  std::string reason;
  std::function<void(ChainPeer&)> before_answer;
};

class HeaderPresyncTest : public ::testing::Test {
 protected:
  static constexpr uint32_t kNeededBlocks = 20'000;

  HeaderPresyncTest() : tree_(BlockHeader::Load(GenesisBlock(params_).data())), genesis_(tree_.header(kGenesisId)) {}

  static const std::vector<BlockHeader>& Long() {
    static const std::vector<BlockHeader> chain =
        MineHeaders(BlockHeader::Load(GenesisBlock(ParamsFor(ChainId::kRegtest)).data()), 24'700, 1);
    return chain;
  }
  static std::vector<BlockHeader> First(size_t count) {
    return {Long().begin(), Long().begin() + static_cast<ptrdiff_t>(count)};
  }

  void Start(uint32_t needed_blocks) {
    options_.minimum_chain_work = WorkFromBits(genesis_.bits) * Uint256(needed_blocks + 1);
    options_.salt = {0x1234, 0x5678};
    sync_ = std::make_unique<HeaderSync>(tree_, peers_, options_);
  }

  ChainPeer& Connect(PeerId id, const std::vector<BlockHeader>* chain) {
    SyncPeer& peer = peers_[id];
    peer.info.id = id;
    peer.info.services = kNodeNetwork | kNodeWitness;
    ChainPeer& script = scripts_[id];
    script.chain = chain;
    std::vector<PeerCommand> commands;
    sync_->OnConnected(id, now_ns_, commands);
    Execute(commands);
    return script;
  }

  // Answers questions until there are none.
  void Run() {
    while (!questions_.empty()) {
      const SendGetHeaders question = questions_.front();
      questions_.erase(questions_.begin());
      ChainPeer& script = scripts_.at(question.peer);
      if (script.is_sent_away) continue;
      ++script.questions;
      if (script.before_answer) script.before_answer(script);
      Give(question.peer, Answer(*script.chain, question.locator));
    }
  }

  void Give(PeerId id, std::vector<BlockHeader> headers) {
    std::vector<PeerCommand> commands;
    sync_->OnHeaders({id, std::move(headers)}, now_ns_, 2'000'000'000, params_, commands,
                     [this](HeaderId) { ++stored_; });
    memory_max_ = std::max(memory_max_, sync_->presync_memory_bytes());
    Execute(commands);
  }

  std::vector<BlockHeader> Answer(const std::vector<BlockHeader>& chain, const std::vector<Hash256>& locator) {
    size_t next = 0;
    for (const Hash256& known : locator) {
      const auto& places = PlacesOf(chain);
      if (const auto found = places.find(known); found != places.end()) {
        next = found->second + 1;
        break;
      }
      if (known == genesis_.Hash()) break;
    }
    const size_t end = std::min(chain.size(), next + kMaxHeadersPerMessage);
    return {chain.begin() + static_cast<ptrdiff_t>(next), chain.begin() + static_cast<ptrdiff_t>(end)};
  }

  void Execute(const std::vector<PeerCommand>& commands) {
    for (const PeerCommand& command : commands) {
      if (const auto* question = std::get_if<SendGetHeaders>(&command)) questions_.push_back(*question);
      if (const auto* away = std::get_if<Disconnect>(&command)) {
        ChainPeer& script = scripts_.at(away->peer);
        script.is_sent_away = true;
        script.is_discouraged = away->discourage;
        script.reason = away->reason;
        peers_.erase(away->peer);
        std::vector<PeerCommand> more;
        sync_->OnDisconnected(away->peer, now_ns_, more);
        Execute(more);
      }
    }
  }

  const std::map<Hash256, size_t>& PlacesOf(const std::vector<BlockHeader>& chain) {
    auto& known = places_[&chain];
    if (known.first != chain.size() || (!chain.empty() && known.second.count(chain.back().Hash()) == 0)) {
      known.second.clear();
      for (size_t i = 0; i < chain.size(); ++i) known.second[chain[i].Hash()] = i;
      known.first = chain.size();
    }
    return known.second;
  }

  // Header i of the tree is complete: the node's own tip moves.
  void Complete(HeaderId last) {
    for (HeaderId id = 1; id <= last; ++id) tree_.SetData(id, {0, 8, 100}, 1);
  }

  const ChainParams& params_ = ParamsFor(ChainId::kRegtest);
  HeaderTree tree_;
  const BlockHeader genesis_;
  SyncPeers peers_;
  HeaderSyncOptions options_;
  std::unique_ptr<HeaderSync> sync_;
  std::map<PeerId, ChainPeer> scripts_;
  std::map<const void*, std::pair<size_t, std::map<Hash256, size_t>>> places_;
  std::vector<SendGetHeaders> questions_;
  int64_t now_ns_ = kOneSecondNs;
  size_t stored_ = 0;
  size_t memory_max_ = 0;
};

constexpr size_t kBitsBytesMax = 100'000;  // of commitments, for the clock of these tests; vectors grow by doubling
constexpr size_t kMemoryMax =
    (HeaderPresync::kBufferHeaders + kMaxHeadersPerMessage) * BlockHeader::kSerializedBytes + 2 * kBitsBytesMax;

TEST_F(HeaderPresyncTest, AnHonestChainIsSeenTwiceAndStoredWhole) {
  Start(kNeededBlocks);
  const ChainPeer& peer = Connect(1, &Long());
  Run();
  EXPECT_FALSE(peer.is_sent_away) << peer.reason;
  EXPECT_EQ(tree_.height(tree_.best_header()), Long().size());
  EXPECT_EQ(tree_.hash(tree_.best_header()), Long().back().Hash());
  EXPECT_EQ(stored_, Long().size());
  // Ten messages of commitments, ten of the same headers, then what stands above: 2,000, 2,000 and 700.
  EXPECT_EQ(peer.questions, 10u + 10u + 3u);
  EXPECT_GT(memory_max_, size_t{500'000});
  EXPECT_LE(memory_max_, kMemoryMax);
  EXPECT_EQ(sync_->presync_memory_bytes(), 0u);
}

TEST_F(HeaderPresyncTest, ALongChainWithTooLittleWorkLeavesNothing) {
  Start(Long().size() + 1);
  const ChainPeer& peer = Connect(1, &Long());
  Run();
  EXPECT_FALSE(peer.is_sent_away) << "it may know no better";
  EXPECT_EQ(stored_, 0u);
  EXPECT_EQ(tree_.size(), 1u);
  EXPECT_LE(memory_max_, 2 * kBitsBytesMax);
  EXPECT_EQ(sync_->presync_memory_bytes(), 0u);
  EXPECT_EQ(peer.questions, 13u);
}

TEST_F(HeaderPresyncTest, AShortChainWithTooLittleWorkLeavesNothing) {
  Start(kNeededBlocks);
  const std::vector<BlockHeader> chain = First(1'999);
  const ChainPeer& peer = Connect(1, &chain);
  Run();
  EXPECT_EQ(tree_.size(), 1u);
  EXPECT_EQ(peer.questions, 1u);
}

class NeededWork : public HeaderPresyncTest, public ::testing::WithParamInterface<uint32_t> {};

TEST_P(NeededWork, ExactlyAsMuchIsEnough) {
  Start(GetParam());
  const std::vector<BlockHeader> short_by_one = First(GetParam() - 1);
  Connect(1, &short_by_one);
  Run();
  EXPECT_EQ(tree_.size(), 1u);
  const std::vector<BlockHeader> enough = First(GetParam());
  Connect(2, &enough);
  Run();
  EXPECT_EQ(tree_.size(), GetParam() + 1);
}

INSTANTIATE_TEST_SUITE_P(AroundAMessage, NeededWork, ::testing::Values(1'999, 2'000, 2'001, 4'000));

// Between the two looks the peer takes another chain: at the start, in the middle, in one header near the end.
TEST_F(HeaderPresyncTest, AChainThatIsAnotherTheSecondTimeIsNotStored) {
  for (const size_t kept : {size_t{0}, size_t{3'000}, size_t{6'000}}) {
    SCOPED_TRACE(kept);
    Start(kNeededBlocks);
    std::vector<BlockHeader> other = First(kept);
    for (const BlockHeader& header :
         MineHeaders(kept == 0 ? genesis_ : other.back(), 21'000 - kept, 77 + static_cast<uint32_t>(kept))) {
      other.push_back(header);
    }
    const PeerId id = 10 + kept;
    ChainPeer& peer = Connect(id, &Long());
    peer.before_answer = [&other](ChainPeer& script) {
      if (script.questions == 11) script.chain = &other;
    };
    Run();
    EXPECT_TRUE(peer.is_sent_away);
    EXPECT_FALSE(peer.is_discouraged) << "it may have followed a reorganisation";
    EXPECT_TRUE(peer.reason.ends_with(": other headers than before")) << peer.reason;
    // What is released before the change is noticed lies kBufferHeaders below it.
    EXPECT_EQ(tree_.size(), 1u);
    EXPECT_EQ(sync_->presync_memory_bytes(), 0u);
  }
}

TEST_F(HeaderPresyncTest, FewerHeadersTheSecondTimeEndTheConnection) {
  Start(kNeededBlocks);
  const std::vector<BlockHeader> fewer = First(19'000);
  ChainPeer& peer = Connect(1, &Long());
  peer.before_answer = [&fewer](ChainPeer& script) {
    if (script.questions == 11) script.chain = &fewer;
  };
  Run();
  EXPECT_TRUE(peer.is_sent_away);
  EXPECT_TRUE(peer.reason.ends_with(": fewer headers than before")) << peer.reason;
}

TEST_F(HeaderPresyncTest, HeadersThatBreakARuleEndItAtOnceAndAreHeldAgainstThePeer) {
  for (const size_t at : {size_t{5}, size_t{2'500}}) {
    for (const bool is_gap : {false, true}) {
      SCOPED_TRACE(::testing::Message() << at << is_gap);
      Start(kNeededBlocks);
      std::vector<BlockHeader> chain = First(6'000);
      if (is_gap) {
        chain.erase(chain.begin() + static_cast<ptrdiff_t>(at));
      } else {
        while (CheckProofOfWork(chain[at].Hash(), chain[at].bits, params_)) ++chain[at].nonce;
      }
      const PeerId id = at * 2 + (is_gap ? 1 : 0);
      ChainPeer& peer = Connect(id, &chain);
      // A forger names the next header's parent as is fit.
      Run();
      EXPECT_TRUE(peer.is_sent_away);
      EXPECT_TRUE(peer.is_discouraged);
      EXPECT_EQ(tree_.size(), 1u);
    }
  }
}

TEST_F(HeaderPresyncTest, WorkThatIsClaimedAndNotDoneDoesNotCount) {
  Start(kNeededBlocks);
  std::vector<BlockHeader> chain = First(1'000);
  chain.back().bits = 0x1d00ffff;
  const ChainPeer& peer = Connect(1, &chain);
  Run();
  EXPECT_TRUE(peer.is_sent_away);
  EXPECT_TRUE(peer.is_discouraged);
  EXPECT_EQ(tree_.size(), 1u);
}

TEST_F(HeaderPresyncTest, AnnouncementsMeanwhileDisturbNothing) {
  Start(kNeededBlocks);
  ChainPeer& peer = Connect(1, &Long());
  peer.before_answer = [this](ChainPeer& script) {
    if (script.questions % 5 == 3) Give(1, {Long()[23'999 + script.questions]});
  };
  Run();
  EXPECT_FALSE(peer.is_sent_away) << peer.reason;
  EXPECT_EQ(tree_.height(tree_.best_header()), Long().size());
}

TEST_F(HeaderPresyncTest, BranchesFarBelowTheTipAreForgottenAndOthersAreNot) {
  Start(0);
  const std::vector<BlockHeader> chain = First(1'000);
  Connect(1, &chain);
  Run();
  ASSERT_EQ(tree_.size(), 1'001u);
  Complete(1'000);
  // 144 blocks' worth below the tip is the least that is remembered.
  for (const size_t length : {size_t{855}, size_t{856}}) {
    const std::vector<BlockHeader> branch = MineHeaders(genesis_, length, static_cast<uint32_t>(900 + length));
    const PeerId id = 2 + length;
    ChainPeer& peer = Connect(id, &branch);
    Run();
    EXPECT_FALSE(peer.is_sent_away);
    EXPECT_EQ(tree_.Find(branch.back().Hash()) != kNoHeader, length == 856) << length;
  }
}

TEST_F(HeaderPresyncTest, OnlySoManyChainsAreSeenTwiceAtATime) {
  Start(Long().size() + 1);
  std::vector<std::vector<BlockHeader>> chains;
  for (uint32_t i = 0; i < HeaderSync::kPresyncPeersMax + 4; ++i)
    chains.push_back(MineHeaders(genesis_, 2'000, 300 + i));
  for (uint32_t i = 0; i < chains.size(); ++i) {
    Connect(i + 1, &chains[i]);
    // Asked by themselves, as if all others were slow.
    peers_.at(i + 1).headers_requested = true;
    Give(i + 1, chains[i]);
  }
  // Each of the first eight was asked to go on.
  EXPECT_EQ(std::count_if(questions_.begin(), questions_.end(),
                          [&](const SendGetHeaders& question) { return question.locator.front() != genesis_.Hash(); }),
            static_cast<ptrdiff_t>(HeaderSync::kPresyncPeersMax));
  EXPECT_LE(sync_->presync_memory_bytes(), HeaderSync::kPresyncPeersMax * kMemoryMax);
  // One that nobody asked is not looked at twice at all.
  const size_t before = questions_.size();
  peers_.at(12).headers_requested = false;
  Give(12, chains[11]);
  EXPECT_EQ(questions_.size(), before);
  EXPECT_EQ(tree_.size(), 1u);
}

// Chance decides the chain, the work that is needed, and what the peer does wrong at which question; an honest one is
// always there too. What is stored is the honest chain and nothing else.
TEST_F(HeaderPresyncTest, WhateverOthersDoTheHonestChainAndNothingElseIsStored) {
  for (uint32_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    HeaderTree tree(genesis_);
    SyncPeers peers;
    const uint32_t needed = 2'000 + random() % 20'000;
    options_.minimum_chain_work = WorkFromBits(genesis_.bits) * Uint256(needed + 1);
    options_.salt = {random(), random()};
    HeaderSync sync(tree, peers, options_);
    std::map<PeerId, std::vector<BlockHeader>> chains;
    for (PeerId id = 1; id <= 3; ++id) {
      const size_t kept = random() % 1'500;
      chains[id] = First(kept);
      const std::vector<BlockHeader> own =
          MineHeaders(kept == 0 ? genesis_ : chains[id].back(), 1 + random() % 6'000, seed * 10 + id);
      chains[id].insert(chains[id].end(), own.begin(), own.end());
      if (chains[id].size() >= needed) chains[id].resize(needed - 1);
    }
    chains[4] = Long();
    std::vector<PeerCommand> commands;
    for (const auto& [id, chain] : chains) {
      peers[id].info.id = id;
      peers[id].info.services = kNodeNetwork | kNodeWitness;
      sync.OnConnected(id, now_ns_, commands);
    }
    size_t memory = 0;
    int64_t now_ns = now_ns_;
    for (int step = 0; step < 400; ++step) {
      std::vector<PeerCommand> next;
      for (const PeerCommand& command : commands) {
        if (const auto* away = std::get_if<Disconnect>(&command)) {
          EXPECT_NE(away->peer, 4u) << away->reason;
          peers.erase(away->peer);
          sync.OnDisconnected(away->peer, now_ns, next);
          continue;
        }
        const auto* question = std::get_if<SendGetHeaders>(&command);
        if (question == nullptr || !peers.contains(question->peer)) continue;
        std::vector<BlockHeader> answer = Answer(chains[question->peer], question->locator);
        if (question->peer != 4) {
          switch (random() % 8) {
            case 0:
              answer.resize(answer.size() / 2);
              break;
            case 1:
              answer = Answer(chains[1 + random() % 4], question->locator);
              break;
            case 2:
              continue;  // it says nothing
            case 3:
              if (!answer.empty()) ++answer[random() % answer.size()].nonce;
              break;
            default:
              break;
          }
        }
        sync.OnHeaders({question->peer, std::move(answer)}, now_ns, 2'000'000'000, params_, next, [](HeaderId) {});
        memory = std::max(memory, sync.presync_memory_bytes());
      }
      commands = std::move(next);
      now_ns += kOneSecondNs;
      sync.Tick(now_ns, commands);
    }
    EXPECT_EQ(tree.hash(tree.best_header()), Long().back().Hash());
    EXPECT_EQ(tree.size(), Long().size() + 1);
    EXPECT_LE(memory, 4 * kMemoryMax);
  }
}

}  // namespace
}  // namespace headrace
