// The BlockStore port on flat files: blocks and undo records in numbered files of frames, the index beside them.
//
// Threads and errors are the port's. Appends and puts are handed to the storage thread in batches; an index record is
// handed over only when the block and undo frames that were appended before it are in their files, so that a process
// that is killed leaves no record of a frame that is not there. What a power failure takes beyond the last Sync is found
// and undone at the next Open. The destructor syncs and gives reserved disk space back, unless recovered blocks were not taken up.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "engine/ports/block_store.h"
#include "storage/blocks/block_index_file.h"
#include "storage/blocks/frame_mappings.h"
#include "storage/blocks/frame_writer.h"
#include "storage/blocks/rescan_mark.h"
#include "storage/file/file_system.h"

namespace headrace {

// A whole frame that the index does not know: the crash came between the block's write and its record's. Its header was
// hashed, its body was not looked at.
struct RecoveredBlock {
  Hash256 hash;
  BlockPosition position;
};

// How far Open is with looking for such blocks.
struct BlockScanProgress {
  uint32_t files_done = 0;
  uint32_t files_total = 0;
  uint64_t bytes_done = 0;
  uint64_t bytes_total = 0;
  uint64_t blocks_found = 0;
};

class FlatBlockStore final : public BlockStore {
 public:
  struct Options {
    std::string directory;  // holds blkNNNNN.dat, revNNNNN.dat and index.dat; made when absent
    NetworkMagic magic;
    BlockHeader genesis;  // record 0
    uint32_t file_bytes_max = 128 << 20;
    uint64_t queued_bytes_max = 64 << 20;  // of blocks; of undo records an eighth of it
    // Called every few blocks while Open looks through block files, and once at the end; false makes Open return
    // Cancelled, and the next Open begins the search again.
    std::function<bool(const BlockScanProgress&)> on_scan;
  };

  // `files` must outlive the store. Refuses another network's directory, another chain's and a newer format.
  static absl::StatusOr<std::unique_ptr<FlatBlockStore>> Open(FileSystem& files, Options options);
  // Whether the directory may be opened with these options, as far as its block files tell.
  static absl::Status CheckNetwork(FileSystem& files, const Options& options);
  // Deletes the index and the undo records of a store that is not open, after the same check: every block in the block files is
  // then a recovered one, at this start and at every later one until ForgetStrays.
  static absl::Status ForgetIndex(FileSystem& files, const Options& options);
  ~FlatBlockStore() override;

  std::span<const BlockRecord> records() const override { return records_; }
  // Frees what records() shows, once the engine has built its tree of it.
  void ForgetRecords() { records_ = {}; }
  // Blocks that the index does not name, in file order: those behind the last one that it names, and as long as a mark says
  // so (rescan_mark.h) those before it; all blocks when the index was removed.
  const std::vector<RecoveredBlock>& recovered_blocks() const { return recovered_; }

  absl::Status PutRecord(BlockRecordId id, const BlockRecord& record) override;
  absl::StatusOr<BlockPosition> AppendBlock(const SlabRef& block) override;
  absl::StatusOr<BlockPosition> AppendUndo(const Hash256& block_hash, ByteSpan undo) override;
  absl::StatusOr<SharedBytes> Map(const BlockPosition& position) const override;
  absl::StatusOr<SharedBytes> ReadUndo(const BlockPosition& position, const Hash256& block_hash) const override;
  absl::Status Sync() override;
  void ExpectReads(bool soon) override {
    blocks_.set_passes_cache(!soon);
    undo_.set_passes_cache(!soon);
  }
  void BeginSync() override {
    blocks_.BeginSync();
    undo_.BeginSync();
  }
  absl::Status ForgetStrays() override;
  absl::Status DamageAt(const BlockPosition& position, const std::string& what) const override;
  const std::string& directory() const override { return options_.directory; }
  uint64_t bytes_written() const override;
  uint64_t undo_queue_bytes() const override { return undo_.queued_bytes(); }
  uint64_t disk_bytes() const override { return blocks_.disk_bytes() + undo_.disk_bytes(); }

  // Hands over what waits, without blocking. Appends and puts do so too; for an engine that has nothing else to do.
  absl::Status Poll() override;

 private:
  FlatBlockStore(FileSystem& files, Options options);

  // Steps of Open, in flat_block_store_recovery.cc.
  absl::Status Recover();
  absl::Status TakeRecords(BlockIndexFile::Contents contents);
  void DropUnprovenPositions(const BlockIndexSyncPoint& durable);
  absl::Status StartWriters(const BlockIndexSyncPoint& durable);
  absl::StatusOr<FrameExtent> FindStrays(FrameExtent indexed_end);
  absl::StatusOr<std::vector<uint32_t>> BlockFilesFrom(uint32_t first) const;
  absl::StatusOr<FrameExtent> ScanFile(uint32_t number, uint64_t offset, BlockScanProgress& progress);
  absl::StatusOr<FrameExtent> CheckFilesReach(const std::string& prefix, BlockPosition BlockRecord::*position,
                                              uint32_t trailer_bytes) const;
  std::string PathOf(const std::string& prefix, uint32_t number) const;

  FileSystem& files_;
  const Options options_;
  FrameWriter blocks_;
  FrameWriter undo_;
  mutable FrameMappings block_mappings_;
  mutable FrameMappings undo_mappings_;
  BlockIndexFile index_;
  const RescanMark mark_file_;
  // What the file says now.
  std::optional<FrameExtent> mark_;
  std::vector<BlockRecord> records_;
  std::vector<RecoveredBlock> recovered_;
  // While a mark makes the search begin before the last indexed block: where the indexed ones are.
  absl::flat_hash_set<PendingFrames::Key> known_positions_;
  // Records go to the index file when these many frames are written: a mark set when records began to wait.
  std::vector<std::pair<BlockRecordId, BlockRecord>> held_records_;
  std::vector<std::pair<BlockRecordId, BlockRecord>> newer_records_;
  uint64_t held_until_blocks_ = 0;
  uint64_t held_until_undo_ = 0;
  uint32_t record_count_ = 0;
  bool opened_ = false;
};

}  // namespace headrace
