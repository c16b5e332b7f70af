// Fills old segments: survivors are appended to an open segment in memory, whose pages go to its file in batches; a full
// one is sealed, and once its file is written it is mapped read-only in place of the memory.
//
// Threads: the engine thread. Append is a copy; files are written behind it. Settle is called now and then, and sees to it
// that hardly more than two sealed segments still stand in memory.
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

  // Copies an encoded record (a multiple of 8 bytes) behind the last one; it counts as alive.
  absl::Status Append(ByteSpan record, RecordLocation& location);
  // Ends the open segment, if there is one; its last pages and checksums are handed to the file system.
  absl::Status Seal();
  // Maps what has been written; true when no sealed segment is being written any more. With `wait`, waits for that.
  absl::StatusOr<bool> Settle(bool wait);

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
  absl::Status MapSealed(Sealing& sealing);

  RecordSpace* const space_;
  FileSystem* const files_;
  const std::string directory_;
  const uint32_t network_magic_;

  uint64_t next_serial_ = 1;
  Segment* open_ = nullptr;
  Sealing open_file_;
  uint64_t used_ = 0;
  uint64_t submitted_ = 0;
  std::vector<Sealing> sealing_;
  uint64_t bytes_written_ = 0;
};

}  // namespace headrace
