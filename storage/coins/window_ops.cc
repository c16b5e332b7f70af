#include "storage/coins/window_ops.h"

#include "engine/base/span.h"
#include "engine/primitives/coin.h"

namespace headrace {
namespace {

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
    const Span span(SpanKind::kPartition);
    for (size_t block = begin; block < end; ++block) {
      BlockShare& share = blocks_[block];
      share.count.fill(0);
      uint64_t* hash = hashes_.get() + share.first_item;
      ForEachCoinOp(*window[block].columns, [&](CoinOp::Kind, const uint8_t* txid, uint32_t index, uint32_t) {
        *hash = HashOutPoint(hash_key, txid, index);
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
    const Span span(SpanKind::kPartition);
    for (size_t block = begin; block < end; ++block) {
      BlockShare& share = blocks_[block];
      const uint64_t* hash = hashes_.get() + share.first_item;
      ForEachCoinOp(*window[block].columns, [&](CoinOp::Kind kind, const uint8_t* txid, uint32_t index, uint32_t item) {
        ops_[share.next[ShardOf(*hash)]++] = {*hash, txid, index, static_cast<uint32_t>(block), item, kind};
        ++hash;
      });
    }
  });
}

}  // namespace headrace
