#include "engine/primitives/transaction_hashes.h"

#include "engine/primitives/transaction_view.h"

namespace headrace {

void HashTransactions(TransactionColumns& columns) {
  for (uint32_t t = 0; t < columns.transaction_count(); ++t) {
    const ByteSpan whole = TransactionView(columns, t).serialized();
    columns.wtxid[t] = Hash256(Sha256d(whole));
    if (columns.has_witness[t] == 0) {
      columns.txid[t] = columns.wtxid[t];
      continue;
    }
    Sha256Hasher hasher;
    hasher.Write(whole.first(4)).Write(columns.body[t].In(columns.raw)).Write(whole.last(4));
    columns.txid[t] = Hash256(hasher.FinishDouble());
  }
}

}  // namespace headrace
