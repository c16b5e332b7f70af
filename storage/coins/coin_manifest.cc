#include "storage/coins/coin_manifest.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/crypto/small_hashes.h"
#include "engine/primitives/byte_reader.h"
#include "engine/primitives/byte_writer.h"
#include "storage/coins/coin_table.h"
#include "storage/coins/record_space.h"

namespace headrace {
namespace {

constexpr char kManifestMagic[9] = "HRCOINSM";

absl::Status Damaged(const std::string& path, const std::string& what) {
  return absl::DataLossError(absl::StrCat(path, " ", what, "; ", kReindexRemedy, "."));
}

bool LessHeight(const ShardEntry& a, const ShardEntry& b) { return a.point.height < b.point.height; }

// Logarithms of the buckets of a table of version 1.
constexpr uint32_t kBucketBitsMin = 3;
constexpr uint32_t kBucketBitsMax = 28;

bool TableSizeIsPlausible(uint32_t version, uint32_t size) {
  if (version == 1) return size >= kBucketBitsMin && size <= kBucketBitsMax;
  return size >= CoinTable::kHomesMin && size <= CoinTable::kHomesMax;
}

bool ShardIsPlausible(const CoinManifest& manifest, const ShardEntry& shard) {
  return TableSizeIsPlausible(manifest.version, shard.table_size) && shard.offset % kPageBytes == 0 &&
         shard.offset <= manifest.image_bytes && manifest.TableBytes(shard) <= manifest.image_bytes - shard.offset;
}

bool SegmentIsPlausible(const SegmentEntry& segment) {
  return segment.id != 0 && segment.id < kSegmentCount && segment.records_end >= kSegmentHeaderBytes &&
         segment.records_end <= kSegmentBytes;
}

}  // namespace

std::string ImageFileName(uint64_t serial) { return absl::StrFormat("image-%08u.dat", serial); }

uint64_t CoinManifest::TableBytes(const ShardEntry& shard) const {
  return version == 1 ? uint64_t{sizeof(CoinBucket)} << shard.table_size : CoinTable::BytesOf(shard.table_size);
}

BlockPoint CoinManifest::Lowest() const { return std::min_element(shards.begin(), shards.end(), LessHeight)->point; }
BlockPoint CoinManifest::Highest() const { return std::max_element(shards.begin(), shards.end(), LessHeight)->point; }

std::vector<uint8_t> EncodeManifest(const CoinManifest& manifest) {
  std::vector<uint8_t> out;
  ByteWriter writer(out);
  writer.Bytes(AsBytes(kManifestMagic));
  writer.U32(manifest.version);
  writer.U32(manifest.network_magic);
  writer.U64(manifest.hash_key[0]);
  writer.U64(manifest.hash_key[1]);
  writer.U64(manifest.next_serial);
  writer.U64(manifest.image_serial);
  writer.U64(manifest.image_bytes);
  writer.U32(kCoinShardCount);
  writer.U32(static_cast<uint32_t>(manifest.segments.size()));
  for (const ShardEntry& shard : manifest.shards) {
    writer.U64(shard.offset);
    writer.U32(shard.table_size);
    writer.U32(shard.checksum);
    writer.U64(shard.coins);
    writer.U32(shard.point.height);
    writer.Bytes(shard.point.hash.span());
  }
  for (const SegmentEntry& segment : manifest.segments) {
    writer.U32(segment.id);
    writer.U64(segment.serial);
    writer.U64(segment.records_end);
    writer.U64(segment.record_count);
    writer.U32(segment.checksum);
  }
  writer.U32(Crc32c(out));
  return out;
}

absl::StatusOr<CoinManifest> DecodeManifest(ByteSpan bytes, uint32_t network_magic, const std::string& path) {
  ByteReader reader(bytes);
  if (AsText(reader.Bytes(8)) != kManifestMagic) return Damaged(path, "is no manifest of a headrace coin store");
  const uint32_t version = reader.U32();
  if (reader.ok() && version > kCoinFormatVersion) {
    return absl::FailedPreconditionError(absl::StrCat(path, " has format version ", version, ", newer than the ",
                                                      kCoinFormatVersion, " this program knows; use a newer headrace, or ",
                                                      kReindexRemedy, "."));
  }
  if (reader.ok() && version < kOldestCoinFormatVersion) {
    return absl::FailedPreconditionError(absl::StrCat(path, " has format version ", version, ", which this program no longer reads; ",
                                                      kReindexRemedy, "."));
  }
  if (bytes.size() < 12 || LoadLittle32(&bytes[bytes.size() - 4]) != Crc32c(bytes.first(bytes.size() - 4))) {
    return Damaged(path, "does not match its checksum");
  }
  CoinManifest manifest;
  manifest.version = version;
  manifest.network_magic = reader.U32();
  if (manifest.network_magic != network_magic) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "%s belongs to another network (magic %08x, expected %08x); point -datadir elsewhere or %s.", path,
        __builtin_bswap32(manifest.network_magic), __builtin_bswap32(network_magic), kReindexRemedy));
  }
  for (uint64_t& key : manifest.hash_key) key = reader.U64();
  manifest.next_serial = reader.U64();
  manifest.image_serial = reader.U64();
  manifest.image_bytes = reader.U64();
  if (reader.U32() != kCoinShardCount) return Damaged(path, "has another number of shards");
  const uint32_t segment_count = reader.U32();
  bool is_plausible = segment_count < kSegmentCount;
  for (ShardEntry& shard : manifest.shards) {
    shard.offset = reader.U64();
    shard.table_size = reader.U32();
    shard.checksum = reader.U32();
    shard.coins = reader.U64();
    shard.point.height = reader.U32();
    const ByteSpan hash = reader.Bytes(32);
    if (!reader.ok()) break;
    shard.point.hash = Hash256::Load(hash.data());
    is_plausible = is_plausible && ShardIsPlausible(manifest, shard);
  }
  for (uint32_t i = 0; i < segment_count && reader.ok(); ++i) {
    SegmentEntry& segment = manifest.segments.emplace_back();
    segment.id = reader.U32();
    segment.serial = reader.U64();
    segment.records_end = reader.U64();
    segment.record_count = reader.U64();
    segment.checksum = reader.U32();
    is_plausible = is_plausible && SegmentIsPlausible(segment) &&
                   (i == 0 || segment.id > manifest.segments[i - 1].id);
  }
  reader.U32();
  if (!reader.ok() || reader.remaining() != 0 || !is_plausible) return Damaged(path, "contradicts itself");
  return manifest;
}

}  // namespace headrace
