// Fills old segments: survivors are appended to an open segment in memory, whose pages go to its file in batches; a full
// one is ended, and stays in memory when its file is written, as long as the cache budget has room. Then the file is mapped
// read-only in place of the memory.
//
// Mappings are the poorer memory: pages of 4 KiB that fault one by one and must be checked, where a segment's own memory is
// in huge pages and known to be right. So they are left to what the budget does not cover.
//
// Threads: the engine thread. Append is a copy; files are written behind it. Settle is called now and then, and waits for the
// disk only when more than two segments are on their way to their files and the budget has no room for them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "storage/coins/record_space.h"
#include "storage/file/file_system.h"

namespace headrace {

class SegmentWriter {
 public:
  SegmentWriter(RecordSpace* space, FileSystem* files, std::string directory, uint32_t network_magic);
  // Waits for what was submitted.
  ~SegmentWriter();

  void set_next_serial(uint64_t serial) { next_serial_ = serial; }
  uint64_t next_serial() const { return next_serial_; }

  // How large the segments that are opened from now on may become. An open segment is memory that neither young records
  // nor written segments have: a small budget has small ones.
  void set_segment_bytes_max(uint64_t bytes) { segment_bytes_max_ = bytes; }

  // Copies an encoded record (a multiple of 8 bytes) behind the last one; it counts as alive.
  absl::Status Append(ByteSpan record, RecordLocation& location);
  // Ends the open segment, if there is one; its last pages and checksums are handed to the file system.
  absl::Status Seal();
  // Notes what has been written; true when no ended segment is being written any more. With `wait`, waits for that.
  // Then maps written segments, the oldest first, until the space keeps no more than `kept_bytes_max`.
  absl::StatusOr<bool> Settle(bool wait, uint64_t kept_bytes_max);

  uint64_t bytes_written() const { return bytes_written_; }

 private:
  struct Sealing {
    uint32_t id = 0;
    uint64_t records_end = 0;
    FileRef file;
    std::vector<FileBatchRef> batches;
  };

  uint8_t* Memory() { return space_->WritableBase(open_->id); }
  absl::Status OpenNext();
  void SubmitThrough(uint64_t end);
  absl::Status NoteWritten(Sealing& sealing);
  absl::StatusOr<bool> NoteAllWritten(bool wait, uint64_t kept_bytes_max);
  absl::Status Map(Segment& segment);
  void CountFilling();

  RecordSpace* const space_;
  FileSystem* const files_;
  const std::string directory_;
  const uint32_t network_magic_;

  uint64_t next_serial_ = 1;
  Segment* open_ = nullptr;
  Sealing open_file_;
  uint64_t segment_bytes_max_ = kSegmentBytes;
  uint64_t open_bytes_max_ = 0;
  uint64_t used_ = 0;
  uint64_t submitted_ = 0;
  std::vector<Sealing> sealing_;
  uint64_t bytes_written_ = 0;
};

}  // namespace headrace
