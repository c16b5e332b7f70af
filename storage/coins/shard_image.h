// What a checkpoint writes of a shard: its table's pages, then their checksums, zeros to the end of a page (FORMAT.md). A copy as
// of one moment, in memory of its own, so that windows change the table while the disk takes it.
//
// Taking one holds a window up, so all workers copy and sum, a page while it is in the cache. The memory is whole pages, huge ones
// where the table is large: the kernel can hand them to the disk as they are (FileOperation::passes_cache).
//
// Threads: Take is for the engine thread, and the executor's work inside. Whoever reads what is there ends before the next Take.
#pragma once

#include <cstdint>

#include "engine/base/bytes.h"
#include "engine/ports/executor.h"
#include "storage/coins/anonymous_memory.h"
#include "storage/coins/coin_table.h"
#include "storage/coins/page_checksums.h"

namespace headrace {

class ShardImage {
 public:
  // Of the table's image, checksums and all.
  static uint64_t BytesOf(const CoinTable& table);

  explicit ShardImage(uint64_t bytes_max);

  uint64_t bytes_max() const { return memory_.size(); }
  // In place of what was there; BytesOf(table) is at most bytes_max().
  void Take(const CoinTable& table, Executor* executor);
  ByteSpan bytes() const { return {memory_.data(), size_}; }
  // What the manifest holds: the sum of the pages' sums.
  uint32_t checksum() const { return checksum_; }

 private:
  AnonymousMemory memory_;
  uint64_t size_ = 0;
  uint32_t checksum_ = 0;
};

}  // namespace headrace
