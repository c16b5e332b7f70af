// A small file that is replaced as a whole and knows when it is not what was written: the SmallFile port over a FileSystem.
//
// The content is the business of whoever has the file; here it gets a header with magic, network, size and checksum
// (FORMAT.md). Replacing writes aside, syncs, renames and syncs the directory, so a crash leaves the old content or the new
// one. One thread at a time; calls wait for the disk. Memory: the content once more while it is written.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "engine/ports/small_file.h"
#include "storage/file/file_system.h"

namespace headrace {

class JournalFile final : public SmallFile {
 public:
  static constexpr size_t kHeaderBytes = 32;
  static constexpr uint32_t kVersion = 1;

  // The directory of `path` exists. `network` is the network's message magic: a file of another one is refused.
  JournalFile(FileSystem& files, std::string path, const std::array<uint8_t, 4>& network, uint64_t content_bytes_max);

  const std::string& path() const override { return path_; }
  absl::StatusOr<std::optional<std::vector<uint8_t>>> Read() override;
  absl::Status Replace(ByteSpan content) override;
  // `path.damaged`; what was kept there before is gone.
  absl::StatusOr<std::string> KeepAside() override;

 private:
  FileSystem& files_;
  const std::string path_;
  const std::array<uint8_t, 4> network_;
  const uint64_t content_bytes_max_;
};

}  // namespace headrace
