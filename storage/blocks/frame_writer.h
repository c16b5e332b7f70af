// Appends frames to a numbered family of files (blk00000.dat, blk00001.dat, ...) in the background.
//
// Small frames are copied together into one write; large ones are written from their slab. A batch is handed over as
// soon as none is in flight or when it is large, so writes coalesce exactly when the disk is the slower side. What is
// appended and not written is bounded: past that, Append waits for the disk. A full file is synced in the background once
// all of it is written, so that Sync finds little to do however long ago the last one was.
//
// The engine thread only; `pending()` is for any thread. After a failed write everything fails with that first error.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/blocks/frame.h"
#include "storage/blocks/pending_frames.h"
#include "storage/file/file_system.h"

namespace headrace {

class FrameWriter {
 public:
  static constexpr uint32_t kPreallocateBytes = 16 << 20;
  static constexpr uint32_t kBatchBytes = 4 << 20;
  // Frames up to this size are copied into the batch's staging memory.
  static constexpr uint32_t kCopyBytesMax = 64 << 10;

  struct Options {
    std::string directory;
    std::string prefix;
    NetworkMagic magic;
    uint32_t trailer_bytes = 0;  // behind the payload, part of the slab, not counted by the frame's length
    uint32_t file_bytes_max = 128 << 20;  // a single larger frame goes beyond it
    uint64_t queued_bytes_max = 64 << 20;
  };

  FrameWriter(FileSystem& files, Options options);

  // Continues at `extent`: whatever its file holds behind it is cut off, and later files are removed. What stands behind `durable`
  // may be the work of a process that was killed before it synced: it is synced now, or with the next Sync.
  absl::Status StartAt(FrameExtent extent, FrameExtent durable);

  // `slab` is payload and trailer. The position is the payload's.
  absl::StatusOr<BlockPosition> Append(SlabRef slab);
  // Looks at what has been written meanwhile and hands over what waits, without blocking.
  absl::Status Poll();
  // Everything appended is on disk when this returns.
  absl::Status Sync();
  // Begins that without waiting.
  void BeginSync();
  // Of frames appended from now on (FileOperation::passes_cache).
  void set_passes_cache(bool passes_cache) { passes_cache_ = passes_cache; }
  // After the last append: waits for the writes and gives the unused reserve of the last file back.
  absl::Status Close();

  FrameExtent end() const { return end_; }
  // Frames appended, and how many of the first of them are in their files, since the start.
  uint64_t appended_count() const { return appended_count_; }
  uint64_t written_count() const { return written_count_; }
  uint64_t bytes_written() const { return bytes_written_; }
  // Of frames that are not in their files yet.
  uint64_t queued_bytes() const { return queued_bytes_; }
  // Frames of all files together, without the reserve behind the last.
  uint64_t disk_bytes() const { return earlier_files_bytes_ + end_.offset; }
  const PendingFrames& pending() const { return pending_; }

 private:
  struct InFlight {
    FileBatchRef batch;  // null: a mark that `full_file` has all its writes behind it
    uint64_t bytes = 0;
    std::vector<PendingFrames::Key> frames;
    FileRef full_file;

    bool done() const { return batch == nullptr || batch->done(); }
  };
  // A sync in the background.
  struct Syncing {
    FileBatchRef batch;
    // On the disk with all that belongs in it when the batch is done; null when more may have come meanwhile.
    FileRef full_file;
  };

  std::string PathOf(uint32_t number) const;
  absl::Status OpenNext();
  absl::Status Reserve(uint64_t end);
  void Stage(uint64_t offset, ByteSpan bytes);
  void EndRun();
  void SubmitOpen();
  void BeginSyncOf(const FileRef& file, bool is_full);
  // Waits for the oldest of in_flight_.
  absl::Status ReapOldest();
  absl::Status ReapSyncs(bool wait);
  absl::Status WaitForAll();

  FileSystem& files_;
  const Options options_;
  PendingFrames pending_;

  FileRef file_;  // null until the first append into it
  FrameExtent end_;
  uint64_t earlier_files_bytes_ = 0;
  uint64_t reserved_ = 0;  // size of file_, zeros behind end_
  std::vector<FileRef> unsynced_files_;
  bool directory_changed_ = false;
  bool passes_cache_ = false;

  FileBatchRef open_;
  std::vector<PendingFrames::Key> open_frames_;
  uint64_t open_bytes_ = 0;
  std::shared_ptr<Slab> staging_;
  size_t staged_ = 0;     // bytes of staging_ in use
  size_t run_begin_ = 0;  // where the bytes of the write that is being collected begin in it
  uint64_t run_offset_ = 0;

  std::deque<InFlight> in_flight_;
  std::vector<Syncing> syncing_;
  uint64_t queued_bytes_ = 0;
  uint64_t appended_count_ = 0;
  uint64_t written_count_ = 0;
  uint64_t bytes_written_ = 0;
  absl::Status failure_;
};

}  // namespace headrace
