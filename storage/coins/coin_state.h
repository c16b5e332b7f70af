// What the parts of the coin store share: the shards, the location space, and the ports. One store, one state; who may
// touch what from where is said by the store (flat_coin_store.h).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "engine/ports/executor.h"
#include "storage/coins/coin_manifest.h"
#include "storage/coins/coin_shard.h"
#include "storage/coins/pinned_files.h"
#include "storage/coins/record_space.h"
#include "storage/file/file_system.h"

namespace headrace {

struct CoinState {
  FileSystem* files = nullptr;
  Executor* executor = nullptr;
  // What whole-set work runs on, and the memory it takes for a part.
  Executor* whole_set_executor = nullptr;
  uint64_t whole_set_part_bytes = 0;
  // Shared with whoever has pinned a manifest, and may outlive the store.
  std::shared_ptr<PinnedFiles> pins;
  std::string directory;
  uint32_t network_magic = 0;
  uint64_t hash_key[2] = {0, 0};
  uint64_t cache_bytes_max = 0;
  uint64_t checkpoint_step_bytes = 0;
  // Of index tables, on their way to an image.
  uint64_t copies_bytes = 0;
  // Of a window's lists and plans, kept for the next one.
  uint64_t window_bytes = 0;

  RecordSpace space;
  std::array<CoinShard, kCoinShardCount> shards;

  uint64_t coins() const {
    uint64_t total = 0;
    for (const CoinShard& shard : shards) total += shard.table.size();
    return total;
  }
  uint64_t index_bytes() const {
    uint64_t total = 0;
    for (const CoinShard& shard : shards) total += shard.table.bytes();
    return total;
  }
  uint64_t young_bytes() const {
    uint64_t total = 0;
    for (const CoinShard& shard : shards) total += shard.young_bytes();
    return total;
  }
  // Young records and what is left over in their chunks. Where every shard's chunk is half empty that is 8 MiB: a cache
  // budget of which this is a large part has no room for it, and chunks are what they are.
  uint64_t young_memory() const {
    const uint64_t records = young_bytes();
    return records + std::min(space.taken_bytes() - records, cache_bytes_max / 8);
  }
  // What the cache budget leaves to records in memory, young ones above all, beside the index, segments that are being
  // filled, the copies of a checkpoint and a window's lists; never less than an eighth of it, or nothing could be applied
  // when the index alone exceeds it.
  uint64_t young_bytes_max() const {
    const uint64_t others = index_bytes() + space.filling_bytes() + copies_bytes + window_bytes;
    const uint64_t least = cache_bytes_max / 8;
    return others + least >= cache_bytes_max ? least : cache_bytes_max - others;
  }
  // And of that, what is left to memory without young records in it (RecordSpace::kept_bytes).
  uint64_t kept_bytes_max() const {
    const uint64_t most = young_bytes_max();
    return most - std::min(most, young_memory());
  }
  // A segment takes an eighth of the budget at most; where the budget is no more than the index, an eighth of that.
  uint64_t segment_bytes_max() const {
    const uint64_t share = std::max(cache_bytes_max, index_bytes()) / 8;
    return RoundUpToPage(std::clamp(share, kSmallStoreSegmentBytes, kSegmentBytes));
  }
};

}  // namespace headrace
