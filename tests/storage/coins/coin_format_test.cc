// A store as format version 1 has it is taken over: its tables had 2^k buckets, of which a hash's low bits told the home, and
// the first bucket followed the last.
#include <gtest/gtest.h>

#include <vector>

#include "engine/crypto/small_hashes.h"
#include "storage/coins/page_checksums.h"
#include "tests/storage/coins/coin_world.h"
#include "tests/support/data.h"

namespace headrace::testing {
namespace {

constexpr int kVersion1HomeBits = 3;  // that a slot does not hold

// The naive table of version 1: null where a coin finds no slot, and more buckets are needed.
std::vector<CoinBucket> MakeVersion1Table(const FlatCoinStore& store, uint32_t shard, uint32_t bucket_bits) {
  const uint64_t mask = (uint64_t{1} << bucket_bits) - 1;
  std::vector<CoinBucket> buckets(mask + 1);
  bool is_whole = true;
  store.state().shards[shard].table.ForEach([&](CoinTable::Position, RecordLocation location) {
    CoinRecord record;
    EXPECT_EQ(store.state().space.Read(location, record), RecordSpace::ReadResult::kRead);
    const uint64_t hash = SipHash13OutPoint(store.state().hash_key[0], store.state().hash_key[1], record.outpoint);
    for (uint32_t displacement = 0; displacement <= CoinSlot::kDisplacementMax; ++displacement) {
      CoinBucket& bucket = buckets[(hash + displacement) & mask];
      const uint32_t empty = bucket.MatchEmptyPlainly();
      if (empty == 0) continue;
      const auto hash_bits = static_cast<uint32_t>(hash >> kVersion1HomeBits) & CoinSlot::kHashMask;
      bucket.slots[std::countr_zero(empty)] = CoinSlot(location, displacement, hash_bits);
      for (uint32_t back = 1; back <= displacement; ++back) ++buckets[(hash + displacement - back) & mask].overflow;
      return;
    }
    is_whole = false;
  });
  if (!is_whole) buckets.clear();
  return buckets;
}

// Writes image and manifest of the store in its directory as version 1 has them.
void MakeVersion1(const FlatCoinStore& store, const std::string& directory) {
  const std::string path = directory + "/" + kManifestFileName;
  absl::StatusOr<CoinManifest> manifest = DecodeManifest(ReadFileBytes(path), kTestMagic, path);
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  manifest->version = 1;
  std::vector<uint8_t> image;
  for (uint32_t shard = 0; shard < kCoinShardCount; ++shard) {
    std::vector<CoinBucket> buckets;
    uint32_t bits = 2;
    while (buckets.empty()) buckets = MakeVersion1Table(store, shard, ++bits);
    ShardEntry& entry = manifest->shards[shard];
    entry.offset = image.size();
    entry.table_size = bits;
    std::vector<uint8_t> body(RoundUpToPage(buckets.size() * sizeof(CoinBucket)));
    std::memcpy(body.data(), buckets.data(), buckets.size() * sizeof(CoinBucket));
    const PageChecksums sums = PageChecksums::Of(body);
    entry.checksum = sums.total();
    image.insert(image.end(), body.begin(), body.end());
    image.insert(image.end(), sums.bytes().begin(), sums.bytes().end());
    image.resize(RoundUpToPage(image.size()));
  }
  manifest->image_bytes = image.size();
  WriteFileBytes(directory + "/" + ImageFileName(manifest->image_serial), image);
  WriteFileBytes(path, EncodeManifest(*manifest));
}

uint32_t VersionIn(const std::string& directory) { return ReadFileBytes(directory + "/" + kManifestFileName)[8]; }

TEST(CoinFormat, AStoreOfVersion1IsTakenOver) {
  CoinWorld world(41, 16 << 20);
  for (int i = 0; i < 12; ++i) world.ApplyRandom(4, 60, 180);
  world.Checkpoint();
  ASSERT_NO_FATAL_FAILURE(MakeVersion1(world.store(), world.directory()));
  world.Restart();
  world.ExpectEqual(world.store());
  EXPECT_EQ(VersionIn(world.directory()), 1u) << "opening alone writes nothing";
  // Its sums are checked, and whole-set work reads it, as long as the old manifest is the published one.
  world.store().BeginScrub();
  while (world.store().scrub_under_way()) {
    const absl::Status status = world.store().StepScrub();
    ASSERT_TRUE(status.ok()) << status;
  }
  const std::unique_ptr<PinnedCoinSet> pinned = world.store().Pin();
  const absl::StatusOr<CoinSetStatistics> statistics = pinned->Statistics({}, kNeverStop);
  ASSERT_TRUE(statistics.ok()) << statistics.status();
  EXPECT_EQ(statistics->coins, world.store().counters().coins);

  world.ApplyRandom(4, 60, 180);
  world.UnapplyLast(2);
  world.ApplyRandom(4, 60, 180);
  world.Checkpoint();
  EXPECT_EQ(VersionIn(world.directory()), kCoinFormatVersion);
  world.Restart();
  world.ExpectEqual(world.store());
}

// A table of version 1 may be larger than anything that the file holds.
TEST(CoinFormat, ATableSizeOfVersion1ThatLiesIsRefused) {
  CoinWorld world(42, 16 << 20);
  world.ApplyRandom(4, 50, 100);
  world.Checkpoint();
  ASSERT_NO_FATAL_FAILURE(MakeVersion1(world.store(), world.directory()));
  const std::string path = world.directory() + "/" + kManifestFileName;
  absl::StatusOr<CoinManifest> manifest = DecodeManifest(ReadFileBytes(path), kTestMagic, path);
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  for (const uint32_t size : {0u, 2u, 20u, 28u, 29u, 40u, 64u, 255u}) {
    manifest->shards[255].table_size = size;
    EXPECT_FALSE(DecodeManifest(EncodeManifest(*manifest), kTestMagic, path).ok()) << size;
  }
}

}  // namespace
}  // namespace headrace::testing
