#include "storage/coins/survivor_copier.h"

#include <algorithm>

#include "engine/base/status_macros.h"
#include "engine/crypto/small_hashes.h"
#include "storage/coins/window_ops.h"

namespace headrace {
namespace {

// Records whose buckets are on their way from memory at once.
constexpr size_t kGroup = 32;
// And slots that are about to be changed.
constexpr size_t kSlotsAhead = 12;

struct Candidate {
  ByteSpan bytes;
  RecordLocation location;
  uint64_t hash;
};

}  // namespace

void SurvivorCopier::FindSurvivors(const RecordRun& run, Walk& walk) const {
  walk.survivors.clear();
  walk.damage = 0;
  uint64_t offset = 0;
  while (offset < run.begin_end) {
    Candidate group[kGroup];
    size_t count = 0;
    for (; count < kGroup && offset < run.begin_end; ++count) {
      const RecordLocation location = run.location + offset / kRecordAlignment;
      const uint64_t room = std::min<uint64_t>(run.bytes.size() - offset, kRecordBytesMax);
      CoinRecord record;
      if (!DecodeRecord(run.bytes.subspan(offset, room), record)) {
        walk.damage = location;
        return;
      }
      const uint64_t hash = SipHash13OutPoint(state_->hash_key[0], state_->hash_key[1], record.outpoint);
      state_->shards[ShardOf(hash)].table.PrefetchHome(hash);
      group[count] = {{record.outpoint, record.size}, location, hash};
      offset += record.size;
    }
    for (const Candidate& candidate : std::span(group, count)) {
      const uint32_t shard = ShardOf(candidate.hash);
      const CoinTable::Position position =
          state_->shards[shard].table.Find(candidate.hash, [&](RecordLocation at) { return at == candidate.location; });
      if (position != CoinTable::kNowhere) walk.survivors.push_back({candidate.bytes, shard, position});
    }
  }
}

absl::Status SurvivorCopier::Append(const Walk& walk, Segment& from) {
  const bool is_young = from.kind == SegmentKind::kYoung;
  for (size_t i = 0; i < walk.survivors.size(); ++i) {
    if (i + kSlotsAhead < walk.survivors.size()) {
      const Survivor& ahead = walk.survivors[i + kSlotsAhead];
      state_->shards[ahead.shard].table.Prefetch(ahead.position);
    }
    const Survivor& survivor = walk.survivors[i];
    RecordLocation moved;
    HR_RETURN_IF_ERROR(writer_->Append(survivor.bytes, moved));
    state_->shards[survivor.shard].table.SetLocation(survivor.position, moved);
    if (!is_young) from.live_count.fetch_sub(1, std::memory_order_relaxed);
  }
  // A record that makes no sense stops the node, and what came before it is not lost for that.
  return walk.damage == 0 ? absl::OkStatus() : state_->space.DamageAt(walk.damage);
}

absl::Status SurvivorCopier::Copy(std::span<const RecordRun> runs) {
  if (walks_.size() < runs.size()) walks_.resize(runs.size());
  state_->executor->ParallelFor(runs.size(), 1, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) FindSurvivors(runs[i], walks_[i]);
  });
  for (size_t i = 0; i < runs.size(); ++i) {
    HR_RETURN_IF_ERROR(Append(walks_[i], *state_->space.segment(SegmentOf(runs[i].location))));
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> SurvivorCopier::MoveYoung(CoinShard& shard, uint64_t bytes_max) {
  runs_.clear();
  uint64_t walked = 0;
  shard.ForEachYoungExtent([&](const CoinShard::YoungExtent& extent) {
    if (walked >= bytes_max) return false;
    runs_.push_back({{extent.chunk.at, extent.used}, extent.chunk.location, extent.used});
    walked += extent.used;
    return true;
  });
  HR_RETURN_IF_ERROR(Copy(runs_));
  // A chunk that is kept takes no more memory than its records did, and young records to come are spared the kernel's zeroing. But
  // what a checkpoint empties is all of them, and would take the room of the written segments that they went to.
  const bool keeps_pages = state_->space.kept_bytes() <= state_->kept_bytes_max() &&
                           state_->space.free_bytes() < state_->young_bytes_max() / 8;
  for (size_t i = 0; i < runs_.size(); ++i) {
    state_->space.ReturnYoungChunk(shard.oldest_young().chunk.number, keeps_pages);
    shard.DropOldestYoung();
  }
  return walked;
}

}  // namespace headrace
