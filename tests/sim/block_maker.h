// Makes blocks: valid ones full of spends of every shape, and ones with exactly one thing wrong. One thread.
#pragma once

#include <set>
#include <vector>

#include "tests/sim/chain_model.h"
#include "tests/sim/flaw.h"
#include "tests/sim/sim_clock.h"
#include "tests/sim/wallet.h"

namespace headrace::sim {

class BlockMaker {
 public:
  BlockMaker(ChainModel& model, SimEntropy entropy, SimClock& clock, uint32_t transactions_max)
      : model_(model), entropy_(entropy), clock_(clock), transactions_max_(transactions_max) {}

  // Makes a block on `parent` and lets the model judge it. A flaw that the chain gives no opportunity for becomes
  // another one: the block is invalid whenever a flaw was asked for, and the judge must agree with the maker.
  const ModelBlock& Make(const ModelBlock& parent, Flaw flaw = Flaw::kNone);
  // So many valid blocks on `parent`; the last one.
  const ModelBlock& Extend(const ModelBlock& parent, uint32_t count);

 private:
  struct Draft {
    const ModelBlock* parent;
    Flaw flaw;
    std::vector<MutableTransaction> transactions;
    std::vector<OwnedOutput> fresh;  // made in this block, not yet spent in it
    std::set<OutPoint> used;
    Amount fees = 0;
  };

  bool DrawCoin(Draft& draft, OwnedOutput& coin, bool is_mature);
  void AddSpend(Draft& draft, const std::vector<OwnedOutput>& inputs, uint32_t outputs_count);
  void AddTransaction(Draft& draft, MutableTransaction transaction, Amount fee);
  void AddSpends(Draft& draft);
  // Transactions of other branches that fit here too.
  void AddForeignSpends(Draft& draft);
  void AddFlaw(Draft& draft);
  void SpoilSignature(Draft& draft);
  MutableTransaction MakeCoinbase(const Draft& draft);
  BlockHeader MakeHeader(const Draft& draft);

  ChainModel& model_;
  SimEntropy entropy_;
  SimClock& clock_;
  const uint32_t transactions_max_;
  const Wallet wallet_;
  uint64_t salt_ = 0;
};

}  // namespace headrace::sim
