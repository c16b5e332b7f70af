// One of the 256 parts of the store, by the top bits of an outpoint's hash: its index table, its young records, and the
// block whose effects it holds. Shards never share anything mutable but the location space.
//
// Threads: one of the engine's workers at a time; any number while only looking. Readers of single coins use nothing but
// the table's FindBesideWriter.
#pragma once

#include <cstdint>
#include <deque>

#include "engine/ports/coin_store.h"
#include "storage/coins/coin_table.h"
#include "storage/coins/record_space.h"

namespace headrace {

class CoinShard {
 public:
  CoinTable table;
  BlockPoint point;

  // Encodes a record into the shard's young chunks.
  RecordLocation AppendYoung(RecordSpace& space, const uint8_t* txid, uint32_t index, const Coin& coin);

  // A chunk of young records, filled from its beginning.
  struct YoungExtent {
    RecordSpace::YoungChunk chunk;
    uint32_t used = 0;
  };
  // Extents leave in the order in which they were filled, after their living records were moved; there must be one. Whoever
  // drops the last of them makes the next record begin a chunk.
  const YoungExtent& oldest_young() const { return young_.front(); }
  void DropOldestYoung() {
    young_bytes_ -= young_.front().used;
    young_.pop_front();
  }

  uint64_t young_bytes() const { return young_bytes_; }

  // Calls visit(extent), the oldest first, until it says no.
  template <typename Visit>
  void ForEachYoungExtent(Visit&& visit) const {
    for (const YoungExtent& extent : young_) {
      if (!visit(extent)) return;
    }
  }

 private:
  std::deque<YoungExtent> young_;
  uint64_t young_bytes_ = 0;
};

}  // namespace headrace
