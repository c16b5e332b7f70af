// Every row of the engine's table of faults: a peer does it to a whole node, and what follows is what the table says. A
// row without a case fails.
#include "engine/sync/peer_fault.h"

#include <map>

#include "engine/base/limits.h"
#include "engine/consensus/difficulty.h"
#include "engine/primitives/targets.h"
#include "tests/engine/node/node_fixture.h"
#include "tests/support/captured_log.h"

namespace headrace {
namespace {

using testing::CapturedLog;
using testing::ChainBuilder;
using testing::NodeFixture;
using testing::ScriptedPeer;
using testing::TestNode;

class PeerFaultsTest : public NodeFixture, public ::testing::WithParamInterface<int> {
 public:
  static constexpr PeerId kCulprit = 1;

  PeerFaultsTest() {
    // Compact blocks are for the tip: some hours after the chain's.
    if (static_cast<PeerFault>(GetParam()) == PeerFault::kOtherTransactions) {
      options_.now_s = chain_.blocks().back()->header.time_s + 3600;
    }
  }

  // Each ends when the fault was made; what follows may still be under way.
  void CommitInvalidHeader(TestNode& node) {
    peers_.Connect(kCulprit, nullptr);
    BlockHeader header = chain_.blocks()[0]->header;
    while (CheckProofOfWork(header.Hash(), header.bits, ParamsFor(ChainId::kRegtest))) ++header.nonce;
    peers_.Say(HeadersReceived{kCulprit, {header}});
    detail_ = "high-hash";
    node.RunUntilQuiet();
  }
  void CommitHeaderOfTheFuture(TestNode& node) {
    peers_.Connect(kCulprit, nullptr);
    BlockHeader header = chain_.blocks()[0]->header;
    header.time_s = static_cast<uint32_t>(options_.now_s + 2 * 3600 + 1);
    while (!CheckProofOfWork(header.Hash(), header.bits, ParamsFor(ChainId::kRegtest))) ++header.nonce;
    peers_.Say(HeadersReceived{kCulprit, {header}});
    detail_ = "time-too-new";
    node.RunUntilQuiet();
  }
  // What a chain without enough work is made of; far more are wanted than a message holds.
  std::vector<BlockHeader> CheapHeaders(size_t count) {
    const ChainParams& params = ParamsFor(ChainId::kRegtest);
    std::vector<BlockHeader> headers;
    BlockHeader header = chain_.blocks()[0]->header;
    for (; headers.size() < count; header.previous = header.Hash(), header.time_s += 60) {
      while (!CheckProofOfWork(header.Hash(), header.bits, params)) ++header.nonce;
      headers.push_back(header);
    }
    return headers;
  }
  void CommitUnlinkedHeaders(TestNode& node) {
    const ScriptedPeer& peer = peers_.Connect(kCulprit, nullptr);
    node.RunUntil([&] { return peer.headers_asked == 1; });
    const std::vector<BlockHeader> headers = CheapHeaders(3);
    peers_.Say(HeadersReceived{kCulprit, {headers[0], headers[2]}});
    node.RunUntilQuiet();
  }
  void CommitUnprovenChainBreach(TestNode& node) {
    const ScriptedPeer& peer = peers_.Connect(kCulprit, nullptr);
    node.RunUntil([&] { return peer.headers_asked == 1; });
    const std::vector<BlockHeader> headers = CheapHeaders(kMaxHeadersPerMessage + 3);
    const auto second = headers.begin() + kMaxHeadersPerMessage;
    peers_.Say(HeadersReceived{kCulprit, {headers.begin(), second}});
    node.RunUntil([&] { return peer.headers_asked == 2; });
    EXPECT_FALSE(peer.is_disconnected);
    detail_ = "headers that do not follow one another";
    peers_.Say(HeadersReceived{kCulprit, {second[0], second[2]}});
    node.RunUntilQuiet();
  }
  // It proves enough work, and then shows less than before.
  void CommitUnprovenChainChange(TestNode& node) {
    const ScriptedPeer& peer = peers_.Connect(kCulprit, nullptr);
    node.RunUntil([&] { return peer.headers_asked == 1; });
    const std::vector<BlockHeader> headers = CheapHeaders(2 * kMaxHeadersPerMessage);
    const auto second = headers.begin() + kMaxHeadersPerMessage;
    peers_.Say(HeadersReceived{kCulprit, {headers.begin(), second}});
    node.RunUntil([&] { return peer.headers_asked == 2; });
    peers_.Say(HeadersReceived{kCulprit, {second, headers.end()}});
    node.RunUntil([&] { return peer.headers_asked == 3; });
    EXPECT_FALSE(peer.is_disconnected);
    detail_ = "fewer headers than before";
    peers_.Say(HeadersReceived{kCulprit, {headers.begin(), headers.begin() + 1}});
    node.RunUntilQuiet();
  }
  void CommitUnconnectingHeaders(TestNode& node) {
    const ScriptedPeer& peer = peers_.Connect(kCulprit, nullptr);
    for (uint32_t i = 0; i <= HeaderSync::kUnconnectingHeadersMax; ++i) {
      EXPECT_FALSE(peer.is_disconnected) << i;
      peers_.Say(HeadersReceived{kCulprit, {chain_.blocks()[50]->header}});
      node.RunUntilQuiet();
    }
  }
  // By inventory: each block that it announces stands on nothing.
  void CommitUnconnectingBlocks(TestNode& node) {
    ScriptedPeer& peer = peers_.Connect(kCulprit, nullptr);
    const auto& block = chain_.blocks()[50];
    peer.loose_blocks[block->hash] = block->raw;
    for (uint32_t i = 0; i <= InventorySync::kUnconnectingBlocksMax; ++i) {
      EXPECT_FALSE(peer.is_disconnected) << i;
      peers_.Say(InventoryReceived{kCulprit, {{kInvBlock, block->hash}}});
      node.RunUntilQuiet();
    }
  }
  void CommitHeadersTimeout(TestNode& node) {
    const ScriptedPeer& peer = peers_.Connect(kCulprit, nullptr);
    node.RunUntil([&] { return peer.headers_asked == 1; });
    PassAlmostAll(node, HeaderSync::kHeadersTimeoutNs);
    EXPECT_FALSE(peer.is_disconnected);
    node.PassTime(3);
  }
  void CommitDownloadStall(TestNode& node) {
    ScriptedPeer& peer = peers_.Connect(kCulprit, &chain_);
    peer.answer = [](const auto&) { return SlabRef(); };
    node.RunUntil([&] { return !peer.blocks_asked.empty(); });
    peers_.Connect(2, &chain_);
    node.RunUntil([&] { return peers_.peer(2).headers_asked != 0; });
    node.PassTime(3);
  }
  void CommitBlocksLacking(TestNode& node) {
    ScriptedPeer& peer = peers_.Connect(kCulprit, &chain_);
    // A line that has shown to be fast is asked for as many as it may be.
    Sync(node);
    peer.has_lost_its_blocks = true;
    for (size_t i = 0; i <= BlockDownload::kLackingBlocksMax; ++i) chain_.Add();
    peers_.Say(HeadersReceived{kCulprit, {chain_.blocks().back()->header}});
    const size_t asked_before = peer.blocks_asked.size();
    node.RunUntil([&] { return peer.blocks_asked.size() > asked_before + BlockDownload::kLackingBlocksMax; });
  }
  void CommitBlockTimeout(TestNode& node) {
    ScriptedPeer& peer = peers_.Connect(kCulprit, &chain_);
    peer.answer = [](const auto&) { return SlabRef(); };
    node.RunUntil([&] { return !peer.blocks_asked.empty(); });
    PassAlmostAll(node, BlockDownload::kBlockTimeoutNs);
    EXPECT_FALSE(peer.is_disconnected);
    node.PassTime(3);
  }
  void CommitInvalidBlock(TestNode& node) {
    chain_.Add({}, 51 * kCoin);
    const ScriptedPeer& peer = peers_.Connect(kCulprit, &chain_);
    detail_ = "bad-cb-amount";
    node.RunUntil([&] { return peer.is_disconnected; });
  }
  void CommitUnaskedBlock(TestNode& node) {
    peers_.Connect(kCulprit, &chain_);
    Sync(node);
    const auto& block = chain_.blocks()[3];
    peers_.Say(BlockReceived{kCulprit, block->hash, block->raw});
    node.RunUntilQuiet();
  }

  void AskForHistory(TestNode& node) {
    peers_.Connect(kCulprit, &chain_);
    Sync(node);
    peers_.may_send_history = false;
    // The chain's blocks are ten minutes apart or more: its first is history once the last is a week away.
    for (int i = 0; i < 7 * 144 + 1; ++i) chain_.Add();
    peers_.Say(HeadersReceived{kCulprit, {chain_.blocks().back()->header}});
    Sync(node);
    peers_.Say(GetDataReceived{kCulprit, {{kInvWitnessBlock, chain_.blocks().front()->hash}}});
    node.RunUntil([&] { return peers_.peer(kCulprit).is_disconnected; });
  }
  void SendOtherTransactions(TestNode& node) {
    ScriptedPeer& peer = peers_.Connect(kCulprit, &chain_);
    peer.keeps_transactions = true;
    Sync(node);
    node.RunUntil([&] { return !node.Status().is_initial_block_download; });
    peers_.Say(SendCompactReceived{kCulprit, false});
    peers_.Say(HeadersReceived{kCulprit, {chain_.Add().header}});
    Sync(node);
    node.RunUntilQuiet();
    const Hash256 named = chain_.Add({chain_.Spend({chain_.CoinbaseOf(10)}, 1)}).hash;
    peers_.SayCompact(kCulprit, *chain_.blocks().back());
    node.RunUntil([&] { return !peer.transactions_asked.empty(); });
    const BlockTransactions none{named, {}};
    peers_.Say(BlockTransactionsReceived{kCulprit, std::make_shared<const BlockTransactions>(none)});
    node.RunUntil([&] { return peer.is_disconnected; });
  }
  void AskForTransactionBeyondBlock(TestNode& node) {
    const ScriptedPeer& peer = peers_.Connect(kCulprit, &chain_);
    Sync(node);
    const auto& block = *chain_.blocks().back();
    const auto end = static_cast<uint32_t>(block.transactions.size());
    peers_.Say(GetBlockTransactionsReceived{kCulprit, {block.hash, {end}}});
    node.RunUntil([&] { return peer.is_disconnected; });
  }

 protected:
  // All but about two seconds of it.
  static void PassAlmostAll(TestNode& node, int64_t duration_ns) {
    node.PassTime(duration_ns / 1'000'000'000 - 2);
    node.RunUntilNothingMoves();
  }

  std::string detail_;  // what the log says behind the sentence
};

// Sees what follows within some turns.
void TurnALittle(TestNode& node) {
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(node.Turn().ok());
}

TEST_P(PeerFaultsTest, IsAnsweredAsTheTableSays) {
  using enum PeerFault;
  const std::map<PeerFault, void (PeerFaultsTest::*)(TestNode&)> cases = {
      {kInvalidHeader, &PeerFaultsTest::CommitInvalidHeader},
      {kHeaderOfTheFuture, &PeerFaultsTest::CommitHeaderOfTheFuture},
      {kUnlinkedHeaders, &PeerFaultsTest::CommitUnlinkedHeaders},
      {kUnprovenChainBroken, &PeerFaultsTest::CommitUnprovenChainBreach},
      {kUnprovenChainChanged, &PeerFaultsTest::CommitUnprovenChainChange},
      {kUnconnectingHeaders, &PeerFaultsTest::CommitUnconnectingHeaders},
      {kUnconnectingBlocks, &PeerFaultsTest::CommitUnconnectingBlocks},
      {kHeadersTimeout, &PeerFaultsTest::CommitHeadersTimeout},
      {kDownloadStalled, &PeerFaultsTest::CommitDownloadStall},
      {kBlocksLacking, &PeerFaultsTest::CommitBlocksLacking},
      {kBlockTimeout, &PeerFaultsTest::CommitBlockTimeout},
      {kInvalidBlock, &PeerFaultsTest::CommitInvalidBlock},
      {kUnaskedBlock, &PeerFaultsTest::CommitUnaskedBlock},
      {kHistoryBeyondTarget, &PeerFaultsTest::AskForHistory},
      {kOtherTransactions, &PeerFaultsTest::SendOtherTransactions},
      {kTransactionBeyondBlock, &PeerFaultsTest::AskForTransactionBeyondBlock},
  };
  const PeerFaultRow& row = RowOf(static_cast<PeerFault>(GetParam()));
  SCOPED_TRACE(row.sentence);
  const auto found = cases.find(row.fault);
  ASSERT_NE(found, cases.end()) << "no test commits this fault";
  EnableDebugCategory(LogCategory::kSync);
  CapturedLog log;
  options_.node.download.in_flight_per_peer_max = BlockDownload::kLackingBlocksMax + 1;
  options_.node.syncs_by_inventory = row.fault == kUnconnectingBlocks;
  if (row.fault == kUnlinkedHeaders || row.fault == kUnprovenChainBroken || row.fault == kUnprovenChainChanged) {
    options_.node.minimum_chain_work = WorkFromBits(chain_.blocks()[0]->header.bits) * Uint256(3'000);
  }
  TestNode node(options_);
  (this->*found->second)(node);
  TurnALittle(node);
  const ScriptedPeer& culprit = peers_.peer(kCulprit);
  EXPECT_EQ(culprit.is_disconnected, row.consequence != Consequence::kIgnore);
  EXPECT_EQ(culprit.is_discouraged, row.consequence == Consequence::kDiscourage);
  const std::string words = std::string(row.sentence) + (detail_.empty() ? "" : ": " + detail_);
  if (row.consequence == Consequence::kIgnore) {
    EXPECT_TRUE(log.Has(words));
  } else {
    EXPECT_EQ(culprit.disconnect_reason, words);
  }
}

INSTANTIATE_TEST_SUITE_P(EveryRow, PeerFaultsTest, ::testing::Range(0, static_cast<int>(PeerFault::kCount)));

}  // namespace
}  // namespace headrace
