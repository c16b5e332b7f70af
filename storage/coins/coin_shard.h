// One of the 256 parts of the store, by the top bits of an outpoint's hash: its index table, its young records, and the
// block whose effects it holds. Shards never share anything mutable but the location space.
//
// Threads: Find takes the lock; whoever changes the table or frees records holds it too. The engine's workers read the
// table without it while they check a window, because only the engine's own calls write.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "absl/status/status.h"
#include "engine/ports/coin_store.h"
#include "storage/coins/coin_table.h"
#include "storage/coins/record_space.h"
#include "storage/coins/segment_writer.h"

namespace headrace {

class CoinShard {
 public:
  mutable std::mutex mutex;
  CoinTable table;
  BlockPoint point;

  // Encodes a record into the shard's young chunks.
  RecordLocation AppendYoung(RecordSpace& space, const uint8_t* txid, uint32_t index, const Coin& coin);

  // Copies every living record that is young or in a retiring segment to the open old segment, and gives the young
  // chunks back. Takes the lock. `moved_bytes` grows by what was copied.
  absl::Status MoveSurvivors(RecordSpace& space, SegmentWriter& writer, uint64_t kept_young_bytes, uint64_t& moved_bytes);

  uint64_t young_bytes() const { return young_bytes_; }

  // Calls visit(location, record bytes up to where the chunk was filled) for each chunk; for whole-set scans.
  template <typename Visit>
  void ForEachYoungChunk(Visit&& visit) const {
    for (const YoungExtent& extent : young_) visit(extent.chunk.location, ByteSpan(extent.chunk.at, extent.used));
  }

 private:
  struct YoungExtent {
    RecordSpace::YoungChunk chunk;
    uint32_t used = 0;
  };

  std::vector<YoungExtent> young_;
  uint64_t young_bytes_ = 0;
};

}  // namespace headrace
