#include "engine/validation/undo_codec.h"

#include "engine/primitives/byte_reader.h"
#include "engine/primitives/byte_writer.h"

namespace headrace {

void EncodeUndo(std::span<const Coin> spent, uint32_t coinbase_inputs, std::vector<uint8_t>& out) {
  out.clear();
  ByteWriter writer(out);
  writer.CompactSize(spent.size() - coinbase_inputs);
  for (const Coin& coin : spent.subspan(coinbase_inputs)) {
    writer.CompactSize(uint64_t{coin.height} << 1 | (coin.is_coinbase ? 1 : 0));
    writer.CompactSize(static_cast<uint64_t>(coin.amount));
    writer.VarBytes(coin.script);
  }
}

DecodeError DecodeUndo(ByteSpan undo, uint32_t coinbase_inputs, std::span<Coin> spent, Arena& arena) {
  ByteReader reader(undo);
  const uint64_t count = reader.CompactSize64();
  if (!reader.ok()) return reader.error();
  const size_t expected = spent.size() - coinbase_inputs;
  if (count != expected) return count < expected ? DecodeError::kTruncated : DecodeError::kTrailingBytes;
  for (Coin& coin : spent.subspan(coinbase_inputs)) {
    const uint64_t height_and_coinbase = reader.CompactSize64();
    const uint64_t amount = reader.CompactSize64();
    const ByteSpan script = reader.VarBytes();
    // Nothing else was ever spent, and the coin store would not take it back.
    const bool is_coin = height_and_coinbase >> 33 == 0 && amount <= static_cast<uint64_t>(kMaxMoney) &&
                         script.size() <= kMaxScriptBytes;
    if (!is_coin) reader.Fail(DecodeError::kOversizedCount);
    if (!reader.ok()) return reader.error();
    coin.height = static_cast<uint32_t>(height_and_coinbase >> 1);
    coin.is_coinbase = (height_and_coinbase & 1) != 0;
    coin.amount = static_cast<Amount>(amount);
    coin.script = arena.Copy(script);
  }
  return reader.remaining() == 0 ? DecodeError::kNone : DecodeError::kTrailingBytes;
}

}  // namespace headrace
