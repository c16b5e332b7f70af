// The transactions of blocks that are not of the chain any more, or never were: those that a reorganisation
// disconnected, and those of branches that lost. Most of them come again in the next blocks, which are then put
// together from them. (BIP152)
//
// Engine thread. Bounded by bytes: the oldest go first. Each transaction is copied once.
#pragma once

#include <cstdint>
#include <deque>

#include "absl/container/flat_hash_set.h"
#include "engine/ports/transaction_source.h"
#include "engine/primitives/block_columns.h"

namespace headrace {

class RecentTransactions final : public TransactionSource {
 public:
  // Four of the largest blocks there can be.
  static constexpr uint64_t kBytesMax = uint64_t{16} << 20;
  // What a transaction takes beside its bytes: its name twice, its slab, its places in two containers.
  static constexpr uint64_t kOverheadBytes = 200;

  explicit RecentTransactions(uint64_t bytes_max = kBytesMax) : bytes_max_(bytes_max) {}

  // All but the coinbase, which is of no other block. The columns' wtxids are filled.
  void AddBlock(const BlockColumns& block);

  void ForEachTransaction(absl::FunctionRef<void(const Hash256& wtxid, const SharedBytes& bytes)> visit) const override;
  size_t transaction_count() const override { return entries_.size(); }
  uint64_t bytes() const { return bytes_; }

 private:
  struct Entry {
    Hash256 wtxid;
    SharedBytes bytes;
  };

  const uint64_t bytes_max_;
  std::deque<Entry> entries_;  // the oldest first
  absl::flat_hash_set<Hash256> known_;
  uint64_t bytes_ = 0;
};

}  // namespace headrace
