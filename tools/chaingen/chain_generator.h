// Makes a chain block by block: plans transactions from the pool of coins, signs them on all threads, seals the block.
//
// A block is made in two waves: most transactions spend coins of earlier blocks, the others also those of the first wave,
// whose txids must be known by then. Planning draws all random numbers on one thread, signing draws none, so the bytes
// depend on the shape alone. While coins are scarce (the beginning), transactions fan out into many outputs.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/primitives/block_header.h"
#include "tools/chaingen/chain_shape.h"
#include "tools/chaingen/coin_pool.h"
#include "tools/chaingen/key_ring.h"
#include "tools/chaingen/set_digest.h"
#include "engine/primitives/mutable_transaction.h"

namespace headrace::chaingen {

// Coinbases count as transactions, their inputs do not count; genesis counts as a block with one of each.
struct ChainTotals {
  uint64_t blocks = 0;
  uint64_t bytes = 0;
  uint64_t transactions = 0;
  uint64_t inputs = 0;
  uint64_t outputs = 0;
  uint64_t signatures = 0;
};

class ChainGenerator {
 public:
  explicit ChainGenerator(const ChainShape& shape);

  bool done() const { return totals_.blocks > shape_.blocks; }
  // The next raw block, genesis first; not when done.
  Bytes NextBlock();

  const ChainTotals& totals() const { return totals_; }
  // Of the last block made.
  uint32_t height() const { return static_cast<uint32_t>(totals_.blocks - 1); }
  const Hash256& tip() const { return tip_; }
  SetDigest DigestOfUnspent() const;

 private:
  struct Plan;
  struct BlockBudget;

  Lock DrawLock(bool& is_data);
  uint8_t DrawHashType(bool has_matching_output);
  bool PlanTransaction(BlockBudget& budget, Plan& plan);
  void PlanInputs(BlockBudget& budget, Plan& plan);
  void PlanOutputs(Amount total, BlockBudget& budget, Plan& plan);
  void AddDataOutput(Plan& plan);
  void MakeWave(uint32_t count, uint32_t available_from, BlockBudget& budget, std::vector<Plan>& plans);
  void AddCoins(const Plan& plan, uint32_t available_from);
  MutableTransaction MakeCoinbase(uint32_t height, Amount fees, const std::vector<Plan>& plans);
  Bytes SealBlock(uint32_t height, const MutableTransaction& coinbase, const std::vector<Plan>& plans);

  const ChainShape shape_;
  const LockWeights weights_;
  const uint32_t weights_sum_;
  Random random_;
  KeyRing keys_;
  CoinPool coins_;
  Hash256 tip_;
  ChainTotals totals_;
};

}  // namespace headrace::chaingen
