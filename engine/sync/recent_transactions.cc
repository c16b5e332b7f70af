#include "engine/sync/recent_transactions.h"

namespace headrace {

void RecentTransactions::AddBlock(const BlockColumns& block) {
  for (uint32_t t = 1; t < block.transaction_count(); ++t) {
    const TransactionView transaction = block.transaction(t);
    if (!known_.insert(transaction.wtxid()).second) continue;
    entries_.push_back({transaction.wtxid(), SharedBytes::From(Slab::Copy(transaction.serialized()))});
    bytes_ += transaction.total_size() + kOverheadBytes;
  }
  while (bytes_ > bytes_max_) {
    const Entry& oldest = entries_.front();
    bytes_ -= oldest.bytes.bytes.size() + kOverheadBytes;
    known_.erase(oldest.wtxid);
    entries_.pop_front();
  }
}

void RecentTransactions::ForEachTransaction(absl::FunctionRef<void(const Hash256&, const SharedBytes&)> visit) const {
  for (const Entry& entry : entries_) visit(entry.wtxid, entry.bytes);
}

}  // namespace headrace
