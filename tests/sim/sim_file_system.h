// The File port over a simulated disk, for one life of one node. After the node's machine was switched off, or its
// process killed, every call fails and nothing reaches the disk any more: what a dropped node's destructors still try
// has no effect.
//
// One thread.
#pragma once

#include <memory>
#include <string>

#include "storage/file/file_system.h"
#include "tests/sim/sim_disk.h"

namespace headrace::sim {

class SimFileSystem final : public FileSystem, private FileBatchDriver {
 public:
  // Switches the machine on.
  explicit SimFileSystem(SimDisk& disk) : disk_(disk), machine_(disk.SwitchOn()) {}
  ~SimFileSystem() override;

  bool is_alive() const { return disk_.is_on(machine_); }

  absl::StatusOr<FileRef> Open(const std::string& path, OpenMode mode) override;
  void Submit(FileBatchRef batch) override;
  absl::StatusOr<SharedBytes> MapReadOnly(const FileRef& file, uint64_t offset, uint64_t size) override;
  absl::Status MapReadOnlyAt(const FileRef& file, uint64_t size, uint8_t* at) override;
  void ExpectRandomReads(ByteSpan) override {}
  bool IsResident(ByteSpan) override { return disk_.IsResident(); }
  bool Exists(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& directory) override;
  absl::Status MakeDirectories(const std::string& path) override;
  absl::Status Remove(const std::string& path) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status SyncDirectory(const std::string& path) override;
  absl::StatusOr<uint64_t> FreeBytes(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<DirectoryLock>> LockDirectory(const std::string& path) override;
  std::string_view name() const override { return "simulated"; }

 private:
  friend class SimOpenFile;
  absl::Status Admit(const char* action, const std::string& path);
  void DriveUntilDone(const FileBatch& batch) override { disk_.DriveUntilDone(batch); }

  SimDisk& disk_;
  const uint64_t machine_;
};

// The bytes behind a file that a simulated file system opened.
std::shared_ptr<SimFile> AsSimFile(const FileRef& file);

}  // namespace headrace::sim
