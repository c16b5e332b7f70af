// A window's creations and spends, partitioned by index shard in the order in which the blocks have them.
//
// Inside a shard the list is in consensus order: blocks, transactions, and of one transaction its spends before its
// creations. Walking it forwards applies the window, walking it backwards takes it back; since all operations on one
// outpoint are in one shard, shards need not know of each other.
//
// Threads: Partition runs on the executor and returns when done; afterwards any number may read. Cost: two passes over the
// blocks, 32 bytes an operation; the memory is kept from window to window.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "engine/base/endian.h"
#include "engine/crypto/small_hashes.h"
#include "engine/ports/coin_store.h"
#include "engine/ports/executor.h"
#include "storage/coins/coin_manifest.h"

namespace headrace {

struct CoinOp {
  enum Kind : uint8_t { kSpend, kCreate, kCreateInCoinbase };

  uint64_t hash;
  const uint8_t* txid;  // of the coin's outpoint
  uint32_t index;
  uint32_t block;       // position in the window
  uint32_t item;        // of a spend the input, of a creation the output, in the block's columns
  Kind kind;
};
static_assert(sizeof(CoinOp) == 32);

// Calls visit(kind, txid, index, item) for everything a block does to the set, in consensus order. Outputs that can never
// be spent are not coins; the coinbase's input spends none.
template <typename Visit>
void ForEachCoinOp(const BlockColumns& columns, Visit&& visit) {
  for (uint32_t transaction = 0; transaction < columns.transaction_count(); ++transaction) {
    if (transaction > 0) {
      for (uint32_t input = columns.first_input[transaction]; input < columns.first_input[transaction + 1]; ++input) {
        const uint8_t* prevout = columns.prevout_bytes(input);
        visit(CoinOp::kSpend, prevout, LoadLittle32(prevout + 32), input);
      }
    }
    const CoinOp::Kind kind = transaction == 0 ? CoinOp::kCreateInCoinbase : CoinOp::kCreate;
    const uint32_t first = columns.first_output[transaction];
    for (uint32_t output = first; output < columns.first_output[transaction + 1]; ++output) {
      if (IsUnspendable(columns.script_pubkey[output].In(columns.raw))) continue;
      visit(kind, columns.txid[transaction].bytes.data(), output - first, output);
    }
  }
}

inline uint64_t HashOutPoint(const uint64_t (&hash_key)[2], const uint8_t* txid, uint32_t index) {
  uint8_t outpoint[OutPoint::kSerializedBytes];
  std::memcpy(outpoint, txid, 32);
  StoreLittle(outpoint + 32, index);
  return SipHash13OutPoint(hash_key[0], hash_key[1], outpoint);
}

constexpr uint32_t ShardOf(uint64_t hash) { return static_cast<uint32_t>(hash >> 56); }
static_assert(kCoinShardCount == 1u << 8);

class WindowOps {
 public:
  // The blocks' columns must outlive the use of the operations.
  void Partition(std::span<const WindowBlock> window, const uint64_t (&hash_key)[2], Executor* executor);

  std::span<const CoinOp> shard(uint32_t shard) const {
    return {ops_.get() + shard_begin_[shard], shard_begin_[shard + 1] - shard_begin_[shard]};
  }
  size_t size() const { return shard_begin_[kCoinShardCount]; }
  // Position of a block's first input among all inputs of the window.
  size_t first_input(uint32_t block) const { return blocks_[block].first_input; }
  size_t input_count() const { return blocks_.back().first_input; }
  // In use or kept for the next window.
  uint64_t memory_bytes() const {
    return ops_capacity_ * sizeof(CoinOp) + hashes_capacity_ * sizeof(uint64_t) + blocks_.capacity() * sizeof(BlockShare);
  }

 private:
  // One a block, and one more with the totals.
  struct BlockShare {
    size_t first_input = 0;
    size_t first_item = 0;  // inputs and outputs
    std::array<uint32_t, kCoinShardCount> count;
    std::array<size_t, kCoinShardCount> next;
  };

  std::vector<BlockShare> blocks_;
  std::unique_ptr<uint64_t[]> hashes_;
  size_t hashes_capacity_ = 0;
  std::unique_ptr<CoinOp[]> ops_;
  size_t ops_capacity_ = 0;
  std::array<size_t, kCoinShardCount + 1> shard_begin_{};
};

}  // namespace headrace
