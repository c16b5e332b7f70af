// The coin store's manifest. Its checksum is repaired when the first byte says so: a mistake of ours, or an attacker
// with the disk, can write a good sum over bad contents.
#include "storage/coins/coin_manifest.h"

#include "engine/crypto/small_hashes.h"
#include "storage/coins/coin_table.h"
#include "tests/fuzz/allocation_meter.h"
#include "tests/fuzz/fuzz_target.h"

namespace headrace::fuzz {
namespace {

constexpr uint32_t kMagic = 0xdab5bffa;

void Run(ByteSpan input) {
  if (input.empty()) return;
  Bytes bytes(input.begin() + 1, input.end());
  if ((input[0] & 1) != 0 && bytes.size() >= 4) {
    StoreLittle(&bytes[bytes.size() - 4], Crc32c(ByteSpan(bytes).first(bytes.size() - 4)));
  }
  const AllocationMeter meter;
  const absl::StatusOr<CoinManifest> manifest = DecodeManifest(bytes, kMagic, "a file");
  HR_CHECK(meter.peak_bytes() <= (64 << 10) + 8 * bytes.size());
  if (!manifest.ok()) {
    HR_CHECK(manifest.status().message().find("a file") != absl::string_view::npos);
    return;
  }
  HR_CHECK(EncodeManifest(*manifest) == bytes && manifest->network_magic == kMagic);
  HR_CHECK(manifest->Lowest().height <= manifest->Highest().height);
}

std::vector<Bytes> Corpus() {
  std::vector<Bytes> corpus;
  for (const uint32_t segments : {0u, 1u, 5u, 60u}) {
    CoinManifest manifest;
    manifest.version = segments == 5 ? kOldestCoinFormatVersion : kCoinFormatVersion;
    manifest.network_magic = kMagic;
    manifest.hash_key[0] = 1;
    manifest.hash_key[1] = 2;
    manifest.next_serial = segments + 2;
    manifest.image_serial = 1;
    uint64_t offset = 4096;
    for (uint32_t shard = 0; shard < kCoinShardCount; ++shard) {
      const uint32_t table_size = manifest.version == 1 ? 3 : CoinTable::kHomesMin + shard % 3;
      manifest.shards[shard] = {offset, table_size, shard * 7, shard % 5, {Hash256(Sha256({})), 100 + shard % 3}};
      offset += 4096;
    }
    manifest.image_bytes = offset;
    for (uint32_t i = 0; i < segments; ++i) manifest.segments.push_back({i, i + 2, 4096 + i * 64, i, i * 99});
    Bytes& input = corpus.emplace_back(1, static_cast<uint8_t>(segments & 1));
    const Bytes encoded = EncodeManifest(manifest);
    input.insert(input.end(), encoded.begin(), encoded.end());
    corpus.push_back(input);
    corpus.back()[0] = 1;
  }
  return corpus;
}

FUZZ_TARGET(coin_manifest, 10'000, Run, Corpus);

}  // namespace
}  // namespace headrace::fuzz
