// blocks/index.dat: the flat array of headers, positions and states, read whole at start and written in the background.
//
// Opening reads and checks every record: a checksum and one header hash each, a fraction of a second for a million.
// Records put since the last sync may be lost to a crash; damage there is cut off. Damage before the last sync point is
// a failing disk and an error.
//
// The engine thread only.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/blocks/block_index_format.h"
#include "storage/file/file_system.h"

namespace headrace {

class BlockIndexFile {
 public:
  static constexpr uint64_t kRecordsMax = uint64_t{1} << 28;

  struct Contents {
    std::vector<BlockRecord> records;
    BlockIndexSyncPoint sync_point;
  };

  BlockIndexFile(FileSystem& files, std::string path, NetworkMagic magic);

  // Reads the file, or makes an empty one.
  absl::StatusOr<Contents> Open();

  // `id` is at most the number of records. Buffered; nothing fails here.
  void Put(BlockRecordId id, const BlockRecord& record);
  // Records that wait to be handed over, and whether a batch of them is being written.
  bool has_waiting() const { return !waiting_.empty(); }
  // Hands the waiting records over unless earlier ones are still being written, without blocking.
  absl::Status Flush();
  // Everything put is on disk when this returns, and then the sync point says so.
  absl::Status Sync(FrameExtent blocks, FrameExtent undo);

  uint32_t record_count() const { return record_count_; }
  uint64_t bytes_written() const { return bytes_written_; }

 private:
  absl::Status Create();
  absl::Status CheckTitle(ByteSpan header) const;
  absl::Status Damaged(const std::string& what) const;
  absl::StatusOr<Contents> Read(ByteSpan bytes);
  void AddWrites(FileBatch& batch);
  absl::Status Reap(bool wait);

  FileSystem& files_;
  const std::string path_;
  const NetworkMagic magic_;
  FileRef file_;
  uint32_t record_count_ = 0;
  uint64_t sync_sequence_ = 0;
  // By number, so that one batch writes a record once and neighbours together.
  std::map<BlockRecordId, EncodedBlockRecord> waiting_;
  FileBatchRef in_flight_;
  uint64_t bytes_written_ = 0;
  absl::Status failure_;
};

}  // namespace headrace
