// The manifest: the one small file that says which bytes of the directory are the coin store, and at which heights.
//
// It is replaced as a whole, so a crash leaves the old one or the new one. Layout in FORMAT.md. Pure encoding and decoding;
// any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/ports/coin_store.h"
#include "storage/coins/segment_file.h"

namespace headrace {

inline constexpr uint32_t kCoinShardCount = 256;
inline constexpr uint32_t kCoinFormatVersion = 2;
// The oldest that is still read. Its tables had other homes; they are rebuilt when a store is opened, and the next checkpoint
// writes them as they are now.
inline constexpr uint32_t kOldestCoinFormatVersion = 1;
inline constexpr char kManifestFileName[] = "coins.manifest";

// Where a shard's image stands in the image file, and the block it holds the coins of.
struct ShardEntry {
  uint64_t offset = 0;
  uint32_t table_size = 0;  // home buckets; in version 1, the logarithm of all buckets
  uint32_t checksum = 0;  // of the image's page checksums
  uint64_t coins = 0;
  BlockPoint point;
};

struct CoinManifest {
  uint32_t version = kCoinFormatVersion;
  uint32_t network_magic = 0;
  uint64_t hash_key[2] = {0, 0};
  // Serial numbers from here on were never used.
  uint64_t next_serial = 1;
  uint64_t image_serial = 0;
  uint64_t image_bytes = 0;
  std::array<ShardEntry, kCoinShardCount> shards;
  std::vector<SegmentEntry> segments;

  // Of a shard's buckets, in memory and in the image.
  uint64_t TableBytes(const ShardEntry& shard) const;

  BlockPoint Lowest() const;
  BlockPoint Highest() const;
};

std::string ImageFileName(uint64_t serial);

std::vector<uint8_t> EncodeManifest(const CoinManifest& manifest);
// `path` is named in the sentence that says what is wrong.
absl::StatusOr<CoinManifest> DecodeManifest(ByteSpan bytes, uint32_t network_magic, const std::string& path);

}  // namespace headrace
