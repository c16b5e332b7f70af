// What the io_uring file system and its plain twin share: everything but Submit. These are the cold calls (open, map,
// rename, list), made by the caller's own thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "storage/file/file_system.h"

namespace headrace {

class PosixFileSystem : public FileSystem {
 public:
  absl::StatusOr<FileRef> Open(const std::string& path, OpenMode mode) override;
  absl::StatusOr<SharedBytes> MapReadOnly(const FileRef& file, uint64_t offset, uint64_t size) override;
  absl::Status MapReadOnlyAt(const FileRef& file, uint64_t size, uint8_t* at) override;
  void ExpectRandomReads(ByteSpan mapped) override;
  bool IsResident(ByteSpan mapped) override;
  bool Exists(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& directory) override;
  absl::Status MakeDirectories(const std::string& path) override;
  absl::Status Remove(const std::string& path) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status SyncDirectory(const std::string& path) override;
  absl::StatusOr<uint64_t> FreeBytes(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<DirectoryLock>> LockDirectory(const std::string& path) override;
};

}  // namespace headrace
