// Turns a planned transaction into signed bytes. Any number of threads at a time, each on transactions of its own, once
// everything that they spend is signed. About three microseconds an input.
#pragma once

#include <vector>

#include "tools/chaingen/block_plan.h"
#include "tools/chaingen/key_ring.h"
#include "tools/chaingen/nonce_table.h"
#include "tools/chaingen/transaction_table.h"

namespace headrace::chaingen {

class TransactionSigner {
 public:
  // All must outlive it.
  TransactionSigner(const KeyRing& keys, const NonceTable& nonces, TransactionTable& table)
      : keys_(keys), nonces_(nonces), table_(table) {}

  // Fills the plan's signed transaction of this index and makes its txid known.
  void Sign(BlockPlan& plan, size_t index) const;

 private:
  MutableTransaction Build(const BlockPlan& plan, const PlannedTransaction& planned) const;
  std::vector<uint8_t> DataScript(const PlannedTransaction& planned, uint32_t output, uint8_t data_bytes) const;

  const KeyRing& keys_;
  const NonceTable& nonces_;
  TransactionTable& table_;
};

}  // namespace headrace::chaingen
