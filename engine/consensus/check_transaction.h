// The rules for one transaction that need no unspent set. Any thread; pure.
#pragma once

#include <cstdint>

#include "engine/consensus/verdict.h"
#include "engine/primitives/transaction_view.h"

namespace headrace {

// Lock times below this are heights, others are seconds.
inline constexpr uint32_t kLockTimeThreshold = 500'000'000;
inline constexpr uint32_t kSequenceFinal = 0xffffffff;

// Shape, size, amounts, repeated inputs, coinbase script length, null prevouts: in the field's order. Reads txids of
// nothing. Duplicate inputs are found by sorting from a few inputs on: O(n log n).
Verdict CheckTransaction(TransactionView transaction);

// Whether a transaction may stand in a block of this height; `lock_time_cutoff` as in BlockContext.
bool IsFinal(TransactionView transaction, uint32_t height, int64_t lock_time_cutoff);

}  // namespace headrace
