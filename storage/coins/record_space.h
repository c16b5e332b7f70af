// The location space: 8192 segment ids and what each stands for. Turns locations into bytes, and checks the pages of
// sealed segments when they are first touched, so that a rotten page is never mistaken for a missing coin.
//
// Threads: Read and IsRecordOf from any; a reader holds the lock of the shard whose location it follows, and whoever
// replaces or removes a segment passes through every shard's lock before its memory goes. Chunks are taken and given
// back by any worker; everything else belongs to the engine thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "absl/status/status.h"
#include "storage/coins/coin_record.h"
#include "storage/coins/segment.h"

namespace headrace {

class RecordSpace {
 public:
  RecordSpace();

  enum class ReadResult : uint8_t { kRead, kDamaged };
  enum class Answer : uint8_t { kNo, kYes, kDamaged };

  // The whole record at a location that the index holds. Damaged: a page fails its checksum, or the bytes make no record.
  ReadResult Read(RecordLocation location, CoinRecord& record) const;
  Answer IsRecordOf(RecordLocation location, const uint8_t* txid, uint32_t index) const;
  void Prefetch(RecordLocation location) const;
  // A sentence for a damaged location: which file, and what to do.
  absl::Status DamageAt(RecordLocation location) const;

  // Where young records go. A chunk is its number: segment id times chunks a segment plus the chunk's place.
  struct YoungChunk {
    uint32_t number = 0;
    uint8_t* at = nullptr;
    RecordLocation location = 0;
  };
  YoungChunk TakeYoungChunk();
  // Keeps the chunk's pages for the next taker unless free chunks hold more than `kept_bytes_max` already.
  void ReturnYoungChunk(uint32_t number, uint64_t kept_bytes_max);

  Segment* segment(uint32_t id) const { return table_[id].load(std::memory_order_acquire); }
  bool IsYoung(RecordLocation location) const { return segment(SegmentOf(location))->kind == SegmentKind::kYoung; }
  // A free id; there is always one, as garbage is bounded and small segments are merged. Not while workers take chunks.
  uint32_t TakeFreeId();
  // Puts a segment at its id and returns what was there, for the caller to keep until no reader can see it.
  std::unique_ptr<Segment> Put(std::unique_ptr<Segment> segment);
  std::unique_ptr<Segment> Remove(uint32_t id);
  // Old segments (open and sealed) by ascending id.
  std::vector<Segment*> OldSegments() const;

 private:
  std::array<std::unique_ptr<Segment>, kSegmentCount> owned_;
  // Acquire and release: a reader that finds a segment sees it whole.
  std::array<std::atomic<Segment*>, kSegmentCount> table_;
  std::mutex young_mutex_;
  std::vector<uint32_t> free_chunks_;
  uint32_t next_id_ = 0;
};

// The remedy that every sentence about a damaged store ends with.
inline constexpr char kReindexRemedy[] = "restart with -reindex-chainstate to rebuild the coin store from the block files";

}  // namespace headrace
