// Copies the living among records that lie one behind the other: young ones that leave memory, and those of an old
// segment that is compacted. The index says which are alive: a record is when its outpoint's slot names this very
// place.
//
// Walking the records costs one prefetched bucket for each; scanning the index for slots that lead here would cost the
// whole index each time, gigabytes for a few megabytes of young records.
//
// Which are alive is found out by all workers, a run each; copying them, one behind the other into one segment, is the
// engine thread's.
//
// Threads: the engine thread, and the executor's inside its calls.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

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

  // The survivors of several runs, in their order.
  absl::Status Copy(std::span<const RecordRun> runs);

  // Moves about `bytes_max` of a shard's young records, the oldest first, in whole chunks; returns the bytes walked.
  absl::StatusOr<uint64_t> MoveYoung(CoinShard& shard, uint64_t bytes_max);

 private:
  struct Survivor {
    ByteSpan bytes;
    uint32_t shard;
    CoinTable::Position position;
  };
  // What walking one run finds; its memory is kept for the next.
  struct Walk {
    std::vector<Survivor> survivors;
    // Where a record made no sense; 0: nowhere.
    RecordLocation damage = 0;
  };

  void FindSurvivors(const RecordRun& run, Walk& walk) const;
  absl::Status Append(const Walk& walk, Segment& from);

  CoinState* const state_;
  SegmentWriter* const writer_;
  std::vector<Walk> walks_;
  std::vector<RecordRun> runs_;
};

}  // namespace headrace
