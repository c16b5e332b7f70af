#include "storage/coins/snapshot_coding.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "engine/base/check.h"
#include "engine/primitives/byte_writer.h"
#include "storage/coins/coin_record.h"

namespace headrace {
namespace {

constexpr std::array<uint8_t, 5> kSnapshotMagic = {'u', 't', 'x', 'o', 0xff};
constexpr uint16_t kSnapshotVersion = 2;
// Below this, an index written as a variable integer sorts as a number does.
constexpr uint32_t kUnsortedIndexMin = 16'512;
// Scripts that have a form of their own: kinds 0 to 5 of the field, and of our records. Sizes of others begin behind
// them.
constexpr uint8_t kKindCount = 6;

struct Varint {
  std::array<uint8_t, 10> bytes;
  size_t begin = 10;

  explicit Varint(uint64_t value) {
    bytes[--begin] = value & 0x7f;
    while (value > 0x7f) {
      value = (value >> 7) - 1;
      bytes[--begin] = static_cast<uint8_t>(0x80 | (value & 0x7f));
    }
  }
  ByteSpan span() const { return ByteSpan(bytes).subspan(begin); }
};

uint32_t IndexOf(const PinnedRecord& record) { return LoadLittle32(record.bytes + 32); }

bool ComesBeforeInFile(const PinnedRecord& a, const PinnedRecord& b) {
  const Varint left(IndexOf(a));
  const Varint right(IndexOf(b));
  return std::ranges::lexicographical_compare(left.span(), right.span());
}

void AppendScript(const CompressedScript& script, std::vector<uint8_t>& out) {
  ByteWriter writer(out);
  if (script.kind < kKindCount) {
    writer.U8(script.kind);
    writer.Bytes(script.payload);
    return;
  }
  AppendSnapshotVarint(uint64_t{script.script_size} + kKindCount, out);
  const size_t begin = out.size();
  out.resize(begin + script.script_size);
  // Only keys can fail to be restored, and those have kinds of their own.
  HR_CHECK(DecompressScript(script, out.data() + begin));
}

}  // namespace

void AppendSnapshotVarint(uint64_t value, std::vector<uint8_t>& out) {
  const Varint varint(value);
  out.insert(out.end(), varint.span().begin(), varint.span().end());
}

uint64_t SnapshotAmountCode(Amount amount) {
  if (amount == 0) return 0;
  uint64_t mantissa = static_cast<uint64_t>(amount);
  uint64_t zeros = 0;
  for (; zeros < 9 && mantissa % 10 == 0; ++zeros) mantissa /= 10;
  // With nine zeros the last digit may be a further zero; otherwise it is one of nine.
  if (zeros == 9) return (mantissa - 1) * 10 + 9 + 1;
  return (mantissa / 10 * 9 + mantissa % 10 - 1) * 10 + zeros + 1;
}

void AppendSnapshotHeader(uint32_t network_magic, const Hash256& base, uint64_t coins, std::vector<uint8_t>& out) {
  ByteWriter writer(out);
  writer.Bytes(kSnapshotMagic);
  writer.U16(kSnapshotVersion);
  writer.U32(network_magic);
  writer.Bytes(base.span());
  writer.U64(coins);
}

void AppendSnapshotTransaction(std::span<const PinnedRecord> outputs, std::vector<uint8_t>& out) {
  std::vector<PinnedRecord> sorted;
  if (IndexOf(outputs.back()) >= kUnsortedIndexMin) {
    sorted.assign(outputs.begin(), outputs.end());
    std::sort(sorted.begin(), sorted.end(), ComesBeforeInFile);
    outputs = sorted;
  }
  ByteWriter writer(out);
  writer.Bytes({outputs.front().bytes, 32});
  writer.CompactSize(outputs.size());
  for (const PinnedRecord& output : outputs) {
    const CoinRecord record = PinnedCoins::Decode(output);
    writer.CompactSize(IndexOf(output));
    AppendSnapshotVarint(uint64_t{record.height} * 2 + (record.is_coinbase ? 1 : 0), out);
    AppendSnapshotVarint(SnapshotAmountCode(record.amount), out);
    AppendScript(record.script, out);
  }
}

}  // namespace headrace
