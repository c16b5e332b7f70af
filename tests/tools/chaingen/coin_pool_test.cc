// The pool of coins against a plain list: every coin comes out once, none before its time, and nothing is lost.
#include "tools/chaingen/coin_pool.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace headrace::chaingen {
namespace {

struct Known {
  uint32_t available_from;
  Amount amount;
  Lock lock;
};
using Coins = std::map<std::pair<uint32_t, uint32_t>, Known>;

void ExpectKnown(const PooledCoin& coin, const Coins& coins) {
  const auto found = coins.find({coin.slot, coin.index});
  ASSERT_NE(found, coins.end()) << "never added, or taken twice";
  EXPECT_EQ(coin.amount, found->second.amount);
  EXPECT_EQ(coin.lock.kind, found->second.lock.kind);
  EXPECT_EQ(coin.lock.key, found->second.lock.key);
}

TEST(CoinPool, EveryCoinComesOutOnceAndNotTooEarly) {
  constexpr uint32_t kLast = 700;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Random random(seed);
    CoinPool pool(kLast);
    Coins coins;
    uint32_t slot = 0;
    for (uint32_t height = 1; height <= kLast; ++height) {
      pool.AdvanceTo(height);
      // Long stretches without coins leave many empty buckets side by side.
      const uint64_t adds = height / 150 % 2 == seed % 2 ? random.Below(8) : 0;
      for (uint64_t i = 0; i < adds; ++i) {
        const Lock lock{static_cast<LockKind>(random.Below(kLockKinds)),
                        static_cast<uint32_t>(random.Below(1'000'000))};
        const PooledCoin coin{slot++, static_cast<uint16_t>(random.Next()), lock,
                              static_cast<Amount>(random.Below(kCoin))};
        const uint32_t from = random.OneIn(10) ? UINT32_MAX : height + static_cast<uint32_t>(random.Below(4));
        pool.Add(coin, from);
        coins[{coin.slot, coin.index}] = {from, coin.amount, coin.lock};
      }
      uint64_t available = 0;
      for (const auto& [outpoint, known] : coins) available += known.available_from <= height ? 1 : 0;
      ASSERT_EQ(pool.available(), available);
      for (uint64_t takes = random.Below(8); takes != 0; --takes) {
        const auto coin = pool.Take(random);
        ASSERT_EQ(coin.has_value(), available != 0);
        if (!coin) break;
        --available;
        ExpectKnown(*coin, coins);
        if (HasFatalFailure()) return;
        EXPECT_LE((coins[{coin->slot, coin->index}].available_from), height);
        coins.erase({coin->slot, coin->index});
      }
      ASSERT_EQ(pool.size(), coins.size());
    }
    std::set<uint32_t> seen;
    pool.ForEach([&](const PooledCoin& coin) {
      ExpectKnown(coin, coins);
      EXPECT_TRUE(seen.insert(coin.slot).second);
    });
    EXPECT_EQ(seen.size(), coins.size());
  }
}

TEST(CoinPool, CoinbasesComeOutInOrderWhenTheyAreRipe) {
  CoinPool pool(300);
  for (uint32_t height = 1; height <= 150; ++height) {
    pool.AdvanceTo(height);
    pool.AddCoinbase({height, 0, {}, 50}, height + 100);
    EXPECT_EQ(pool.available(), 0u) << "never by chance";
    const auto coin = pool.TakeCoinbase();
    ASSERT_EQ(coin.has_value(), height > 100) << height;
    if (coin) {
      EXPECT_EQ(coin->slot, height - 100);
    }
  }
  EXPECT_EQ(pool.size(), 100u);
}

}  // namespace
}  // namespace headrace::chaingen
