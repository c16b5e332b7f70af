#include "storage/coins/coin_shard.h"

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

}  // namespace headrace
