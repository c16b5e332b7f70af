// Writes raw blocks as block files have them: magic fabfb5da, u32 size, block. Either one file of any length, or a
// folder of blk00000.dat, blk00001.dat, ..., each of at most 128 MiB, as other nodes write them; -loadblock reads both.
//
// One thread. Errors are sentences for the user; after one, nothing more is to be written.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "engine/base/bytes.h"

namespace headrace::chaingen {

class ChainFiles {
 public:
  static constexpr uint64_t kFileBytesMax = 128 << 20;

  // Truncates the file if it exists.
  static absl::StatusOr<ChainFiles> InFile(const std::string& path);
  // Makes the folder if need be; one that holds block files already is refused, so that two chains are not mixed.
  static absl::StatusOr<ChainFiles> InFolder(const std::string& path, uint64_t file_bytes_max = kFileBytesMax);

  absl::Status Append(const Bytes& block);
  // Must be called at the end: a full disk may show only here.
  absl::Status Close();

 private:
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  absl::Status Open(const std::string& path);
  absl::Status OpenNumbered();

  std::string folder_;  // empty: one file
  uint64_t file_bytes_max_ = 0;
  uint32_t files_ = 0;
  std::string path_;  // of the open file
  uint64_t file_bytes_ = 0;
  std::unique_ptr<std::FILE, Closer> file_;
};

}  // namespace headrace::chaingen
