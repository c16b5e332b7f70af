// Records, sync points and the title of blocks/index.dat: what is accepted is what the encoder writes, and one flipped
// bit is never accepted.
#include "storage/blocks/block_index_format.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/plain_equality.h"

namespace headrace::fuzz {
namespace {

void CheckRecord(FuzzInput& in) {
  const uint32_t id = in.U32();
  const bool repairs = in.Flag();
  EncodedBlockRecord bytes{};
  const ByteSpan given = in.Take(bytes.size());
  std::copy(given.begin(), given.end(), bytes.begin());
  if (repairs) {
    StoreLittle(&bytes[112], id);
    StoreLittle(&bytes[124], Crc32c({bytes.data(), 124}));
  }
  const auto record = DecodeBlockRecord(id, bytes.data());
  HR_CHECK(record.has_value() || !repairs);
  if (!record) return;
  EncodedBlockRecord encoded = EncodeBlockRecord(id, *record);
  // Eight bytes are left for later formats.
  HR_CHECK(std::equal(encoded.begin(), encoded.begin() + 116, bytes.begin()));
  HR_CHECK(!DecodeBlockRecord(id + 1, encoded.data()));
  const uint64_t bit = in.Below(kBlockIndexRecordBytes * 8);
  encoded[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
  HR_CHECK(!DecodeBlockRecord(id, encoded.data()));
}

void CheckSyncPoint(FuzzInput& in) {
  const bool repairs = in.Flag();
  std::array<uint8_t, kSyncPointBytes> bytes{};
  const ByteSpan given = in.Take(bytes.size());
  std::copy(given.begin(), given.end(), bytes.begin());
  if (repairs) StoreLittle(&bytes[28], Crc32c({bytes.data(), 28}));
  const auto point = DecodeSyncPoint(bytes.data());
  HR_CHECK(point.has_value() || !repairs);
  if (!point) return;
  auto encoded = EncodeSyncPoint(*point);
  HR_CHECK(encoded == bytes);
  const uint64_t bit = in.Below(kSyncPointBytes * 8);
  encoded[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
  HR_CHECK(!DecodeSyncPoint(encoded.data()));
}

void Run(ByteSpan input) {
  FuzzInput in(input);
  if (in.Flag()) return CheckSyncPoint(in);
  CheckRecord(in);
}

std::vector<Bytes> Corpus() {
  std::vector<Bytes> corpus;
  for (uint32_t id = 0; id < 4; ++id) {
    BlockRecord record;
    record.header.nonce = id;
    record.data = {id, 8, 1000};
    record.undo = {0, 77, id};
    record.status = id;
    record.transaction_count = 5;
    const EncodedBlockRecord encoded = EncodeBlockRecord(id, record);
    Bytes& input = corpus.emplace_back(Bytes{0, static_cast<uint8_t>(id), 0, 0, 0, static_cast<uint8_t>(id & 1)});
    input.insert(input.end(), encoded.begin(), encoded.end());
    const auto point = EncodeSyncPoint({id, 10, {1, 2}, {3, 4}});
    corpus.emplace_back(Bytes{1, static_cast<uint8_t>(id & 1)}).insert(corpus.back().end(), point.begin(), point.end());
  }
  return corpus;
}

FUZZ_TARGET(block_index_record, 30'000, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
