// What programs around the node ask and order: the facade, from a thread of its own, while another turns the engine.

#include "engine/node/node_facade.h"

#include <atomic>
#include <thread>

#include "engine/consensus/check_spends.h"
#include "engine/primitives/decode.h"
#include "gtest/gtest.h"
#include "tests/support/chain_builder.h"
#include "tests/support/inline_executor.h"
#include "tests/support/node/test_node.h"

namespace headrace::testing {
namespace {

class FacadeTest : public ::testing::Test {
 protected:
  FacadeTest() { Start(); }
  ~FacadeTest() override { Stop(); }

  void Start() {
    options_.directory = directory_.path();
    options_.executor = &executor_;
    node_ = std::make_unique<TestNode>(options_);
    must_stop_ = false;
    engine_ = std::thread([this] {
      while (!must_stop_) {
        const auto turned = node_->Turn();
        ASSERT_TRUE(turned.ok()) << turned.status();
        if (!*turned) std::this_thread::sleep_for(std::chrono::microseconds(50));
      }
    });
  }
  void Stop() {
    if (!engine_.joinable()) return;
    must_stop_ = true;
    engine_.join();
    EXPECT_TRUE(node_->Shutdown().ok());
  }
  void Restart() {
    Stop();
    node_.reset();
    Start();
  }

  NodeFacade& facade() { return node_->node().facade(); }
  std::string Submit(const TestBlock& block) {
    const auto answer = facade().Submit({block.raw->bytes().begin(), block.raw->bytes().end()});
    return answer.ok() ? *answer : answer.status().ToString();
  }
  void SubmitAll(const ChainBuilder& chain, uint32_t from_height = 1) {
    for (uint32_t height = from_height; height <= chain.height(); ++height) {
      ASSERT_EQ(Submit(*chain.blocks()[height - 1]), "") << height;
    }
  }
  void ExpectSet(const TestCoinSet& coins) {
    const auto set = facade().CoinSet({});
    ASSERT_TRUE(set.ok()) << set.status();
    EXPECT_EQ(set->coins, coins.size());
    EXPECT_EQ(set->hash_serialized, HashSerialized3(coins));
  }

  TemporaryDirectory directory_;
  InlineExecutor executor_;
  TestNodeOptions options_;
  std::unique_ptr<TestNode> node_;
  std::thread engine_;
  std::atomic<bool> must_stop_{false};
};

ChainBuilder ChainOf(uint32_t blocks, uint32_t salt = 0) {
  ChainBuilder chain;
  for (uint32_t i = 0; i < blocks; ++i) chain.Add({}, -1, salt);
  return chain;
}

TEST_F(FacadeTest, AnswersOnAnEmptyChain) {
  const auto chain = facade().Chain();
  ASSERT_TRUE(chain.ok());
  EXPECT_EQ(chain->tip.height, 0u);
  EXPECT_EQ(chain->tip.hash, facade().params().genesis_hash);
  EXPECT_EQ(chain->tip.confirmations, 1);
  EXPECT_FALSE(chain->tip.next);
  EXPECT_TRUE(chain->is_initial_block_download);
  const auto raw = facade().RawBlock(chain->tip);
  ASSERT_TRUE(raw.ok());
  BlockColumns columns;
  ASSERT_EQ(DecodeBlock(raw->bytes, columns), DecodeError::kNone);
  EXPECT_EQ(columns.hash, chain->tip.hash);
  EXPECT_EQ(facade().BlockAtHeight(1).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(facade().Block(Hash256()).status().code(), absl::StatusCode::kNotFound);
  ExpectSet({});
}

TEST_F(FacadeTest, FindsBlocksAndOutputsOfTheActiveChain) {
  const ChainBuilder chain = ChainOf(5);
  SubmitAll(chain);
  const auto third = facade().BlockAtHeight(3);
  ASSERT_TRUE(third.ok());
  EXPECT_EQ(third->hash, chain.blocks()[2]->hash);
  EXPECT_EQ(third->confirmations, 3);
  EXPECT_EQ(third->next, chain.blocks()[3]->hash);
  EXPECT_EQ(third->transaction_count, 1u);
  const auto raw = facade().RawBlock(*third);
  ASSERT_TRUE(raw.ok());
  EXPECT_TRUE(std::equal(raw->bytes.begin(), raw->bytes.end(), chain.blocks()[2]->raw->bytes().begin()));

  const auto output = facade().FindOutput(chain.CoinbaseOf(5));
  ASSERT_TRUE(output.ok() && *output);
  EXPECT_EQ((*output)->height, 5u);
  EXPECT_TRUE((*output)->is_coinbase);
  EXPECT_EQ((*output)->best.height, 5u);
  EXPECT_EQ((*output)->script, kTrueScript);
  const auto missing = facade().FindOutput({chain.CoinbaseOf(5).txid, 7});
  ASSERT_TRUE(missing.ok());
  EXPECT_FALSE(*missing);
}

TEST_F(FacadeTest, SubmittedBlocksAreJudgedInTheFieldsWords) {
  ChainBuilder chain = ChainOf(3);
  SubmitAll(chain);
  EXPECT_EQ(Submit(*chain.blocks()[1]), "duplicate");

  ChainBuilder greedy = chain;
  greedy.Add({}, Subsidy(4, facade().params()) + 1);
  EXPECT_EQ(Submit(*greedy.blocks().back()), "bad-cb-amount");
  EXPECT_EQ(Submit(*greedy.blocks().back()), "duplicate-invalid");
  greedy.Add();
  EXPECT_EQ(Submit(*greedy.blocks().back()), "bad-prevblk");

  ChainBuilder stale = ChainOf(1, 7);
  EXPECT_EQ(Submit(*stale.blocks().back()), "inconclusive");
  const ChainBuilder unknown = ChainOf(9, 8);
  EXPECT_EQ(Submit(*unknown.blocks().back()), "prev-blk-not-found");

  std::vector<uint8_t> cut(chain.blocks()[2]->raw->bytes().begin(), chain.blocks()[2]->raw->bytes().end() - 1);
  EXPECT_EQ(facade().Submit(cut).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(facade().Submit({}).status().code(), absl::StatusCode::kInvalidArgument);

  // What needs no place among the headers is named first.
  std::vector<uint8_t> altered(unknown.blocks().back()->raw->bytes().begin(),
                               unknown.blocks().back()->raw->bytes().end());
  altered.back() ^= 1;
  const auto answer = facade().Submit(altered);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(*answer, "bad-txnmrklroot");
  ExpectSet(chain.coins());
}

TEST_F(FacadeTest, SubmittingTheBetterBranchMovesTheTip) {
  const ChainBuilder first = ChainOf(3);
  SubmitAll(first);
  const ChainBuilder second = ChainOf(4, 1);
  for (uint32_t height = 1; height <= 3; ++height) EXPECT_EQ(Submit(*second.blocks()[height - 1]), "inconclusive");
  EXPECT_EQ(Submit(*second.blocks()[3]), "");
  EXPECT_EQ(facade().AppliedTip()->hash, second.blocks().back()->hash);
  ExpectSet(second.coins());

  const auto tips = facade().ChainTips();
  ASSERT_TRUE(tips.ok());
  ASSERT_EQ(tips->size(), 2u);
  EXPECT_EQ((*tips)[0].status, ChainTipStatus::kActive);
  EXPECT_EQ((*tips)[0].branch_length, 0u);
  EXPECT_EQ((*tips)[1].status, ChainTipStatus::kValidFork);
  EXPECT_EQ((*tips)[1].branch_length, 3u);
}

TEST_F(FacadeTest, ABranchThatNeverLedIsAllThereAndNotFullyChecked) {
  SubmitAll(ChainOf(3));
  EXPECT_EQ(Submit(*ChainOf(1, 3).blocks()[0]), "inconclusive");
  const auto tips = facade().ChainTips();
  ASSERT_TRUE(tips.ok());
  ASSERT_EQ(tips->size(), 2u);
  EXPECT_EQ((*tips)[1].status, ChainTipStatus::kValidHeaders);
}

TEST_F(FacadeTest, InvalidatingGoesBackAndReconsideringReturns) {
  ChainBuilder chain = ChainOf(110);
  for (int i = 0; i < 4; ++i) chain.Add({chain.Spend({chain.CoinbaseOf(1 + i)}, 3, 5)});
  SubmitAll(chain);
  for (const uint32_t depth : {1u, 6u, 100u}) {
    ChainBuilder below = chain;
    below.TruncateTo(chain.height() - depth);
    const Hash256 hash = chain.blocks()[chain.height() - depth]->hash;
    ASSERT_TRUE(facade().Invalidate(hash).ok());
    EXPECT_EQ(facade().AppliedTip()->height, chain.height() - depth);
    ExpectSet(below.coins());
    const auto tips = facade().ChainTips();
    ASSERT_TRUE(tips.ok());
    EXPECT_EQ((*tips)[0].status, ChainTipStatus::kInvalid);
    EXPECT_EQ((*tips)[0].branch_length, depth);
    EXPECT_EQ(tips->back().status, ChainTipStatus::kActive);
    EXPECT_EQ(facade().Block(hash)->confirmations, -1);

    ASSERT_TRUE(facade().Reconsider(hash).ok());
    EXPECT_EQ(facade().AppliedTip()->hash, chain.blocks().back()->hash);
    ExpectSet(chain.coins());
  }
}

TEST_F(FacadeTest, MarksOutliveARestart) {
  const ChainBuilder chain = ChainOf(10);
  SubmitAll(chain);
  ASSERT_TRUE(facade().Invalidate(chain.blocks()[4]->hash).ok());
  ASSERT_TRUE(facade().Invalidate(chain.blocks()[7]->hash).ok());
  Restart();
  EXPECT_EQ(facade().AppliedTip()->height, 4u);
  // The mark on a descendant goes as well.
  ASSERT_TRUE(facade().Reconsider(chain.blocks()[4]->hash).ok());
  EXPECT_EQ(facade().AppliedTip()->height, 10u);
  Restart();
  EXPECT_EQ(facade().AppliedTip()->height, 10u);
  ExpectSet(chain.coins());
}

TEST_F(FacadeTest, InvalidatingLetsTheNextBestBranchLead) {
  const ChainBuilder first = ChainOf(6);
  SubmitAll(first);
  const ChainBuilder second = ChainOf(5, 1);
  for (const auto& block : second.blocks()) EXPECT_EQ(Submit(*block), "inconclusive");
  ASSERT_TRUE(facade().Invalidate(first.blocks()[1]->hash).ok());
  EXPECT_EQ(facade().AppliedTip()->hash, second.blocks().back()->hash);
  ExpectSet(second.coins());
  ASSERT_TRUE(facade().Reconsider(first.blocks()[5]->hash).ok());
  EXPECT_EQ(facade().AppliedTip()->hash, first.blocks().back()->hash);
}

TEST_F(FacadeTest, RefusesOrdersThatMakeNoSense) {
  EXPECT_EQ(facade().Invalidate(Hash256()).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(facade().Reconsider(Hash256()).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(facade().Invalidate(facade().params().genesis_hash).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(facade().Reconsider(facade().params().genesis_hash).ok());
}

TEST_F(FacadeTest, TurnsAwayThoseWhoAskAStoppedNode) {
  Stop();
  EXPECT_EQ(facade().Chain().status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(FacadeTest, ManyThreadsAskAtOnce) {
  const ChainBuilder chain = ChainOf(60);
  std::vector<std::thread> threads;
  std::atomic<bool> is_done{false};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      uint32_t last = 0;
      while (!is_done) {
        const auto tip = facade().AppliedTip();
        ASSERT_TRUE(tip.ok());
        EXPECT_GE(tip->height, last);
        last = tip->height;
        const auto set = facade().CoinSet({.serialized = true, .muhash = false});
        ASSERT_TRUE(set.ok());
        EXPECT_EQ(set->coins, set->best.height);
        EXPECT_TRUE(set->muhash.IsZero());
      }
    });
  }
  SubmitAll(chain);
  is_done = true;
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace headrace::testing
