#include "storage/coins/window_ops.h"

#include "engine/crypto/small_hashes.h"
#include "engine/primitives/coin.h"

namespace headrace {
namespace {

// Calls visit(kind, txid, index, item) for everything a block does to the set, in consensus order. Outputs that can never
// be spent are not coins; the coinbase's input spends none.
template <typename Visit>
void ForEachOp(const BlockColumns& columns, Visit&& visit) {
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

template <typename T>
void EnsureCapacity(std::unique_ptr<T[]>& memory, size_t& capacity, size_t needed) {
  if (needed <= capacity) return;
  capacity = needed + needed / 4;
  memory = std::make_unique_for_overwrite<T[]>(capacity);
}

}  // namespace

void WindowOps::Partition(std::span<const WindowBlock> window, const uint64_t (&hash_key)[2], Executor* executor) {
  blocks_.resize(window.size() + 1);
  blocks_[0].first_input = 0;
  blocks_[0].first_item = 0;
  for (size_t block = 0; block < window.size(); ++block) {
    const BlockColumns& columns = *window[block].columns;
    blocks_[block + 1].first_input = blocks_[block].first_input + columns.input_count();
    blocks_[block + 1].first_item = blocks_[block].first_item + columns.input_count() + columns.output_count();
  }
  EnsureCapacity(hashes_, hashes_capacity_, blocks_.back().first_item);

  executor->ParallelFor(window.size(), 1, [&](size_t begin, size_t end) {
    for (size_t block = begin; block < end; ++block) {
      BlockShare& share = blocks_[block];
      share.count.fill(0);
      uint64_t* hash = hashes_.get() + share.first_item;
      ForEachOp(*window[block].columns, [&](CoinOp::Kind, const uint8_t* txid, uint32_t index, uint32_t) {
        uint8_t outpoint[OutPoint::kSerializedBytes];
        std::memcpy(outpoint, txid, 32);
        StoreLittle(outpoint + 32, index);
        *hash = SipHash13OutPoint(hash_key[0], hash_key[1], outpoint);
        ++share.count[ShardOf(*hash++)];
      });
    }
  });

  size_t total = 0;
  for (uint32_t shard = 0; shard < kCoinShardCount; ++shard) {
    shard_begin_[shard] = total;
    for (size_t block = 0; block < window.size(); ++block) {
      blocks_[block].next[shard] = total;
      total += blocks_[block].count[shard];
    }
  }
  shard_begin_[kCoinShardCount] = total;
  EnsureCapacity(ops_, ops_capacity_, total);

  executor->ParallelFor(window.size(), 1, [&](size_t begin, size_t end) {
    for (size_t block = begin; block < end; ++block) {
      BlockShare& share = blocks_[block];
      const uint64_t* hash = hashes_.get() + share.first_item;
      ForEachOp(*window[block].columns, [&](CoinOp::Kind kind, const uint8_t* txid, uint32_t index, uint32_t item) {
        ops_[share.next[ShardOf(*hash)]++] = {*hash, txid, index, static_cast<uint32_t>(block), item, kind};
        ++hash;
      });
    }
  });
}

}  // namespace headrace
