#include "storage/coins/coin_shard.h"

#include "engine/base/status_macros.h"

namespace headrace {

RecordLocation CoinShard::AppendYoung(RecordSpace& space, const uint8_t* txid, uint32_t index, const Coin& coin) {
  const size_t most = kRecordBytesMax - kMaxScriptBytes + coin.script.size();
  if (young_.empty() || kYoungChunkBytes - young_.back().used < most) young_.push_back({space.TakeYoungChunk()});
  YoungExtent& extent = young_.back();
  const RecordLocation location = extent.chunk.location + extent.used / kRecordAlignment;
  const size_t size = EncodeRecord(txid, index, coin, extent.chunk.at + extent.used);
  extent.used += static_cast<uint32_t>(size);
  young_bytes_ += size;
  return location;
}

absl::Status CoinShard::MoveSurvivors(RecordSpace& space, SegmentWriter& writer, uint64_t kept_young_bytes,
                                      uint64_t& moved_bytes) {
  std::lock_guard lock(mutex);
  absl::Status status;
  table.ForEach([&](CoinTable::Position position, RecordLocation location) {
    Segment* from = space.segment(SegmentOf(location));
    const bool is_young = from != nullptr && from->kind == SegmentKind::kYoung;
    if ((!is_young && from != nullptr && !from->is_retiring) || !status.ok()) return;
    CoinRecord record;
    if (space.Read(location, record) == RecordSpace::ReadResult::kDamaged) {
      status = space.DamageAt(location);
      return;
    }
    RecordLocation moved;
    status = writer.Append({record.outpoint, record.size}, moved);
    if (!status.ok()) return;
    if (!is_young) from->live_count.fetch_sub(1, std::memory_order_relaxed);
    table.SetLocation(position, moved);
    moved_bytes += record.size;
  });
  HR_RETURN_IF_ERROR(status);
  for (const YoungExtent& extent : young_) space.ReturnYoungChunk(extent.chunk.number, kept_young_bytes);
  young_.clear();
  young_bytes_ = 0;
  return absl::OkStatus();
}

}  // namespace headrace
