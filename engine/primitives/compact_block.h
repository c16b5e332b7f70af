// Compact blocks (BIP152, version 2): a block in which six bytes stand for each transaction that the receiver probably
// has, and the questions and answers about those that it has not.
//
// Values; any thread. Making one costs a SipHash a transaction.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/primitives/block_columns.h"

namespace headrace {

// A transaction that is sent whole, and its place in the block.
struct PrefilledTransaction {
  uint32_t index = 0;
  std::vector<uint8_t> bytes;  // with witness
  bool operator==(const PrefilledTransaction&) const = default;
};

struct CompactBlock {
  BlockHeader header;
  uint64_t nonce = 0;
  std::vector<uint64_t> short_ids;              // of those that are not sent, in the block's order
  std::vector<PrefilledTransaction> prefilled;  // by index, ascending; every index is below transaction_count()

  uint32_t transaction_count() const { return static_cast<uint32_t>(short_ids.size() + prefilled.size()); }
  bool operator==(const CompactBlock&) const = default;
};

// `getblocktxn`: the places of the transactions that are missing, ascending.
struct BlockTransactionsRequest {
  Hash256 block;
  std::vector<uint32_t> indexes;
  bool operator==(const BlockTransactionsRequest&) const = default;
};

// `blocktxn`: those transactions, with witness, in the order of the question.
struct BlockTransactions {
  Hash256 block;
  std::vector<std::vector<uint8_t>> transactions;
  bool operator==(const BlockTransactions&) const = default;
};
// Of all transactions together.
uint64_t TransactionBytes(const BlockTransactions& answer);

// What short ids are computed with: a key that nobody knows before the block and its nonce exist, so that transactions
// that collide cannot be prepared for everybody.
class ShortIdKey {
 public:
  static constexpr int kBytes = 6;

  ShortIdKey(const BlockHeader& header, uint64_t nonce);
  // BIP152: SipHash-2-4 of the wtxid (version 2), its two highest bytes dropped.
  uint64_t ShortId(const Hash256& wtxid) const;

 private:
  uint64_t key_[2];
};

// With the coinbase sent whole, which nobody can have. The columns' wtxids are filled.
CompactBlock MakeCompactBlock(const BlockColumns& block, uint64_t nonce);

}  // namespace headrace
