// Closes a signed block: its coinbase with the witness commitment, the Merkle root, a header that meets regtest's
// target on top of the block before. One thread, in order of height.
#pragma once

#include "tools/chaingen/block_plan.h"
#include "tools/chaingen/key_ring.h"
#include "tools/chaingen/transaction_table.h"

namespace headrace::chaingen {

class BlockSealer {
 public:
  // Both must outlive it.
  BlockSealer(const KeyRing& keys, TransactionTable& table) : keys_(keys), table_(table) {}

  // The raw genesis block, before any other.
  Bytes SealGenesis();
  // The raw block. Makes the coinbase's txid known.
  Bytes Seal(const BlockPlan& plan);

  // Of the last block.
  const Hash256& tip() const { return tip_; }

 private:
  MutableTransaction MakeCoinbase(const BlockPlan& plan) const;

  const KeyRing& keys_;
  TransactionTable& table_;
  Hash256 tip_;
};

}  // namespace headrace::chaingen
