// Makes a chain block by block: a planner decides what a block contains, signers make its bytes on all threads, and the
// caller seals it. The bytes depend on the shape alone, whatever the number of threads.
//
// One thread calls. Memory: the unspent set (see coin_pool.h and transaction_table.h) and the blocks in flight.
#pragma once

#include <cstdint>
#include <functional>

#include "tools/chaingen/block_pipeline.h"
#include "tools/chaingen/block_sealer.h"
#include "tools/chaingen/chain_shape.h"
#include "tools/chaingen/key_ring.h"
#include "tools/chaingen/nonce_table.h"
#include "tools/chaingen/set_digest.h"
#include "tools/chaingen/transaction_signer.h"
#include "tools/chaingen/transaction_table.h"

namespace headrace::chaingen {

class ChainGenerator {
 public:
  // The shape's shares must be possible (see WeightsWith).
  explicit ChainGenerator(const ChainShape& shape);

  bool done() const { return totals_.blocks > shape_.blocks; }
  // The next raw block, genesis first; not when done.
  Bytes NextBlock();

  const ChainTotals& totals() const { return totals_; }
  // Of the last block made.
  uint32_t height() const { return static_cast<uint32_t>(totals_.blocks - 1); }
  const Hash256& tip() const { return sealer_.tip(); }

  // Of the whole chain, when done. Works through the set part by part: some 80 MB beside it.
  SetDigest DigestOfUnspent() const;

 private:
  const ChainShape shape_;
  const KeyRing keys_;
  const NonceTable nonces_;
  TransactionTable table_;
  BlockPlanner planner_;
  const TransactionSigner signer_;
  BlockSealer sealer_;
  ChainTotals totals_;
  // Last: its threads end before what they work on.
  BlockPipeline pipeline_;
};

}  // namespace headrace::chaingen
