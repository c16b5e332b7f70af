#include "storage/coins/coin_record.h"

#include <cstring>

#include "engine/base/check.h"
#include "engine/base/endian.h"

namespace headrace {
namespace {

// Amounts are mostly round: trailing decimal zeros (nine at most) become one digit.
uint64_t CompressAmount(Amount amount) {
  if (amount == 0) return 0;
  uint64_t mantissa = static_cast<uint64_t>(amount);
  uint64_t zeros = 0;
  while (zeros < 9 && mantissa % 10 == 0) {
    mantissa /= 10;
    ++zeros;
  }
  return mantissa * 10 + zeros + 1;
}

bool DecompressAmount(uint64_t code, Amount& amount) {
  amount = 0;
  if (code == 0) return true;
  uint64_t mantissa = (code - 1) / 10;
  for (uint64_t zeros = (code - 1) % 10; zeros > 0; --zeros) {
    if (mantissa > static_cast<uint64_t>(kMaxMoney)) return false;
    mantissa *= 10;
  }
  amount = static_cast<Amount>(mantissa);
  return mantissa != 0 && mantissa <= static_cast<uint64_t>(kMaxMoney);
}

}  // namespace

size_t EncodeRecord(const uint8_t* txid, uint32_t index, const Coin& coin, uint8_t* out) {
  // Rules that need no context have seen every block that gets here, so an amount out of range is our own fault.
  HR_CHECK(IsMoney(coin.amount) && coin.script.size() <= kMaxScriptBytes);
  std::memcpy(out, txid, 32);
  StoreLittle(out + 32, index);
  size_t size = OutPoint::kSerializedBytes;
  size += WriteVarint(uint64_t{coin.height} * 2 + (coin.is_coinbase ? 1 : 0), out + size);
  size += WriteVarint(CompressAmount(coin.amount), out + size);
  size += CompressScript(coin.script, out + size);
  while (size % kRecordAlignment != 0) out[size++] = 0;
  return size;
}

bool DecodeRecord(ByteSpan bytes, CoinRecord& record) {
  if (bytes.size() < OutPoint::kSerializedBytes) return false;
  record.outpoint = bytes.data();
  size_t offset = OutPoint::kSerializedBytes;
  uint64_t height_code;
  size_t taken = ReadVarint(bytes.subspan(offset), height_code);
  if (taken == 0 || height_code >> 33 != 0) return false;
  offset += taken;
  uint64_t amount_code;
  taken = ReadVarint(bytes.subspan(offset), amount_code);
  if (taken == 0 || !DecompressAmount(amount_code, record.amount)) return false;
  offset += taken;
  taken = ReadCompressedScript(bytes.subspan(offset), record.script);
  if (taken == 0) return false;
  offset += taken;
  const size_t aligned = (offset + kRecordAlignment - 1) / kRecordAlignment * kRecordAlignment;
  if (aligned > bytes.size()) return false;
  record.height = static_cast<uint32_t>(height_code >> 1);
  record.is_coinbase = (height_code & 1) != 0;
  record.size = static_cast<uint32_t>(aligned);
  return true;
}

bool RestoreCoin(const CoinRecord& record, Arena& arena, Coin& coin) {
  coin.amount = record.amount;
  coin.height = record.height;
  coin.is_coinbase = record.is_coinbase;
  coin.script = {};
  if (record.script.script_size == 0) return true;
  uint8_t* script = arena.Allocate(record.script.script_size);
  if (!DecompressScript(record.script, script)) return false;
  coin.script = {script, record.script.script_size};
  return true;
}

}  // namespace headrace
