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
  // The same file past the page cache (O_DIRECT), for writing whole pages from whole pages of memory; -1 where there is no such way.
  // Opened when first asked for. Of one thread, the one that carries out the file's writes.
  int direct_descriptor() const;

 private:
  const std::string path_;
  static constexpr int kNotAsked = -2;

  const int descriptor_;
  mutable int direct_descriptor_ = kNotAsked;
};

// The file behind `file`, which one of these file systems must have opened.
const PosixFile& AsPosixFile(const FileRef& file);

}  // namespace headrace
