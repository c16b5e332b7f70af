#include "storage/coins/coin_changes.h"

#include <cstring>
#include <vector>

#include "engine/crypto/small_hashes.h"
#include "storage/coins/coin_record.h"
#include "storage/coins/window_ops.h"

namespace headrace {

CoinChanges::CoinChanges(const uint64_t (&hash_key)[2], const std::array<ShardEntry, kCoinShardCount>& shards)
    : hash_key_{hash_key[0], hash_key[1]} {
  for (uint32_t number = 0; number < kCoinShardCount; ++number) heights_[number] = shards[number].point.height;
}

bool CoinChanges::IsNews(const OutPoint& outpoint, uint32_t height) const {
  uint8_t bytes[OutPoint::kSerializedBytes];
  outpoint.Store(bytes);
  return height > heights_[ShardOf(SipHash13OutPoint(hash_key_[0], hash_key_[1], bytes))];
}

bool CoinChanges::IsSpent(const OutPoint& outpoint) const {
  const auto gone = gone_.find(outpoint);
  return gone != gone_.end() && gone->second;
}

void CoinChanges::Spend(const OutPoint& outpoint) {
  if (made_.erase(outpoint) != 0) return;
  gone_[outpoint] = true;
  ++spent_count_;
}

void CoinChanges::Make(const OutPoint& outpoint, const Coin& coin, bool may_overwrite) {
  // Overwritten, the older coin is gone for good. A coin that is made again after it was spent leaves it gone all the
  // same.
  if (may_overwrite && !made_.contains(outpoint)) gone_.try_emplace(outpoint, false);
  uint8_t record[kRecordBytesMax];
  const size_t size = EncodeRecord(outpoint.txid.bytes.data(), outpoint.index, coin, record);
  made_[outpoint] = records_.Copy({record, size}).data();
}

void CoinChanges::Add(const WindowBlock& block) {
  const BlockColumns& columns = *block.columns;
  for (uint32_t transaction = 0; transaction < columns.transaction_count(); ++transaction) {
    for (uint32_t input = columns.first_input[transaction]; input < columns.first_input[transaction + 1]; ++input) {
      if (transaction == 0) break;
      const OutPoint spent = OutPoint::Load(columns.prevout_bytes(input));
      if (IsNews(spent, block.height)) Spend(spent);
    }
    const uint32_t first = columns.first_output[transaction];
    for (uint32_t output = first; output < columns.first_output[transaction + 1]; ++output) {
      const ByteSpan script = columns.script_pubkey[output].In(columns.raw);
      if (IsUnspendable(script)) continue;
      const OutPoint made{columns.txid[transaction], output - first};
      if (!IsNews(made, block.height)) continue;
      Make(made, {columns.amount[output], block.height, transaction == 0, script}, block.may_overwrite);
    }
  }
}

}  // namespace headrace
