// Which pages are asked of the disk before a window comes, and which are not.

#include <algorithm>
#include <set>

#include "gtest/gtest.h"
#include "tests/storage/coins/coin_world.h"

namespace headrace::testing {
namespace {

// A page of a segment file.
using Page = std::pair<std::string, uint64_t>;

class ColdReaderTest : public ::testing::Test {
 protected:
  // Every coin so far is in a sealed segment.
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(world_.ApplyRandom(10, 0, 1'500));
    ASSERT_NO_FATAL_FAILURE(world_.Checkpoint());
    world_.memory().HoldReads(true);
    world_.memory().SetShort(true);
  }

  CoinReadsRef Locate(const WorldBlock& block) {
    const BlockColumns* columns = &block.columns;
    CoinReadsRef reads;
    world_.store().Locate({&columns, 1}, {&reads, 1}, [this] { ++rings_; });
    return reads;
  }
  std::shared_ptr<WorldBlock> Block(size_t spends) { return world_.Finish(world_.MakeBlock(spends, 5), world_.tip()); }

  // The pages that the records of old coins which a block spends begin on.
  std::set<Page> PagesOf(const WorldBlock& block) {
    std::set<Page> pages;
    const CoinState& state = world_.store().state();
    ForEachCoinOp(block.columns, [&](CoinOp::Kind kind, const uint8_t* txid, uint32_t index, uint32_t) {
      if (kind != CoinOp::kSpend) return;
      const uint64_t hash = HashOutPoint(state.hash_key, txid, index);
      const CoinTable& table = state.shards[ShardOf(hash)].table;
      const CoinTable::Position at = table.Find(hash, [&](RecordLocation location) {
        return state.space.IsRecordOf(location, txid, index) == RecordSpace::Answer::kYes;
      });
      if (at == CoinTable::kNowhere) return;
      const Segment& segment = *state.space.segment(SegmentOf(table.LocationAt(at)));
      if (segment.kind == SegmentKind::kSealed) {
        pages.insert({segment.path, OffsetOf(table.LocationAt(at)) / kPageBytes});
      }
    });
    return pages;
  }
  std::set<Page> PagesHeld() {
    std::set<Page> pages;
    for (const FileBatchRef& batch : world_.memory().held()) {
      for (const FileOperation& read : batch->operations) {
        for (uint64_t at = 0; at < read.read_into.size(); at += kPageBytes) {
          pages.insert({read.file->path(), (read.offset + at) / kPageBytes});
        }
      }
    }
    return pages;
  }

  // So little that what is written is mapped at once.
  CoinWorld world_{31, 1 << 20};
  int rings_ = 0;
};

TEST_F(ColdReaderTest, ReadsThePagesOfWhatABlockSpends) {
  const auto block = Block(40);
  const std::set<Page> wanted = PagesOf(*block);
  ASSERT_GT(wanted.size(), 15u);
  const CoinReadsRef reads = Locate(*block);
  ASSERT_NE(reads, nullptr);
  EXPECT_FALSE(reads->done());
  const std::set<Page> asked = PagesHeld();
  EXPECT_TRUE(std::includes(asked.begin(), asked.end(), wanted.begin(), wanted.end()));
  // A record may go over its page's end, and a stranger with the same hash bits is asked about as well.
  EXPECT_LE(asked.size(), 2 * wanted.size() + 4);
  const CoinColdReads cold = world_.store().counters().cold_reads;
  EXPECT_EQ(cold.pages, asked.size());
  EXPECT_GT(cold.reads, 0u);
  EXPECT_LE(cold.reads, cold.pages);
  EXPECT_EQ(cold.in_flight_max, cold.reads) << "one block's, all at once";
  EXPECT_EQ(rings_, 0);
  world_.memory().HoldReads(false);
  while (!reads->done()) std::this_thread::yield();
  EXPECT_TRUE(reads->status().ok()) << reads->status();
}

TEST_F(ColdReaderTest, RingsOnceAReadIsDoneOrFailed) {
  const CoinReadsRef first = Locate(*Block(5));
  const CoinReadsRef second = Locate(*Block(5));
  ASSERT_EQ(world_.memory().held().size(), 2u);
  world_.memory().Fail(0);
  EXPECT_EQ(rings_, 1);
  EXPECT_TRUE(first->done());
  EXPECT_FALSE(first->status().ok());
  EXPECT_FALSE(second->done());
  // Dropped with the read still out.
}

TEST_F(ColdReaderTest, YoungCoinsAndStrangersAskNothing) {
  world_.memory().SetShort(false);
  ASSERT_NO_FATAL_FAILURE(world_.ApplyRandom(1, 0, 60));
  world_.memory().SetShort(true);
  NaiveBlock naive;
  naive.height = world_.height() + 1;
  naive.transactions.resize(2);
  naive.transactions[0] = {RandomHash(world_.random()), {{Hash256(), OutPoint::kNullIndex}}, {{1, {0x51}}}};
  naive.transactions[1] = {RandomHash(world_.random()), {}, {{1, {0x51}}}};
  // Coins of the last block, and some that do not exist.
  for (const NaiveTransaction& transaction : world_.chain().back()->naive.transactions) {
    naive.transactions[1].inputs.push_back({transaction.txid, 0});
    naive.transactions[1].inputs.push_back({RandomHash(world_.random()), 0});
  }
  const auto block = world_.Finish(naive, world_.tip());
  EXPECT_EQ(PagesOf(*block).size(), 0u);
  Locate(*block);
  // A stranger with the hash bits of an old coin is one in some hundreds.
  EXPECT_LE(PagesHeld().size(), 2u);
}

TEST_F(ColdReaderTest, AsksAboutSamplesAloneWhileNothingIsMissing) {
  world_.memory().SetShort(false);
  const auto block = Block(400);
  EXPECT_EQ(Locate(*block), nullptr);
  EXPECT_LE(world_.memory().questions(), 40u);
  // One that lacks something makes it look at every coin of the following ones.
  world_.memory().SetShort(true);
  EXPECT_NE(Locate(*block), nullptr);
  world_.memory().SetShort(false);
  uint64_t before = world_.memory().questions();
  EXPECT_EQ(Locate(*block), nullptr);
  EXPECT_GT(world_.memory().questions() - before, 60u);
  // Until many in a row lacked nothing.
  for (int i = 0; i < 256; ++i) EXPECT_EQ(Locate(*block), nullptr);
  before = world_.memory().questions();
  EXPECT_EQ(Locate(*block), nullptr);
  EXPECT_LE(world_.memory().questions() - before, 40u);
}

TEST_F(ColdReaderTest, SegmentsMayBeCompactedAwayWhileTheyAreRead) {
  const auto reads = Locate(*Block(200));
  ASSERT_NE(reads, nullptr);
  const std::vector<FileBatchRef> held = world_.memory().held();
  world_.memory().SetShort(false);
  // Compaction reads as well, so what is held must not be its reads: they are let go one by one.
  for (int i = 0; i < 12; ++i) ASSERT_NO_FATAL_FAILURE(world_.ApplyRandom(2, 700, 1));
  for (size_t i = held.size(); i < world_.memory().held().size(); ++i) world_.memory().Release(held.size());
  world_.memory().HoldReads(false);
  ASSERT_NO_FATAL_FAILURE(world_.Checkpoint());
  while (!reads->done()) std::this_thread::yield();
  EXPECT_TRUE(reads->status().ok()) << reads->status();
  ASSERT_NO_FATAL_FAILURE(world_.ExpectEqual(world_.store()));
}

}  // namespace
}  // namespace headrace::testing
