#include "storage/coins/coin_table.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <vector>

namespace headrace {
namespace {

class TableAgainstMap {
 public:
  explicit TableAgainstMap(uint64_t seed) : random_(seed) {}

  void Insert(uint64_t hash) {
    const RecordLocation location = ++next_location_;
    table_.Insert(hash, location);
    hash_of_[location] = hash;
  }
  void EraseSome() {
    const auto at = std::next(hash_of_.begin(), random_() % std::min<size_t>(hash_of_.size(), 30));
    table_.Erase(Position(at->second, at->first));
    hash_of_.erase(at);
  }
  CoinTable::Position Position(uint64_t hash, RecordLocation location) const {
    return table_.Find(hash, [&](RecordLocation at) { return at == location; });
  }
  void ExpectEqual() const {
    ASSERT_EQ(table_.size(), hash_of_.size());
    for (const auto& [location, hash] : hash_of_) {
      const CoinTable::Position position = Position(hash, location);
      ASSERT_NE(position, CoinTable::kNowhere);
      ASSERT_EQ(table_.LocationAt(position), location);
    }
    ASSERT_TRUE(table_.IsConsistent());
  }
  std::mt19937_64& random() { return random_; }
  CoinTable& table() { return table_; }
  size_t size() const { return hash_of_.size(); }

 private:
  std::mt19937_64 random_;
  CoinTable table_;
  std::map<RecordLocation, uint64_t> hash_of_;
  RecordLocation next_location_ = 0;
};

TEST(CoinTable, HoldsWhatAMapHolds) {
  for (uint64_t seed = 0; seed < 4; ++seed) {
    TableAgainstMap both(seed);
    for (int i = 0; i < 20'000; ++i) {
      if (both.size() > 0 && both.random()() % 5 < 2) {
        both.EraseSome();
      } else {
        both.Insert(both.random()());
      }
      if (i % 1'000 == 0) {
        ASSERT_NO_FATAL_FAILURE(both.ExpectEqual());
      }
    }
    ASSERT_NO_FATAL_FAILURE(both.ExpectEqual());
    while (both.size() > 0) both.EraseSome();
    EXPECT_TRUE(both.table().IsConsistent()) << "an empty table still counts overflows";
  }
}

// More coins of one home than eight buckets hold until growth tells them apart.
TEST(CoinTable, GrowsWhenDisplacementsRunOut) {
  TableAgainstMap both(9);
  for (uint64_t i = 0; i < 200; ++i) both.Insert(i << 10);
  EXPECT_GT(both.table().homes(), 1024u);
  ASSERT_NO_FATAL_FAILURE(both.ExpectEqual());
}

// Home and slot together have all the bits that growth needs, whatever the number of homes: the last ones included, which
// hold the ends of the range.
TEST(CoinTable, GrowsFromAnyNumberOfHomes) {
  for (const uint32_t homes : {8u, 9u, 15u, 33u, 1000u, 1023u, 1024u, 1279u, 4097u, 65'537u}) {
    CoinTable table(homes);
    std::mt19937_64 random(homes);
    std::map<RecordLocation, uint64_t> hash_of;
    for (RecordLocation location = 1; table.homes() == homes || location % 50 != 0; ++location) {
      // Clusters: at the ends of the range, and of one hash's neighbours.
      const uint64_t low = random() % 3 == 0 ? (uint64_t{1} << 28) - 1 - random() % 2000 : random() % (uint64_t{1} << 28);
      const uint64_t hash = (random() << 28) | low;
      table.Insert(hash, location);
      hash_of[location] = hash;
    }
    EXPECT_TRUE(table.IsConsistent()) << homes;
    for (const auto& [location, hash] : hash_of) {
      const RecordLocation wanted = location;
      ASSERT_NE(table.Find(hash, [&](RecordLocation at) { return at == wanted; }), CoinTable::kNowhere) << homes;
    }
  }
}

// Tables that fill evenly stand at loads all over what a step covers, so that they grow one after another and memory follows
// the coins.
TEST(CoinTable, StaggeredTablesGrowOneAfterAnother) {
  constexpr uint32_t kTables = 16;
  std::mt19937_64 random(17);
  std::vector<std::unique_ptr<CoinTable>> tables;
  for (uint32_t i = 0; i < kTables; ++i) {
    tables.push_back(std::make_unique<CoinTable>());
    tables.back()->StaggerGrowth(i * CoinTable::kStaggers / kTables);
  }
  RecordLocation location = 0;
  for (uint64_t coins = 0; coins < 60'000; coins += 500) {
    uint64_t bytes = 0;
    uint32_t grown = 0;
    for (const auto& table : tables) {
      const uint32_t before = table->homes();
      for (int i = 0; i < 500; ++i) table->Insert(random(), ++location);
      bytes += table->bytes();
      grown += table->homes() != before;
    }
    if (coins < 20'000) continue;
    EXPECT_LE(grown, 4u) << coins;
    const double bytes_per_coin = static_cast<double>(bytes) / static_cast<double>((coins + 500) * kTables);
    EXPECT_GT(bytes_per_coin, 13.2) << coins;
    EXPECT_LT(bytes_per_coin, 14.7) << coins;
  }
}

TEST(CoinTable, TellsEqualHashesApartByTheRecord) {
  TableAgainstMap both(10);
  for (int i = 0; i < 20; ++i) both.Insert(0x123456789abcdef0);
  ASSERT_NO_FATAL_FAILURE(both.ExpectEqual());
}

TEST(CoinTable, ComesBackFromItsImage) {
  TableAgainstMap both(11);
  for (int i = 0; i < 5'000; ++i) both.Insert(both.random()());
  CoinTable copy;
  copy.LoadImage(both.table().homes(), both.table().image());
  EXPECT_EQ(copy.size(), both.size());
  both.table().LoadImage(copy.homes(), copy.image());
  ASSERT_NO_FATAL_FAILURE(both.ExpectEqual());
}

TEST(CoinBucket, MatchesAsItsPlainTwin) {
  std::mt19937_64 random(13);
  for (int i = 0; i < 200'000; ++i) {
    CoinBucket bucket{};
    // Few tags, zero among them, so that several slots have the same; locations whose upper bits lie beside the tag.
    const auto tag_of = [&] { return CoinSlot::Tag(random() % 2 * 7, random() % 3 == 0 ? CoinSlot::kHashMask : random() % 2); };
    for (CoinSlot& slot : bucket.slots) {
      if (random() % 3 == 0) continue;
      const uint64_t tag = tag_of();
      const RecordLocation location = 1 + random() % CoinSlot::kLocationMask;
      slot = CoinSlot(random() % 2 == 0 ? location : CoinSlot::kLocationMask, static_cast<uint32_t>(tag >> 36) & 7,
                      static_cast<uint32_t>(tag >> 39));
    }
    bucket.overflow = random() % 2 == 0 ? 0 : static_cast<uint32_t>(random());
    bucket.version = random() % 2 == 0 ? 0 : static_cast<uint32_t>(random());
    const uint64_t tag = tag_of();
    ASSERT_EQ(bucket.MatchTag(tag), bucket.MatchTagPlainly(tag));
    ASSERT_EQ(bucket.MatchEmpty(), bucket.MatchEmptyPlainly());
  }
}

// What happens to a coin while a reader looks at it, made to happen there.
class ReaderBesideWriter : public ::testing::Test {
 protected:
  static constexpr uint64_t kHash = 0x123456789abcdef0;

  // The locations that a reader was led to; `meanwhile` runs at the first, and what lies at `wanted` is the coin.
  bool Find(RecordLocation wanted, const std::function<void()>& meanwhile) {
    return table_.FindBesideWriter(kHash, [&](RecordLocation location) {
      looked_at_.push_back(location);
      const bool is_it = location == wanted;
      if (looked_at_.size() == 1) meanwhile();
      return is_it;
    });
  }
  CoinTable::Position Position() const {
    return table_.Find(kHash, [](RecordLocation) { return true; });
  }

  CoinTable table_;
  std::vector<RecordLocation> looked_at_;
};

TEST_F(ReaderBesideWriter, FollowsACoinThatMoves) {
  table_.Insert(kHash, 1);
  EXPECT_TRUE(Find(2, [&] { table_.SetLocation(Position(), 2); }));
  EXPECT_EQ(looked_at_, (std::vector<RecordLocation>{1, 2}));
}

TEST_F(ReaderBesideWriter, DoesNotBelieveACoinThatIsErased) {
  table_.Insert(kHash, 1);
  EXPECT_FALSE(Find(1, [&] { table_.Erase(Position()); }));
  EXPECT_EQ(looked_at_, (std::vector<RecordLocation>{1}));
}

// The table that it looks through is given up, and is frozen as it was.
TEST_F(ReaderBesideWriter, StartsAgainInALargerTable) {
  table_.Insert(kHash, 1);
  const auto grow_and_move = [&] {
    const uint32_t homes = table_.homes();
    for (uint64_t i = 0; table_.homes() == homes; ++i) table_.Insert(i * 0x9e3779b97f4a7c15, 100 + i);
    table_.SetLocation(table_.Find(kHash, [](RecordLocation location) { return location == 1; }), 2);
  };
  EXPECT_TRUE(Find(2, grow_and_move));
  EXPECT_EQ(looked_at_.back(), 2u);
}

// An outgrown table is empty, which says nothing about the coin.
TEST_F(ReaderBesideWriter, DoesNotBelieveThatAnOutgrownTableLacksACoin) {
  table_.Insert(kHash, 1);
  int attempts = 0;
  const auto grow_once = [&] {
    const uint32_t homes = table_.homes();
    if (++attempts > 1) return;
    for (uint64_t i = 0; table_.homes() == homes; ++i) table_.Insert(i * 0x9e3779b97f4a7c15, 100 + i);
  };
  EXPECT_TRUE(table_.FindBesideWriter(kHash, [](RecordLocation location) { return location == 1; }, grow_once));
  EXPECT_EQ(attempts, 2);
}

TEST_F(ReaderBesideWriter, FindsWhatIsThereAndNothingElse) {
  std::mt19937_64 random(12);
  for (RecordLocation location = 1; location <= 3'000; ++location) {
    const uint64_t hash = random();
    table_.Insert(hash, location);
    EXPECT_TRUE(table_.FindBesideWriter(hash, [&](RecordLocation at) { return at == location; }));
    EXPECT_FALSE(table_.FindBesideWriter(random(), [&](RecordLocation at) { return at == location; }));
  }
}

}  // namespace
}  // namespace headrace
