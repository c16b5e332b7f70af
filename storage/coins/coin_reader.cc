#include "storage/coins/coin_reader.h"

#include <array>
#include <cstring>
#include <span>

#include "engine/crypto/small_hashes.h"
#include "storage/coins/coin_record.h"
#include "storage/coins/window_ops.h"

namespace headrace {
namespace {

constexpr size_t kWordsMax = (kRecordBytesMax + sizeof(uint64_t) - 1) / sizeof(uint64_t);
// Nearly every record fits.
constexpr size_t kWordsFirst = 16;

// A copy of what lay at a location, and what it looked like.
class RecordCopy {
 public:
  enum class Looks : uint8_t { kOther, kWanted, kDamaged };

  Looks Take(const RecordSpace& space, RecordLocation location, const uint8_t* outpoint) {
    size_t size = space.CopyAnything(location, std::span(words_).first(kWordsFirst));
    if (size < OutPoint::kSerializedBytes || !space.Check(location, OutPoint::kSerializedBytes)) return Looks::kDamaged;
    if (std::memcmp(words_.data(), outpoint, OutPoint::kSerializedBytes) != 0) return Looks::kOther;
    if (!Decode(size)) {
      size = space.CopyAnything(location, words_);
      if (!Decode(size)) return Looks::kDamaged;
    }
    return space.Check(location, record_.size) ? Looks::kWanted : Looks::kDamaged;
  }
  const CoinRecord& record() const { return record_; }

 private:
  bool Decode(size_t size) { return DecodeRecord({reinterpret_cast<const uint8_t*>(words_.data()), size}, record_); }

  std::array<uint64_t, kWordsMax> words_;
  CoinRecord record_;
};

}  // namespace

absl::StatusOr<bool> CoinReader::Find(const OutPoint& outpoint, Coin& coin, std::vector<uint8_t>& script_buffer) const {
  uint8_t bytes[OutPoint::kSerializedBytes];
  outpoint.Store(bytes);
  const uint64_t hash = SipHash13OutPoint(state_->hash_key[0], state_->hash_key[1], bytes);
  RecordCopy copy;
  RecordCopy::Looks looks = RecordCopy::Looks::kOther;
  RecordLocation location = 0;
  const bool is_found = state_->shards[ShardOf(hash)].table.FindBesideWriter(hash, [&](RecordLocation at) {
    location = at;
    looks = copy.Take(state_->space, at, bytes);
    return looks != RecordCopy::Looks::kOther;
  });
  if (!is_found) return false;
  if (looks == RecordCopy::Looks::kDamaged) return state_->space.DamageAt(location);
  const CoinRecord& record = copy.record();
  script_buffer.resize(record.script.script_size);
  if (!DecompressScript(record.script, script_buffer.data())) return state_->space.DamageAt(location);
  coin = {record.amount, record.height, record.is_coinbase, script_buffer};
  return true;
}

}  // namespace headrace
