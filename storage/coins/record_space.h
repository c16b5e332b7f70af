// The location space: 8192 segment ids and what each stands for. A location is an address in one reserved range, so turning it
// into bytes is an addition. Checks the pages of sealed segments when they are first touched, so that a rotten page is never
// mistaken for a missing coin.
//
// Memory here is type-stable: what an address or a segment id stands for may be replaced, and neither ever goes away, so readers
// of single coins hold nothing and nobody waits for them. They use CopyAnything and Check, and find out from the index whether
// what they got was a record.
//
// Threads: Read, IsRecordOf and Prefetch from any while nothing is replaced (the engine's workers inside its calls); CopyAnything,
// Check and DamageAt from any at any time. Chunks are taken and given back by any worker; everything else belongs to the engine
// thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "storage/coins/coin_record.h"
#include "storage/coins/reserved_memory.h"
#include "storage/coins/segment.h"

namespace headrace {

class RecordSpace {
 public:
  RecordSpace();

  // Sets the addresses aside; first of all. `directory` is where sealed segments have their files.
  absl::Status Reserve(const std::string& directory);

  enum class ReadResult : uint8_t { kRead, kDamaged };
  enum class Answer : uint8_t { kNo, kYes, kDamaged };

  // The whole record at a location that the index holds. Damaged: a page fails its checksum, or the bytes make no record.
  ReadResult Read(RecordLocation location, CoinRecord& record) const;
  Answer IsRecordOf(RecordLocation location, const uint8_t* txid, uint32_t index) const;
  void Prefetch(RecordLocation location) const {
    const uint8_t* at = AddressOf(location);
    __builtin_prefetch(at);
    // Three records out of four go over a line's end.
    __builtin_prefetch(at + 63);
  }

  // Beside the engine: copies what is at a location that some slot held, whatever it is by now, as far as the segment and
  // `out` go; multiples of eight bytes. Answers how much.
  size_t CopyAnything(RecordLocation location, std::span<uint64_t> out) const;
  // Whether the segment's pages under the first `size` bytes from there are what was written, as far as that can be told.
  // The answer counts only for a location that is still in the index.
  bool Check(RecordLocation location, uint64_t size) const;
  // A sentence for a damaged location: which file, and what to do.
  absl::Status DamageAt(RecordLocation location) const;

  // Where young records go. A chunk is its number: segment id times chunks a segment plus the chunk's place.
  struct YoungChunk {
    uint32_t number = 0;
    uint8_t* at = nullptr;
    RecordLocation location = 0;
  };
  YoungChunk TakeYoungChunk();
  // For the next taker, with its pages or without.
  void ReturnYoungChunk(uint32_t number, bool keeps_pages);

  // Chunks that were taken and not returned.
  uint64_t taken_bytes() const { return taken_chunks_ * uint64_t{kYoungChunkBytes}; }
  // Memory of segments that are being filled or are on their way to their files, as their writer says.
  uint64_t filling_bytes() const { return filling_bytes_; }
  void SetFillingBytes(uint64_t bytes) { filling_bytes_ = bytes; }
  // Memory that holds no young record: pages of free chunks, and written segments that no file is mapped over yet.
  uint64_t kept_bytes() const { return free_bytes() + written_bytes_; }
  uint64_t written_bytes() const { return written_bytes_; }
  uint64_t free_bytes() const { return free_chunks_.size() * uint64_t{kYoungChunkBytes}; }
  // The written segment that has been in memory longest; null when there is none.
  Segment* OldestWritten() const { return written_.empty() ? nullptr : segment(written_.front()); }

  // Null for a free id.
  Segment* segment(uint32_t id) const { return table_[id].load(std::memory_order_acquire); }
  bool IsYoung(RecordLocation location) const { return segment(SegmentOf(location))->kind == SegmentKind::kYoung; }
  // A free id; there is always one, as garbage is bounded and small segments are merged. Ids that were used before come first, in
  // turn: what is kept for an id (66 KiB of sums) is kept for as many as there ever were at a time. Not while workers take chunks.
  uint32_t TakeFreeId();
  // The segment that `id` stands for from now on, of no kind yet, with zeroed memory at its base; Publish makes it visible.
  Segment& Claim(uint32_t id);
  // It is of this kind from now on; its bytes are at its base already.
  void Publish(Segment& segment, SegmentKind kind);
  uint8_t* WritableBase(uint32_t id) { return memory_.data() + id * kSegmentBytes; }
  // Gives back what the segment has beyond its first `bytes`, whole pages: where the last record ends in a huge page, the rest
  // of it is memory as well, and stays it when a file is mapped over what is before.
  void DiscardBeyond(const Segment& segment, uint64_t bytes) {
    memory_.Discard(segment.id * kSegmentBytes + bytes, kSegmentBytes - bytes);
  }
  // Makes the id free; what is at its addresses reads as zero.
  void Release(uint32_t id);
  // Old segments (open, written and sealed) by ascending id.
  std::vector<Segment*> OldSegments() const;

 private:
  const uint8_t* AddressOf(RecordLocation location) const { return memory_.data() + location * kRecordAlignment; }

  std::string directory_;
  ReservedMemory memory_;
  // Kept for the id's next segment when it becomes free.
  std::array<std::unique_ptr<Segment>, kSegmentCount> owned_;
  // Acquire and release: a reader that finds a segment sees it whole.
  std::array<std::atomic<Segment*>, kSegmentCount> table_;
  void ForgetWritten(const Segment& segment);

  std::mutex young_mutex_;
  // Those that have their pages are taken first.
  std::vector<uint32_t> free_chunks_;
  std::vector<uint32_t> bare_chunks_;
  uint64_t taken_chunks_ = 0;
  // Written segments in the order in which they became so, and their pages.
  std::deque<uint32_t> written_;
  uint64_t written_bytes_ = 0;
  uint64_t filling_bytes_ = 0;
  // The highest id that was ever taken or claimed, and the one that was taken last.
  uint32_t ids_used_ = 0;
  uint32_t last_id_ = 0;
  bool has_young_ = false;
  // From the second segment of young records on: a store that needs more than one touches its memory all over, and a page of
  // 4 KiB would be asked of the kernel for every sixty records. Small stores are spared the zeroing of what they do not use.
  bool prefers_huge_pages_ = false;
};

// The remedy that every sentence about a damaged store ends with.
inline constexpr char kReindexRemedy[] = "restart with -reindex-chainstate to rebuild the coin store from the block files";

}  // namespace headrace
