// The twin of the io_uring file system for kernels and containers that forbid io_uring: one storage thread that takes the
// same batches and carries them out with pread, pwrite and fdatasync, one operation after another.
//
// Threads and order are those of the port; only the depth is missing.
#pragma once

#include <memory>
#include <thread>

#include "storage/file/batch_queue.h"
#include "storage/file/posix_file_system.h"

namespace headrace {

class PlainFileSystem final : public PosixFileSystem {
 public:
  static absl::StatusOr<std::unique_ptr<FileSystem>> Start();
  explicit PlainFileSystem(std::unique_ptr<BatchQueue> queue);
  // Carries out everything that was submitted, then ends the thread.
  ~PlainFileSystem() override;

  void Submit(FileBatchRef batch) override;
  std::string_view name() const override { return "pread/pwrite"; }

 private:
  void Run();
  absl::Status Execute(const FileOperation& operation);
  absl::Status ExecuteAll(const FileBatch& batch);

  const std::unique_ptr<BatchQueue> queue_;
  std::thread thread_;
};

}  // namespace headrace
