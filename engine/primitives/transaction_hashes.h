// txid and wtxid of every transaction of a set of columns (BIP141): txid leaves marker, flag and witnesses out.
#pragma once

#include "engine/primitives/transaction_columns.h"

namespace headrace {

// Fills columns.txid and columns.wtxid. A transaction without witness is hashed once. The wtxid of a block's coinbase is
// its hash; the witness commitment's rule that it counts as zero belongs to the Merkle root.
void HashTransactions(TransactionColumns& columns);

}  // namespace headrace
