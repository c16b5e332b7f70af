// The context-free rules of transactions, written plainly: what makes a transaction bad whatever it spends.
#pragma once

#include <set>

#include "engine/primitives/amount.h"
#include "engine/primitives/transaction_view.h"

namespace headrace::testing {

inline bool PlainCheckTransaction(TransactionView transaction) {
  if (transaction.input_count() == 0 || transaction.output_count() == 0) return false;
  if (transaction.stripped_size() * 4 > 4'000'000) return false;
  Amount total = 0;
  for (uint32_t o = 0; o < transaction.output_count(); ++o) {
    if (!IsMoney(transaction.amount(o))) return false;
    total += transaction.amount(o);
    if (!IsMoney(total)) return false;
  }
  std::set<OutPoint> prevouts;
  for (uint32_t i = 0; i < transaction.input_count(); ++i) {
    if (!prevouts.insert(transaction.prevout(i)).second) return false;
  }
  if (transaction.IsCoinbase()) {
    const size_t size = transaction.script_sig(0).size();
    return size >= 2 && size <= 100;
  }
  for (uint32_t i = 0; i < transaction.input_count(); ++i) {
    if (transaction.prevout(i).IsNull()) return false;
  }
  return true;
}

}  // namespace headrace::testing
