// A segment: 64 MiB of the location space, and where its bytes are now.
//
// Young segments are memory handed out in chunks to the shards; an open segment is an old one being filled, in memory and on
// its way to its file; a written one has its file and is still in memory, as long as the cache budget has room for it; a
// sealed one is its file, mapped read-only. A record's location is segment id times units a segment
// plus its offset in units, so ids are recycled, while file serials never are.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "engine/base/slab.h"
#include "storage/coins/coin_record.h"
#include "storage/coins/coin_slot.h"
#include "storage/coins/page_checksums.h"
#include "storage/file/file_system.h"

namespace headrace {

inline constexpr uint64_t kSegmentBytes = 64 << 20;
// Of a store whose memory is small; those are full with less.
inline constexpr uint64_t kSmallStoreSegmentBytes = kSegmentBytes / 4;
inline constexpr uint64_t kSegmentUnits = kSegmentBytes / kRecordAlignment;
inline constexpr uint32_t kSegmentCount = (uint64_t{1} << CoinSlot::kLocationBits) / kSegmentUnits;
inline constexpr uint32_t kYoungChunkBytes = 64 << 10;
inline constexpr uint32_t kYoungChunksPerSegment = kSegmentBytes / kYoungChunkBytes;
static_assert(kRecordBytesMax < kYoungChunkBytes);

constexpr uint32_t SegmentOf(RecordLocation location) { return static_cast<uint32_t>(location / kSegmentUnits); }
constexpr uint64_t OffsetOf(RecordLocation location) { return location % kSegmentUnits * kRecordAlignment; }
constexpr RecordLocation LocationOf(uint32_t segment, uint64_t offset) {
  return segment * kSegmentUnits + offset / kRecordAlignment;
}

enum class SegmentKind : uint8_t { kFree, kYoung, kOpen, kWritten, kSealed };

// Whether its file has all of it.
constexpr bool HasWholeFile(SegmentKind kind) { return kind == SegmentKind::kWritten || kind == SegmentKind::kSealed; }

// What is atomic here is looked at by readers of single coins while the engine changes it; those of a coin store's segments
// never go away, so a late reader meets the id's next segment at worst.
struct Segment {
  std::atomic<SegmentKind> kind{SegmentKind::kFree};
  uint32_t id = 0;
  const uint8_t* base = nullptr;
  // Where records end; of young and open ones, where their memory does.
  std::atomic<uint64_t> records_end{kSegmentBytes};

  // Old segments: the file, records ever written, records still alive.
  std::atomic<uint64_t> serial{0};
  std::string path;
  uint64_t record_count = 0;
  std::atomic<int64_t> live_count{0};

  // Written and sealed: the body's checksums, the open file, its size, and whether it has been fdatasynced.
  PageChecksums checksums;
  FileRef file;
  uint64_t file_bytes = 0;
  bool is_durable = false;
  // Nothing in the manifest being made refers to it: its file goes when that manifest is durable.
  bool is_retiring = false;
  // Of a segment that is in no coin store's record space: what holds the mapping.
  SharedBytes mapping;
};

}  // namespace headrace
