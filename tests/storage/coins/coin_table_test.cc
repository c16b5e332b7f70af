#include "storage/coins/coin_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

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
  EXPECT_GT(both.table().bucket_bits(), 10u);
  ASSERT_NO_FATAL_FAILURE(both.ExpectEqual());
}

TEST(CoinTable, TellsEqualHashesApartByTheRecord) {
  TableAgainstMap both(10);
  for (int i = 0; i < 20; ++i) both.Insert(0x123456789abcdef0);
  ASSERT_NO_FATAL_FAILURE(both.ExpectEqual());
}

TEST(CoinTable, ComesBackFromItsImage) {
  TableAgainstMap both(11);
  for (int i = 0; i < 5'000; ++i) both.Insert(both.random()());
  CoinTable copy(both.table().bucket_bits());
  copy.LoadImage(both.table().image());
  EXPECT_EQ(copy.size(), both.size());
  both.table() = std::move(copy);
  ASSERT_NO_FATAL_FAILURE(both.ExpectEqual());
}

}  // namespace
}  // namespace headrace
