// A pool of transactions for tests of compact blocks: what a test puts in, under the names that it says.
#pragma once

#include <utility>
#include <vector>

#include "engine/ports/transaction_source.h"
#include "engine/primitives/decode.h"
#include "engine/primitives/transaction_hashes.h"
#include "tests/support/chain_builder.h"

namespace headrace::testing {

class KnownTransactions final : public TransactionSource {
 public:
  void Add(const TestTransaction& transaction) { Add(transaction.Txid(), transaction.Serialize()); }
  void Add(const Hash256& wtxid, const std::vector<uint8_t>& bytes) {
    entries_.emplace_back(wtxid, SharedBytes::From(Slab::Copy(bytes)));
  }
  void Clear() { entries_.clear(); }

  void ForEachTransaction(absl::FunctionRef<void(const Hash256&, const SharedBytes&)> visit) const override {
    for (const auto& [wtxid, bytes] : entries_) visit(wtxid, bytes);
  }
  size_t transaction_count() const override { return entries_.size(); }

 private:
  std::vector<std::pair<Hash256, SharedBytes>> entries_;
};

inline CompactBlock CompactOf(const TestBlock& block, uint64_t nonce = 5) {
  BlockColumns columns;
  HR_CHECK(DecodeBlock(block.raw->bytes(), columns) == DecodeError::kNone);
  HashTransactions(columns);
  return MakeCompactBlock(columns, nonce);
}

// What an honest peer answers.
inline BlockTransactions AnswerTo(const BlockTransactionsRequest& request, const TestBlock& block) {
  BlockTransactions answer{request.block, {}};
  for (const uint32_t index : request.indexes) answer.transactions.push_back(block.transactions[index].Serialize());
  return answer;
}

}  // namespace headrace::testing
