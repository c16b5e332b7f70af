// A coin's record: outpoint, height and coinbase flag, amount and script, in about 65 bytes. FORMAT.md has the layout.
//
// Pure functions; any thread. Decoding never reads outside its span and refuses what encoding cannot have written.
#pragma once

#include <cstdint>

#include "engine/base/arena.h"
#include "engine/primitives/coin.h"
#include "engine/primitives/outpoint.h"
#include "storage/coins/script_compression.h"

namespace headrace {

// Records start at multiples of this, and locations count it.
inline constexpr uint32_t kRecordAlignment = 8;
// Outpoint, three varints, kind byte and the longest script that is ever stored, rounded up.
inline constexpr uint32_t kRecordBytesMax = 36 + 10 + 10 + CompressedScriptBytesMax(kMaxScriptBytes) + 7;

// A record as it lies in memory.
struct CoinRecord {
  const uint8_t* outpoint = nullptr;  // 36 bytes
  uint32_t height = 0;
  bool is_coinbase = false;
  Amount amount = 0;
  CompressedScript script;
  uint32_t size = 0;  // aligned
};

// Writes a record to `out` (room for kRecordBytesMax) and returns its aligned size; the padding is zero.
size_t EncodeRecord(const uint8_t* txid, uint32_t index, const Coin& coin, uint8_t* out);

// False when the bytes are malformed.
[[nodiscard]] bool DecodeRecord(ByteSpan bytes, CoinRecord& record);

// The coin itself, its script restored into `arena`. False when the script cannot be restored.
[[nodiscard]] bool RestoreCoin(const CoinRecord& record, Arena& arena, Coin& coin);

}  // namespace headrace
