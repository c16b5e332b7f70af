// A transaction that owns its parts, for building and signing; blocks in flight are columns over raw bytes instead
// (transaction_columns.h). Any thread, one at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/primitives/amount.h"
#include "engine/primitives/hash256.h"
#include "engine/primitives/outpoint.h"
#include "engine/primitives/transaction_view.h"

namespace headrace {

struct TransactionInput {
  OutPoint prevout;
  std::vector<uint8_t> script_sig;
  uint32_t sequence = 0xffffffff;
  std::vector<std::vector<uint8_t>> witness;
};

struct TransactionOutput {
  Amount amount = 0;
  std::vector<uint8_t> script;
};

struct MutableTransaction {
  int32_t version = 2;
  std::vector<TransactionInput> inputs;
  std::vector<TransactionOutput> outputs;
  uint32_t lock_time = 0;

  bool HasWitness() const;
  // Witnesses are written when they are wanted and there are any (BIP144).
  std::vector<uint8_t> Serialize(bool with_witness = true) const;
  Hash256 Txid() const;
};

// A copy of the parts of decoded bytes.
MutableTransaction Unpack(TransactionView transaction);

}  // namespace headrace
