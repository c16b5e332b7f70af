// One compact block becomes a block, or says what it lacks; and the pool of recent transactions that it is made from.
#include "engine/sync/compact_reconstruction.h"

#include <algorithm>

#include "engine/base/check.h"
#include "engine/sync/recent_transactions.h"
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

class CompactReconstructionTest : public ::testing::Test {
 protected:
  CompactReconstructionTest() {
    for (int i = 0; i < 6; ++i) chain_.Add();
    std::vector<TestTransaction> transactions;
    for (uint32_t height = 1; height <= 5; ++height)
      transactions.push_back(chain_.Spend({chain_.CoinbaseOf(height)}, height));
    block_ = chain_.Add(transactions);
  }

  CompactReconstruction Begin(const CompactBlock& block) {
    return {std::make_shared<const CompactBlock>(block), known_};
  }
  static std::vector<uint8_t> BytesOf(const SlabRef& slab) { return {slab->bytes().begin(), slab->bytes().end()}; }
  std::shared_ptr<const BlockTransactions> Answer(const std::vector<uint32_t>& indexes) {
    return std::make_shared<const BlockTransactions>(AnswerTo({block_.hash, indexes}, block_));
  }

  ChainBuilder chain_;
  TestBlock block_;
  KnownTransactions known_;
};

TEST_F(CompactReconstructionTest, IsTheBlockWhenEverythingIsKnown) {
  for (size_t t = block_.transactions.size() - 1; t > 0; --t) known_.Add(block_.transactions[t]);
  known_.Add(chain_.Spend({chain_.CoinbaseOf(6)}, 1));  // of another block
  const CompactReconstruction rebuilt = Begin(CompactOf(block_));
  EXPECT_FALSE(rebuilt.is_ambiguous());
  ASSERT_TRUE(rebuilt.missing().empty());
  EXPECT_EQ(BytesOf(rebuilt.Assemble()), BytesOf(block_.raw));
}

TEST_F(CompactReconstructionTest, SaysWhatIsMissingAndTakesIt) {
  known_.Add(block_.transactions[2]);
  known_.Add(block_.transactions[4]);
  CompactReconstruction rebuilt = Begin(CompactOf(block_));
  ASSERT_EQ(rebuilt.missing(), (std::vector<uint32_t>{1, 3, 5}));
  ASSERT_TRUE(rebuilt.Fill(Answer({1, 3, 5})));
  // What was found stays, whatever becomes of the pool.
  known_.Clear();
  EXPECT_EQ(BytesOf(rebuilt.Assemble()), BytesOf(block_.raw));
}

TEST_F(CompactReconstructionTest, TransactionsThatAreSentWholeKeepTheirPlaces) {
  CompactBlock compact = CompactOf(block_);
  compact.short_ids.erase(compact.short_ids.begin() + 2);
  compact.prefilled.push_back({3, block_.transactions[3].Serialize()});
  CompactReconstruction rebuilt = Begin(compact);
  ASSERT_EQ(rebuilt.missing(), (std::vector<uint32_t>{1, 2, 4, 5}));
  ASSERT_TRUE(rebuilt.Fill(Answer({1, 2, 4, 5})));
  EXPECT_EQ(BytesOf(rebuilt.Assemble()), BytesOf(block_.raw));
}

TEST_F(CompactReconstructionTest, RefusesAnswersOfOtherTransactions) {
  CompactReconstruction rebuilt = Begin(CompactOf(block_));
  EXPECT_FALSE(rebuilt.Fill(Answer({1, 2, 3, 4})));
  EXPECT_FALSE(rebuilt.Fill(Answer({1, 2, 3, 4, 5, 5})));
  EXPECT_FALSE(rebuilt.Fill(Answer({1, 2, 3, 5, 4})));
  BlockTransactions cut = *Answer({1, 2, 3, 4, 5});
  cut.transactions[3].pop_back();
  EXPECT_FALSE(rebuilt.Fill(std::make_shared<const BlockTransactions>(cut)));
  // Nothing of all that was taken.
  EXPECT_EQ(rebuilt.missing().size(), 5u);
  ASSERT_TRUE(rebuilt.Fill(Answer({1, 2, 3, 4, 5})));
  EXPECT_EQ(BytesOf(rebuilt.Assemble()), BytesOf(block_.raw));
}

TEST_F(CompactReconstructionTest, TwoPlacesWithOneShortIdAreAmbiguous) {
  CompactBlock compact = CompactOf(block_);
  compact.short_ids[4] = compact.short_ids[1];
  EXPECT_TRUE(Begin(compact).is_ambiguous());
}

TEST_F(CompactReconstructionTest, OfTwoKnownTransactionsWithOneShortIdNoneIsTaken) {
  known_.Add(block_.transactions[1]);
  known_.Add(block_.transactions[2]);
  known_.Add(block_.transactions[2].Txid(), block_.transactions[3].Serialize());
  EXPECT_EQ(Begin(CompactOf(block_)).missing(), (std::vector<uint32_t>{2, 3, 4, 5}));
  // And not a third one either.
  known_.Add(block_.transactions[2].Txid(), block_.transactions[4].Serialize());
  EXPECT_EQ(Begin(CompactOf(block_)).missing(), (std::vector<uint32_t>{2, 3, 4, 5}));
}

TEST_F(CompactReconstructionTest, RecentTransactionsAreThoseOfBlocksButTheCoinbase) {
  BlockColumns columns;
  ASSERT_EQ(DecodeBlock(block_.raw->bytes(), columns), DecodeError::kNone);
  HashTransactions(columns);
  RecentTransactions recent;
  recent.AddBlock(columns);
  recent.AddBlock(columns);  // once more changes nothing
  EXPECT_EQ(recent.transaction_count(), 5u);
  const CompactReconstruction rebuilt(std::make_shared<const CompactBlock>(CompactOf(block_)), recent);
  ASSERT_TRUE(rebuilt.missing().empty());
  EXPECT_EQ(BytesOf(rebuilt.Assemble()), BytesOf(block_.raw));
}

TEST_F(CompactReconstructionTest, RecentTransactionsAreBoundedAndTheOldestGo) {
  BlockColumns columns;
  ASSERT_EQ(DecodeBlock(block_.raw->bytes(), columns), DecodeError::kNone);
  HashTransactions(columns);
  uint64_t last_three = 0;
  for (uint32_t t = 3; t <= 5; ++t)
    last_three += columns.transaction(t).total_size() + RecentTransactions::kOverheadBytes;
  for (const uint64_t less : {0u, 1u}) {
    RecentTransactions recent(last_three - less);
    recent.AddBlock(columns);
    std::vector<Hash256> kept;
    recent.ForEachTransaction([&](const Hash256& wtxid, const SharedBytes&) { kept.push_back(wtxid); });
    const std::vector<Hash256> expected(columns.wtxid.begin() + 3 + static_cast<ptrdiff_t>(less), columns.wtxid.end());
    EXPECT_EQ(kept, expected);
    EXPECT_LE(recent.bytes(), last_three - less);
    // Those that went may come again, and then others go.
    recent.AddBlock(columns);
    EXPECT_LE(recent.bytes(), last_three - less);
    EXPECT_GT(recent.transaction_count(), 0u);
  }
}

}  // namespace
}  // namespace headrace
