// An open file descriptor: what both file systems, io_uring and plain, hand out as a File.
//
// Any thread. Size, Preallocate and Truncate are system calls made by the caller's thread.
#pragma once

#include <string>
#include <utility>

#include "storage/file/file_system.h"

namespace headrace {

class PosixFile final : public File {
 public:
  static absl::StatusOr<FileRef> Open(const std::string& path, OpenMode mode);

  PosixFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;
  ~PosixFile() override;

  const std::string& path() const override { return path_; }
  absl::StatusOr<uint64_t> Size() const override;
  absl::Status Preallocate(uint64_t size) override;
  absl::Status Truncate(uint64_t size) override;

  int descriptor() const { return descriptor_; }

 private:
  const std::string path_;
  const int descriptor_;
};

// The file behind `file`, which one of these file systems must have opened.
const PosixFile& AsPosixFile(const FileRef& file);

}  // namespace headrace
