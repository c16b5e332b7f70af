#include "storage/coins/survivor_copier.h"

#include <algorithm>

#include "engine/base/status_macros.h"
#include "engine/crypto/small_hashes.h"
#include "storage/coins/window_ops.h"

namespace headrace {
namespace {

// Records whose buckets are on their way from memory at once.
constexpr size_t kGroup = 32;

struct Candidate {
  ByteSpan bytes;
  RecordLocation location;
  uint64_t hash;
};

}  // namespace

absl::StatusOr<uint64_t> SurvivorCopier::Copy(const RecordRun& run) {
  Segment* from = state_->space.segment(SegmentOf(run.location));
  const bool is_young = from->kind == SegmentKind::kYoung;
  uint64_t offset = 0;
  while (offset < run.begin_end) {
    Candidate group[kGroup];
    size_t count = 0;
    for (; count < kGroup && offset < run.begin_end; ++count) {
      const RecordLocation location = run.location + offset / kRecordAlignment;
      const uint64_t room = std::min<uint64_t>(run.bytes.size() - offset, kRecordBytesMax);
      CoinRecord record;
      if (!DecodeRecord(run.bytes.subspan(offset, room), record)) return state_->space.DamageAt(location);
      const uint64_t hash = SipHash13OutPoint(state_->hash_key[0], state_->hash_key[1], record.outpoint);
      state_->shards[ShardOf(hash)].table.PrefetchHome(hash);
      group[count] = {{record.outpoint, record.size}, location, hash};
      offset += record.size;
    }
    for (const Candidate& candidate : std::span(group, count)) {
      CoinShard& shard = state_->shards[ShardOf(candidate.hash)];
      const CoinTable::Position position =
          shard.table.Find(candidate.hash, [&](RecordLocation at) { return at == candidate.location; });
      if (position == CoinTable::kNowhere) continue;
      RecordLocation moved;
      HR_RETURN_IF_ERROR(writer_->Append(candidate.bytes, moved));
      shard.table.SetLocation(position, moved);
      if (!is_young) from->live_count.fetch_sub(1, std::memory_order_relaxed);
    }
  }
  return offset;
}

absl::StatusOr<uint64_t> SurvivorCopier::MoveYoung(CoinShard& shard, uint64_t bytes_max) {
  // A chunk that is kept takes no more memory than its records did; what grows is the segment that they go to.
  const bool keeps_pages = state_->space.kept_bytes() <= state_->kept_bytes_max();
  uint64_t walked = 0;
  while (walked < bytes_max && shard.young_bytes() > 0) {
    const CoinShard::YoungExtent& oldest = shard.oldest_young();
    const uint64_t used = oldest.used;
    HR_RETURN_IF_ERROR(Copy({{oldest.chunk.at, used}, oldest.chunk.location, used}).status());
    state_->space.ReturnYoungChunk(oldest.chunk.number, keeps_pages);
    shard.DropOldestYoung();
    walked += used;
  }
  return walked;
}

}  // namespace headrace
