// Compaction: empties old segments that are mostly dead, so that their files can go. Each is walked front to back: in memory
// while it is there, else read through the File port, a piece while the one before is walked, and its pages are checked. What is
// alive is copied to the open segment.
//
// It is a checkpoint's first part: the index images that are copied later name no retiring segment, whose file goes
// when the manifest is durable. Given up in the middle, every coin is in the old place or in the new one.
//
// Threads: the engine thread. A step walks about as many bytes as it is told, and waits for the disk only when told to.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/coins/survivor_copier.h"

namespace headrace {

class SegmentCompaction {
 public:
  SegmentCompaction(CoinState* state, SegmentWriter* writer) : state_(state), writer_(writer), copier_(state, writer) {}
  ~SegmentCompaction() { Abandon(); }

  // Segments that have their files, by id.
  void Begin(std::deque<uint32_t> retiring);
  // True when all of them are empty.
  absl::StatusOr<bool> Step(uint64_t bytes_max, bool wait);
  // Waits for what is being read, and forgets the rest.
  void Abandon();

 private:
  // A piece of a segment's body on its way from the file, and the beginnings of records behind it.
  struct Piece {
    uint64_t offset = 0;
    std::vector<uint8_t> bytes;
    FileBatchRef batch;
  };

  void OpenNext();
  void StartReading();
  absl::Status CheckPages(const Piece& piece) const;
  // The records that begin in [offset, offset + kPieceBytes) of the first retiring segment's body.
  absl::Status Walk(ByteSpan bytes, uint64_t offset);
  absl::Status WalkInMemory();

  CoinState* const state_;
  SegmentWriter* const writer_;
  SurvivorCopier copier_;

  std::deque<uint32_t> retiring_;  // the first is the one being read, once file_ is open
  FileRef file_;
  uint64_t read_from_ = 0;    // where the next piece begins
  uint64_t next_record_ = 0;  // where the walk goes on
  std::deque<Piece> pieces_;
  std::vector<RecordRun> runs_;
};

}  // namespace headrace
