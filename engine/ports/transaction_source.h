// Transactions that the node has and that are in no block of its chain: what compact blocks are put together from.
//
// Engine thread. A visit of all costs one call a transaction.
#pragma once

#include <cstddef>

#include "absl/functional/function_ref.h"
#include "engine/base/slab.h"
#include "engine/primitives/hash256.h"

namespace headrace {

class TransactionSource {
 public:
  virtual ~TransactionSource() = default;
  // Every transaction once, serialised with its witness. Whoever wants to keep the bytes copies the handle.
  virtual void ForEachTransaction(absl::FunctionRef<void(const Hash256& wtxid, const SharedBytes& bytes)> visit) const = 0;
  virtual size_t transaction_count() const = 0;
};

}  // namespace headrace
