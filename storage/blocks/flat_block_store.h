// The BlockStore port on flat files: blocks and undo records in numbered files of frames, the index beside them.
//
// Threads and errors are the port's. Appends and puts are handed to the storage thread in batches; an index record is
// handed over only when the block and undo frames that were appended before it are in their files, so that a process
// that is killed leaves no record of a frame that is not there. What a power failure takes beyond the last Sync is found
// and undone at the next Open. The destructor syncs and gives reserved disk space back, unless recovered blocks were not taken up.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/ports/block_store.h"
#include "storage/blocks/block_index_file.h"
#include "storage/blocks/frame_mappings.h"
#include "storage/blocks/frame_writer.h"
#include "storage/file/file_system.h"

namespace headrace {

// A whole frame that the index does not know: the crash came between the block's write and its record's. Its header was
// hashed, its body was not looked at.
struct RecoveredBlock {
  Hash256 hash;
  BlockPosition position;
};

class FlatBlockStore final : public BlockStore {
 public:
  struct Options {
    std::string directory;  // holds blkNNNNN.dat, revNNNNN.dat and index.dat; made when absent
    NetworkMagic magic;
    BlockHeader genesis;  // record 0
    uint32_t file_bytes_max = 128 << 20;
    uint64_t queued_bytes_max = 64 << 20;
    // Asked while Open reads block files, which takes as long as they are large: true ends it with Cancelled, nothing changed.
    std::function<bool()> stop_requested;
  };

  // `files` must outlive the store. Refuses another network's directory, another chain's and a newer format.
  static absl::StatusOr<std::unique_ptr<FlatBlockStore>> Open(FileSystem& files, Options options);
  // Whether the directory may be opened with these options, as far as its block files tell.
  static absl::Status CheckNetwork(FileSystem& files, const Options& options);
  // Deletes the index and the undo records of a store that is not open, after the same check: every block in the block files is
  // then a recovered one.
  static absl::Status ForgetIndex(FileSystem& files, const Options& options);
  ~FlatBlockStore() override;

  std::span<const BlockRecord> records() const override { return records_; }
  // Frees what records() shows, once the engine has built its tree of it and has taken up what was recovered.
  void ForgetRecords() {
    records_ = {};
    recovered_are_taken_up_ = true;
  }
  // Blocks found behind the last one that the index names, in file order; all blocks when the index was removed.
  const std::vector<RecoveredBlock>& recovered_blocks() const { return recovered_; }

  absl::Status PutRecord(BlockRecordId id, const BlockRecord& record) override;
  absl::StatusOr<BlockPosition> AppendBlock(const SlabRef& block) override;
  absl::StatusOr<BlockPosition> AppendUndo(const Hash256& block_hash, ByteSpan undo) override;
  absl::StatusOr<SharedBytes> Map(const BlockPosition& position) const override;
  absl::StatusOr<SharedBytes> ReadUndo(const BlockPosition& position, const Hash256& block_hash) const override;
  absl::Status Sync() override;
  uint64_t bytes_written() const override;
  uint64_t disk_bytes() const override { return blocks_.disk_bytes() + undo_.disk_bytes(); }

  // Hands over what waits, without blocking. Appends and puts do so too; for an engine that has nothing else to do.
  absl::Status Poll();

 private:
  FlatBlockStore(FileSystem& files, Options options);

  // Steps of Open, in flat_block_store_recovery.cc.
  absl::Status Recover();
  absl::Status TakeRecords(BlockIndexFile::Contents contents);
  void DropUnprovenPositions(const BlockIndexSyncPoint& durable);
  absl::Status StartWriters();
  absl::StatusOr<FrameExtent> ScanTail(FrameExtent from);
  absl::Status CheckFileReaches(const std::string& prefix, FrameExtent extent) const;
  std::string PathOf(const std::string& prefix, uint32_t number) const;

  FileSystem& files_;
  const Options options_;
  FrameWriter blocks_;
  FrameWriter undo_;
  mutable FrameMappings block_mappings_;
  mutable FrameMappings undo_mappings_;
  BlockIndexFile index_;
  std::vector<BlockRecord> records_;
  std::vector<RecoveredBlock> recovered_;
  // Records go to the index file when these many frames are written: a mark set when records began to wait.
  std::vector<std::pair<BlockRecordId, BlockRecord>> held_records_;
  std::vector<std::pair<BlockRecordId, BlockRecord>> newer_records_;
  uint64_t held_until_blocks_ = 0;
  uint64_t held_until_undo_ = 0;
  uint32_t record_count_ = 0;
  bool opened_ = false;
  // Until then a sync would put blocks that nobody named yet behind the sync point, where no later start looks for them.
  bool recovered_are_taken_up_ = false;
};

}  // namespace headrace
