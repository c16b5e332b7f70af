// The bytes of blocks/index.dat, version 1: a header page and an array of records. FORMAT.md says the same in prose.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>

#include "engine/base/endian.h"
#include "engine/crypto/small_hashes.h"
#include "engine/ports/block_store.h"
#include "storage/blocks/frame.h"

namespace headrace {

inline constexpr uint32_t kBlockIndexVersion = 1;
inline constexpr uint64_t kBlockIndexHeaderBytes = 4096;
inline constexpr uint64_t kBlockIndexRecordBytes = 128;

// The first 64 bytes of the header page: name, version, network, record size, zeros, checksum.
inline constexpr uint64_t kBlockIndexTitleBytes = 64;
inline constexpr char kBlockIndexName[] = "headrace-blocks";
static_assert(sizeof(kBlockIndexName) == 16);

using BlockIndexTitle = std::array<uint8_t, kBlockIndexTitleBytes>;

inline BlockIndexTitle EncodeBlockIndexTitle(const NetworkMagic& magic, uint32_t version = kBlockIndexVersion) {
  BlockIndexTitle title{};
  std::memcpy(title.data(), kBlockIndexName, sizeof(kBlockIndexName));
  StoreLittle(&title[16], version);
  std::memcpy(&title[20], magic.data(), magic.size());
  StoreLittle(&title[24], static_cast<uint32_t>(kBlockIndexRecordBytes));
  StoreLittle(&title[60], Crc32c({title.data(), 60}));
  return title;
}

// What the last sync made durable. Two slots, each in a disk sector of its own, are written in turn, so one is always whole.
struct BlockIndexSyncPoint {
  uint64_t sequence = 0;
  uint32_t record_count = 0;
  FrameExtent blocks;
  FrameExtent undo;
};
inline constexpr uint64_t kSyncPointBytes = 32;
inline constexpr std::array<uint64_t, 2> kSyncPointOffsets = {512, 1024};

inline std::array<uint8_t, kSyncPointBytes> EncodeSyncPoint(const BlockIndexSyncPoint& point) {
  std::array<uint8_t, kSyncPointBytes> bytes;
  StoreLittle(&bytes[0], point.sequence);
  StoreLittle(&bytes[8], point.record_count);
  StoreLittle(&bytes[12], point.blocks.file);
  StoreLittle(&bytes[16], point.blocks.offset);
  StoreLittle(&bytes[20], point.undo.file);
  StoreLittle(&bytes[24], point.undo.offset);
  StoreLittle(&bytes[28], Crc32c({bytes.data(), 28}));
  return bytes;
}

inline std::optional<BlockIndexSyncPoint> DecodeSyncPoint(const uint8_t* at) {
  if (LoadLittle32(at + 28) != Crc32c({at, 28})) return std::nullopt;
  return BlockIndexSyncPoint{LoadLittle64(at), LoadLittle32(at + 8), {LoadLittle32(at + 12), LoadLittle32(at + 16)},
                             {LoadLittle32(at + 20), LoadLittle32(at + 24)}};
}

using EncodedBlockRecord = std::array<uint8_t, kBlockIndexRecordBytes>;

// A record in memory is the first 112 bytes of one on disk.
static_assert(sizeof(BlockRecord) == 112 && std::is_trivially_copyable_v<BlockRecord>);
static_assert(offsetof(BlockRecord, data) == 80 && offsetof(BlockRecord, undo) == 92 &&
              offsetof(BlockRecord, status) == 104 && offsetof(BlockRecord, transaction_count) == 108);

inline EncodedBlockRecord EncodeBlockRecord(BlockRecordId id, const BlockRecord& record) {
  EncodedBlockRecord bytes{};
  std::memcpy(bytes.data(), &record, sizeof(record));
  StoreLittle(&bytes[112], id);
  StoreLittle(&bytes[124], Crc32c({bytes.data(), 124}));
  return bytes;
}

// Nothing when the checksum is wrong or the bytes are another record's.
inline std::optional<BlockRecord> DecodeBlockRecord(BlockRecordId id, const uint8_t* at) {
  if (LoadLittle32(at + 124) != Crc32c({at, 124}) || LoadLittle32(at + 112) != id) return std::nullopt;
  BlockRecord record;
  std::memcpy(static_cast<void*>(&record), at, sizeof(record));
  return record;
}

}  // namespace headrace
