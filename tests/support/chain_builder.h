// Small regtest chains for tests: properly mined blocks over any parent, whose coins are spent by trivial scripts
// (OP_TRUE) or by ones that must fail. A naive unspent set follows each branch, so that a test knows what must be there.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "engine/base/slab.h"
#include "engine/primitives/amount.h"
#include "engine/primitives/block_header.h"
#include "engine/primitives/outpoint.h"

namespace headrace::testing {

struct TestCoin {
  Amount amount;
  uint32_t height;
  bool is_coinbase;
  std::vector<uint8_t> script;
  bool operator==(const TestCoin&) const = default;
};

// Obviously right: an ordered map, one coin at a time.
using TestCoinSet = std::map<OutPoint, TestCoin>;

struct TestOutput {
  Amount amount;
  std::vector<uint8_t> script;
};

struct TestTransaction {
  std::vector<OutPoint> inputs;
  std::vector<TestOutput> outputs;
  uint32_t sequence = 0xffffffff;
  uint32_t lock_time = 0;
  std::vector<uint8_t> script_sig;

  std::vector<uint8_t> Serialize() const;
  Hash256 Txid() const;
};

struct TestBlock {
  BlockHeader header;
  Hash256 hash;
  uint32_t height = 0;
  SlabRef raw;
  std::vector<TestTransaction> transactions;  // the coinbase first
  std::vector<Hash256> txids;                 // of the same
};

// Tries nonces until the header has regtest's proof of work.
void MineHeader(BlockHeader& header);

inline const std::vector<uint8_t> kTrueScript = {0x51};
inline const std::vector<uint8_t> kFalseScript = {0x00};

// One branch: genesis and what was built on it. Copying it forks.
class ChainBuilder {
 public:
  ChainBuilder();

  // Mines a block on the tip. `coinbase_value` -1: subsidy and fees. The block joins the branch and its naive set,
  // whether or not its rules hold. `salt` makes coinbases of competing branches differ.
  const TestBlock& Add(std::vector<TestTransaction> transactions = {}, Amount coinbase_value = -1, uint32_t salt = 0);
  // The same with a coinbase of one's own: `transactions` begin with it. For networks whose rules allow what Add never makes.
  const TestBlock& AddExactly(std::vector<TestTransaction> transactions);

  // A transaction that spends `inputs` of the set to `outputs_count` OP_TRUE outputs, `fee` left over.
  TestTransaction Spend(const std::vector<OutPoint>& inputs, uint32_t outputs_count, Amount fee = 0) const;
  // The coinbase output of an own block.
  OutPoint CoinbaseOf(uint32_t height) const;

  const std::vector<std::shared_ptr<const TestBlock>>& blocks() const { return blocks_; }  // without genesis
  uint32_t height() const { return static_cast<uint32_t>(blocks_.size()); }
  const TestCoinSet& coins() const { return coins_; }
  // Back to a lower tip; the naive set is made anew.
  void TruncateTo(uint32_t height);

 private:
  void ApplyToSet(const TestBlock& block);

  BlockHeader genesis_;
  std::vector<std::shared_ptr<const TestBlock>> blocks_;
  TestCoinSet coins_;
};

// The field's hash_serialized_3 of a naive set, and its MuHash.
Hash256 HashSerialized3(const TestCoinSet& coins);
Hash256 MuHashOf(const TestCoinSet& coins);

}  // namespace headrace::testing
