// Copies the living among records that lie one behind the other: young ones that leave memory, and those of an old
// segment that is compacted. The index says which are alive: a record is when its outpoint's slot names this very
// place.
//
// Walking the records costs one prefetched bucket for each; scanning the index for slots that lead here would cost the
// whole index each time, gigabytes for a few megabytes of young records.
//
// Threads: the engine thread. A record's shard is locked for as long as its slot changes.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "storage/coins/coin_state.h"
#include "storage/coins/segment_writer.h"

namespace headrace {

// Records that follow one another without a gap.
struct RecordRun {
  ByteSpan bytes;
  RecordLocation location = 0;  // of the first
  // Records that begin here or later are not looked at, though their bytes may be in the run.
  uint64_t begin_end = 0;
};

class SurvivorCopier {
 public:
  SurvivorCopier(CoinState* state, SegmentWriter* writer) : state_(state), writer_(writer) {}

  // Returns where in the run the walk ended: at or behind begin_end.
  absl::StatusOr<uint64_t> Copy(const RecordRun& run);

  // Moves about `bytes_max` of a shard's young records, the oldest first, in whole chunks; returns the bytes walked.
  absl::StatusOr<uint64_t> MoveYoung(CoinShard& shard, uint64_t bytes_max);

 private:
  CoinState* const state_;
  SegmentWriter* const writer_;
};

}  // namespace headrace
