// A block between its planning and its sealing: what its transactions spend and pay, decided by chance on one thread,
// and the signed bytes, filled in by others. Plans are used again block after block, so that their columns keep their
// memory.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "engine/primitives/amount.h"
#include "engine/primitives/hash256.h"
#include "tools/chaingen/era_profile.h"

namespace headrace::chaingen {

struct PlannedInput {
  uint32_t slot = 0;  // of the transaction that made the coin
  uint32_t index = 0;
  Lock lock;
  Amount amount = 0;
  uint32_t sequence = 0;
  uint8_t hash_type = 0;
};

struct PlannedOutput {
  Lock lock;
  Amount amount = 0;
  uint8_t data_bytes = 0;  // not zero: an output of so much data instead
};

struct PlannedTransaction {
  uint32_t slot = 0;
  uint32_t first_input = 0, input_count = 0;
  uint32_t first_output = 0, output_count = 0;
  uint32_t lock_time = 0;
  int32_t version = 0;
  uint64_t data_seed = 0;
  // One later than the latest of those whose outputs it spends within its own block; 0 without any.
  uint32_t wave = 0;
};

struct SignedTransaction {
  std::vector<uint8_t> serialized;  // witnesses included
  Hash256 txid;
  Hash256 wtxid;
};

// Coinbases count as transactions, their inputs do not count; genesis counts as a block with one of each.
struct ChainTotals {
  uint64_t blocks = 0;
  uint64_t bytes = 0;
  uint64_t transactions = 0;
  uint64_t inputs = 0;
  uint64_t outputs = 0;
  uint64_t signatures = 0;
  uint64_t commitments = 0;  // outputs of coinbases that commit to witnesses; counted in no script's share
  std::array<uint64_t, kScriptKinds> outputs_by_script{};
  std::array<uint64_t, kScriptKinds> inputs_by_script{};
  // Inputs whose coin was made in the same block, fewer than 10, fewer than 100 blocks ago, earlier.
  std::array<uint64_t, 4> inputs_by_age{};

  void Add(const ChainTotals& other);
};

struct BlockPlan {
  uint32_t height = 0;
  Amount fees = 0;
  bool has_witness = false;
  Lock coinbase_lock;
  uint32_t coinbase_slot = 0;
  std::vector<PlannedTransaction> transactions;
  std::vector<PlannedInput> inputs;
  std::vector<PlannedOutput> outputs;
  // Transactions whose last coin is spent here. Their slots are free once this block is sealed.
  std::vector<uint32_t> emptied_slots;
  ChainTotals totals;

  // One a transaction. Signers write their own entries alone.
  std::vector<SignedTransaction> signed_transactions;
  // Indexes of the transactions, wave after wave, and where in it each wave ends.
  std::vector<uint32_t> signing_order;
  std::vector<uint32_t> wave_ends;

  void Clear(uint32_t for_height);
  // Fills the last two by the transactions' waves, of which none is empty.
  void OrderByWave();
};

}  // namespace headrace::chaingen
