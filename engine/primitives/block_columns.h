// A block as columns: its header and hash beside the columns of its transactions.
#pragma once

#include "engine/primitives/block_header.h"
#include "engine/primitives/transaction_columns.h"
#include "engine/primitives/transaction_view.h"

namespace headrace {

struct BlockColumns : TransactionColumns {
  BlockHeader header;
  Hash256 hash;

  TransactionView transaction(uint32_t index) const { return {*this, index}; }
  // Serialised size with witness and without; weight (BIP141).
  uint32_t total_size() const { return static_cast<uint32_t>(raw.size()); }
  uint32_t stripped_size() const;
  uint32_t weight() const { return stripped_size() * 3 + total_size(); }
};

}  // namespace headrace
