// Answers to getblocktxn: the same as from a block that is decoded for each of them, and what is kept of blocks
// instead.
#include "engine/sync/compact_serving.h"

#include <random>

#include "engine/consensus/chain_params.h"
#include "engine/primitives/decode.h"
#include "engine/sync/peer_fault.h"
#include "gtest/gtest.h"
#include "tests/engine/sync/serving_ports.h"
#include "tests/sim/sim_entropy.h"
#include "tests/support/chain_builder.h"

namespace headrace {
namespace {

using testing::ChainBuilder;
using testing::MemoryBlockStore;
using testing::QueuedGateway;
using testing::TestBlock;
using testing::TestTransaction;

class CompactServingTest : public ::testing::Test {
 protected:
  static constexpr PeerId kPeer = 7;

  CompactServingTest() : tree_(BlockHeader::Load(GenesisBlock(ParamsFor(ChainId::kRegtest)).data())), chain_(tree_) {
    peers_[kPeer].info.id = kPeer;
  }

  // The builder's chain is the active one.
  void Follow(const ChainBuilder& builder) {
    HeaderId id = kGenesisId;
    for (const auto& block : builder.blocks()) {
      id = tree_.Find(block->hash);
      if (id != kNoHeader) continue;
      id = tree_.Add(block->header, block->hash, tree_.Find(block->header.previous));
      tree_.SetData(id, store_.Keep({block->raw->bytes().begin(), block->raw->bytes().end()}), 1);
    }
    chain_.SetTip(id);
  }
  absl::StatusOr<std::vector<PeerCommand>> Ask(const Hash256& block, std::vector<uint32_t> indexes) {
    serving_.OnGetBlockTransactions({kPeer, {block, std::move(indexes)}});
    std::vector<PeerCommand> commands;
    const absl::StatusOr<bool> any = serving_.Step(gateway_, commands);
    if (!any.ok()) return any.status();
    return commands;
  }
  // The naive twin: the block decoded once more, for this answer alone.
  BlockTransactions PlainAnswer(HeaderId id, const std::vector<uint32_t>& indexes) {
    const SharedBytes raw = *store_.Map(tree_.data(id));
    BlockColumns columns;
    EXPECT_EQ(DecodeBlock(raw.bytes, columns), DecodeError::kNone);
    BlockTransactions answer{tree_.hash(id), {}};
    for (const uint32_t index : indexes) {
      const ByteSpan bytes = columns.transaction(index).serialized();
      answer.transactions.emplace_back(bytes.begin(), bytes.end());
    }
    return answer;
  }

  HeaderTree tree_;
  ActiveChain chain_;
  MemoryBlockStore store_;
  SyncPeers peers_;
  QueuedGateway gateway_;
  sim::SimEntropy entropy_{1};
  CompactServing serving_{tree_, chain_, store_, entropy_, peers_};
};

TEST_F(CompactServingTest, AnswersEqualThoseOfBlocksThatAreDecodedForEach) {
  std::mt19937 chance(3);
  ChainBuilder builder;
  uint32_t answered = 0, beyond = 0, whole = 0;
  for (uint32_t step = 0; step < 1'500; ++step) {
    if (builder.height() < 20 || chance() % 8 == 0) {
      // Now and then some blocks give way to others.
      if (builder.height() > 20 && chance() % 4 == 0) builder.TruncateTo(builder.height() - 1 - chance() % 4);
      std::vector<TestTransaction> transactions;
      const uint32_t count = builder.height() < 20 ? 0 : chance() % 6;
      for (uint32_t h = 1; h <= builder.height() && transactions.size() < count; ++h) {
        if (!builder.coins().contains(builder.CoinbaseOf(h))) continue;
        transactions.push_back(builder.Spend({builder.CoinbaseOf(h)}, 1 + chance() % 5));
      }
      builder.Add(transactions, 1'000, step);
      Follow(builder);
      continue;
    }
    const uint32_t depth = chance() % 13;
    const TestBlock& block = *builder.blocks()[builder.height() - 1 - depth];
    std::vector<uint32_t> indexes;
    for (uint32_t t = 0; t < block.transactions.size(); ++t) {
      if (chance() % 2 == 0) indexes.push_back(t);
    }
    const bool is_beyond = chance() % 8 == 0;
    if (is_beyond)
      indexes.push_back(static_cast<uint32_t>(block.transactions.size() + (chance() % 2 == 0 ? 0 : chance() % 70'000)));
    if (chance() % 4 == 0) {
      ASSERT_TRUE(serving_.CompactOf(chain_.tip()).ok());
    }
    const auto commands = Ask(block.hash, indexes);
    ASSERT_TRUE(commands.ok()) << commands.status();
    ASSERT_LE(serving_.decoded_count(), CompactServing::kTransactionsDepthMax + 1);
    if (depth > CompactServing::kTransactionsDepthMax) {
      ASSERT_TRUE(commands->empty());
      ASSERT_EQ(peers_[kPeer].wanted.Pop().id, tree_.Find(block.hash));
      ++whole;
      continue;
    }
    ASSERT_EQ(commands->size(), 1u);
    if (is_beyond) {
      ASSERT_EQ(std::get<Disconnect>((*commands)[0]).reason, RowOf(PeerFault::kTransactionBeyondBlock).sentence);
      ++beyond;
      continue;
    }
    ASSERT_EQ(std::get<SendBlockTransactions>((*commands)[0]).answer, PlainAnswer(tree_.Find(block.hash), indexes));
    ++answered;
  }
  EXPECT_GT(answered, 500u);
  EXPECT_GT(beyond, 50u);
  EXPECT_GT(whole, 50u);
  EXPECT_EQ(serving_.decoded_count(), CompactServing::kTransactionsDepthMax + 1);
}

TEST_F(CompactServingTest, ABlockIsLookedAtOnceAndOneThatIsDamagedIsNotSent) {
  ChainBuilder builder;
  builder.Add({}, 1'000, 1);
  builder.Add({}, 1'000, 2);
  Follow(builder);
  const Hash256& tip = builder.blocks()[1]->hash;
  ASSERT_EQ(Ask(tip, {0})->size(), 1u);
  for (const auto& block : builder.blocks()) store_.BytesAt(tree_.data(tree_.Find(block->hash)))[0] ^= 1;
  // The first has lost a bit of its header since; its transactions are known to be where they are.
  const auto again = Ask(tip, {0});
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(std::get<SendBlockTransactions>((*again)[0]).answer.transactions[0],
            builder.blocks()[1]->transactions[0].Serialize());
  EXPECT_EQ(Ask(builder.blocks()[0]->hash, {0}).status().code(), absl::StatusCode::kDataLoss);
}

// A bit of a transaction, which its header does not show.
TEST_F(CompactServingTest, ATransactionThatIsDamagedIsNotSent) {
  ChainBuilder builder;
  builder.Add({}, 1'000, 1);
  Follow(builder);
  std::vector<uint8_t>& bytes = store_.BytesAt(tree_.data(chain_.tip()));
  bytes[bytes.size() - 1] ^= 1;
  EXPECT_EQ(Ask(tree_.hash(chain_.tip()), {0}).status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace headrace
