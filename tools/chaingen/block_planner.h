// Decides what a chain's blocks contain: which coins are spent, into which outputs, under which scripts. All chance is
// drawn here, on one thread, so that the bytes depend on the shape alone; txids are not needed and not known yet.
//
// While coins are scarce (the beginning), transactions fan out into many outputs and blocks have few transactions.
// Later the forms of transactions are the era's; where the unspent set drifts from its growth, batches and
// consolidations steer it back. About half a microsecond an input.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tools/chaingen/block_plan.h"
#include "tools/chaingen/chain_shape.h"
#include "tools/chaingen/coin_pool.h"
#include "tools/chaingen/transaction_table.h"

namespace headrace::chaingen {

class BlockPlanner {
 public:
  // `table` must outlive it.
  BlockPlanner(const ChainShape& shape, TransactionTable& table);

  // The next height's block, from 1 on. `plan` may have served an earlier block, which must have been sealed.
  void PlanBlock(uint32_t height, BlockPlan& plan);

  const CoinPool& coins() const { return coins_; }

 private:
  // Of one transaction.
  struct Counts {
    uint32_t inputs = 1;
    uint32_t outputs = 1;
    // Where coins are scarce: this many outputs if the coins are worth it.
    uint32_t fan_out = 0;
  };
  // What is left of a block.
  struct Budget {
    int64_t weight;
    int64_t sigops;

    bool Fits(const Counts& counts) const;
  };

  bool is_scarce() const { return is_growing_ && coins_.available() < scarce_below_; }
  int64_t drift_tolerance() const { return 100 + *growth_ / 2; }
  std::optional<uint32_t> GrowthWanted() const;
  uint32_t DrawTransactionCount();
  int64_t DrawWeight();
  uint32_t DrawWithin(uint32_t least, uint32_t most);
  Lock DrawLock();
  bool DrawsData();
  uint8_t DrawHashType(bool has_matching_output);
  const TransactionForm* DrawForm();
  Counts DrawCounts();

  void PlanTransactions(uint32_t count, BlockPlan& plan);
  // Spends `first` where there is one and coins from the pool for the rest. There must be at least one coin.
  void PlanTransaction(const Counts& counts, const std::optional<PooledCoin>& first, Budget& budget, BlockPlan& plan);
  // Returns what they are worth.
  Amount PlanInputs(uint32_t count, const std::optional<PooledCoin>& first, PlannedTransaction& transaction,
                    BlockPlan& plan);
  // Returns how many pay somebody.
  uint32_t PlanOutputs(const Counts& counts, Amount payable, PlannedTransaction& transaction, BlockPlan& plan);
  void Divide(Amount payable, const PlannedTransaction& transaction, BlockPlan& plan);
  void AddInput(const PooledCoin& coin, uint32_t sequence, PlannedTransaction& transaction, BlockPlan& plan);
  void AddCoins(uint32_t payments, PlannedTransaction& transaction, const BlockPlan& plan);
  void Charge(const PlannedTransaction& transaction, const BlockPlan& plan, Budget& budget) const;
  void PlanCoinbase(BlockPlan& plan);

  const ChainShape shape_;
  const EraProfile& profile_;
  const ScriptWeights weights_;
  uint64_t weights_sum_ = 0;
  uint64_t payments_sum_ = 0;  // without data
  uint32_t usual_count_ = 0;
  uint64_t scarce_below_ = 0;
  std::optional<uint32_t> growth_;
  TransactionTable& table_;
  Random random_;
  CoinPool coins_;
  uint32_t height_ = 0;
  // The beginning, until there are coins enough; again only if most of them should be used up.
  bool is_growing_ = true;
  // Coins that the set still lacks to its growth; negative when it has too many.
  int64_t growth_owed_ = 0;
  // Data outputs drawn where there was no place for them.
  uint32_t data_owed_ = 0;
  std::vector<uint64_t> shares_;  // of one transaction's outputs
};

}  // namespace headrace::chaingen
