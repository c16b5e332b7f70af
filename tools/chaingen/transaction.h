// Transactions that own their parts, for building. Any thread, one at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/primitives/amount.h"
#include "engine/primitives/hash256.h"
#include "engine/primitives/outpoint.h"

namespace headrace::chaingen {

using Bytes = std::vector<uint8_t>;

struct Input {
  OutPoint previous;
  Bytes script_sig;
  uint32_t sequence = 0xffffffff;
  std::vector<Bytes> witness;
};

struct Output {
  Amount amount = 0;
  Bytes script;
};

struct Transaction {
  int32_t version = 2;
  std::vector<Input> inputs;
  std::vector<Output> outputs;
  uint32_t lock_time = 0;

  bool HasWitness() const;
  Bytes Serialize(bool with_witness) const;
  Hash256 Txid() const;
};

}  // namespace headrace::chaingen
