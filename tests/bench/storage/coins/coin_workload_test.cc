// The workload that coin stores are measured with: a store that does well on it proves nothing if coins repeat, spends
// name coins that are not there, or ages are not what they are said to be. Held against a plain map.

#include "bench/storage/coins/coin_workload.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <set>
#include <vector>

#include "storage/coins/window_ops.h"

namespace headrace::bench {
namespace {

constexpr WorkloadShape kSmall{.seed = 7, .creations_per_block = 110, .spends_per_block = 100, .blocks_per_window = 4};
constexpr WindowKind kCreate{.creates = true, .spends = false};
constexpr WindowKind kSpend{.creates = false, .spends = true};
constexpr WindowKind kMixed{.creates = true, .spends = true};
constexpr WindowKind kMainnet{.creates = true, .spends = true, .ages = SpentAges::kMainnet};

struct PlainCoin {
  Amount amount;
  uint32_t height;
  bool is_coinbase;
  std::vector<uint8_t> script;
};

// The unspent set as a map, and what a store must answer.
class PlainSet {
 public:
  // Applies a window and fills `spent`; the map keeps the scripts until the next one.
  void Apply(std::span<WindowBlock> window) {
    gone_.clear();
    for (WindowBlock& block : window) {
      ASSERT_EQ(block.height, ++height_);
      ForEachCoinOp(*block.columns, [&](CoinOp::Kind kind, const uint8_t* txid, uint32_t index, uint32_t item) {
        const OutPoint outpoint{Hash256::Load(txid), index};
        if (kind == CoinOp::kSpend) {
          const auto found = coins_.find(outpoint);
          ASSERT_NE(found, coins_.end()) << "input " << item << " of block " << block.height << " spends nothing";
          const PlainCoin& coin = gone_.emplace_back(std::move(found->second));
          spent_ages_.push_back(block.height - coin.height);
          coins_.erase(found);
          spent_.push_back(&block.spent[item]);
          return;
        }
        const ByteSpan script = block.columns->script_pubkey[item].In(block.columns->raw);
        const PlainCoin coin{block.columns->amount[item],
                             block.height,
                             kind == CoinOp::kCreateInCoinbase,
                             {script.begin(), script.end()}};
        ASSERT_TRUE(IsMoney(coin.amount) && !coin.script.empty());
        ASSERT_TRUE(coins_.emplace(outpoint, coin).second) << "a coin is created twice";
      });
    }
    for (size_t i = 0; i < spent_.size(); ++i) {
      *spent_[i] = {gone_[i].amount, gone_[i].height, gone_[i].is_coinbase, gone_[i].script};
    }
    spent_.clear();
  }

  const std::map<OutPoint, PlainCoin>& coins() const { return coins_; }
  const std::vector<uint32_t>& spent_ages() const { return spent_ages_; }

 private:
  uint32_t height_ = 0;
  std::map<OutPoint, PlainCoin> coins_;
  std::vector<PlainCoin> gone_;
  std::vector<Coin*> spent_;
  std::vector<uint32_t> spent_ages_;
};

TEST(CoinWorkload, EverySpendIsOfACoinThatIsThereAndIsExpected) {
  CoinWorkload workload(kSmall);
  PlainSet set;
  for (const WindowKind& kind :
       {kCreate, kCreate, kMixed, kMainnet, kSpend, kMixed, kSpend, kMainnet, kCreate, kMixed}) {
    workload.MakeWindow(kind);
    EXPECT_EQ(workload.creations(), kind.creates ? 440u : 0u);
    EXPECT_EQ(workload.spends(), kind.spends ? 400u : 0u);
    ASSERT_NO_FATAL_FAILURE(set.Apply(workload.window()));
    EXPECT_TRUE(workload.CheckSpent().ok()) << workload.CheckSpent();
    EXPECT_EQ(workload.unspent(), set.coins().size());
  }
  uint8_t script[CoinSequence::kScriptBytesMax];
  for (uint64_t coin = 0; coin < workload.created(); ++coin) {
    const auto found = set.coins().find(workload.OutPointOf(coin));
    ASSERT_EQ(workload.IsUnspent(coin), found != set.coins().end()) << coin;
    if (found == set.coins().end()) continue;
    const Coin expected = workload.Expected(coin, script);
    EXPECT_EQ(expected.amount, found->second.amount);
    EXPECT_EQ(expected.height, found->second.height);
    EXPECT_EQ(expected.is_coinbase, found->second.is_coinbase);
    EXPECT_TRUE(std::ranges::equal(expected.script, found->second.script));
  }
}

TEST(CoinWorkload, AWrongCoinIsNoticed) {
  CoinWorkload workload(kSmall);
  PlainSet set;
  for (const WindowKind& kind : {kCreate, kMixed}) {
    workload.MakeWindow(kind);
    ASSERT_NO_FATAL_FAILURE(set.Apply(workload.window()));
  }
  ASSERT_TRUE(workload.CheckSpent().ok());
  Coin& coin = workload.window()[3].spent[77];
  const Coin right = coin;
  const auto is_noticed = [&] {
    const bool is_good = workload.CheckSpent().ok();
    coin = right;
    return !is_good;
  };
  coin.amount += 1;
  EXPECT_TRUE(is_noticed());
  coin.height += 1;
  EXPECT_TRUE(is_noticed());
  coin.is_coinbase = !coin.is_coinbase;
  EXPECT_TRUE(is_noticed());
  coin.script = coin.script.subspan(1);
  EXPECT_TRUE(is_noticed());
  EXPECT_TRUE(workload.CheckSpent().ok());
}

TEST(CoinWorkload, OneSeedMakesOneWorkload) {
  CoinWorkload one(kSmall);
  CoinWorkload two(kSmall);
  WorkloadShape other_shape = kSmall;
  other_shape.seed = 8;
  CoinWorkload other(other_shape);
  for (const WindowKind& kind : {kCreate, kMixed, kMainnet}) {
    for (CoinWorkload* workload : {&one, &two, &other}) workload->MakeWindow(kind);
    for (size_t block = 0; block < one.window().size(); ++block) {
      EXPECT_TRUE(std::ranges::equal(one.window()[block].columns->raw, two.window()[block].columns->raw));
      EXPECT_EQ(one.window()[block].columns->txid, two.window()[block].columns->txid);
      EXPECT_NE(one.window()[block].columns->txid, other.window()[block].columns->txid);
    }
  }
}

TEST(CoinWorkload, AgesAreLikeMainnets) {
  CoinWorkload workload(kSmall);
  PlainSet set;
  // Long enough that every span has its coins.
  for (int window = 0; window < 600; ++window) {
    workload.MakeWindow(kCreate);
    ASSERT_NO_FATAL_FAILURE(set.Apply(workload.window()));
  }
  for (int window = 0; window < 100; ++window) {
    workload.MakeWindow(kMainnet);
    ASSERT_NO_FATAL_FAILURE(set.Apply(workload.window()));
  }
  const auto share_within = [&](uint32_t blocks) {
    const auto within = std::ranges::count_if(set.spent_ages(), [&](uint32_t age) { return age <= blocks; });
    return static_cast<double>(within) / static_cast<double>(set.spent_ages().size());
  };
  EXPECT_NEAR(share_within(10), 0.41, 0.03);
  EXPECT_NEAR(share_within(100), 0.66, 0.03);
  EXPECT_NEAR(share_within(1000), 0.85, 0.05);
  EXPECT_GT(share_within(0), 0.05) << "some are spent in the block that made them";
  const CoinWorkload::AgeShares& shares = workload.age_shares();
  EXPECT_EQ(shares.spends, set.spent_ages().size());
  EXPECT_NEAR(static_cast<double>(shares.within_10) / static_cast<double>(shares.spends), 0.41, 0.03);
}

TEST(CoinWorkload, ReservedCoinsStay) {
  CoinWorkload workload(kSmall);
  workload.MakeWindow(kCreate);
  workload.MakeWindow(kCreate);
  const std::vector<uint64_t> reserved = workload.Reserve(50);
  EXPECT_EQ(std::set<uint64_t>(reserved.begin(), reserved.end()).size(), 50u);
  workload.MakeWindow(kSpend);
  workload.MakeWindow(kSpend);
  EXPECT_EQ(workload.unspent(), 80u);
  for (const uint64_t coin : reserved) EXPECT_TRUE(workload.IsUnspent(coin));
}

}  // namespace
}  // namespace headrace::bench
