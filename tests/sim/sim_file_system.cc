#include "tests/sim/sim_file_system.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/base/status_macros.h"
#include "storage/file/file_error.h"

namespace headrace::sim {

class SimOpenFile final : public File {
 public:
  SimOpenFile(SimFileSystem& files, std::string path, std::shared_ptr<SimFile> file)
      : files_(files), path_(std::move(path)), file_(std::move(file)) {}

  const std::string& path() const override { return path_; }
  absl::StatusOr<uint64_t> Size() const override {
    HR_RETURN_IF_ERROR(files_.Admit("read the size of", path_));
    return file_->size();
  }
  absl::Status Preallocate(uint64_t size) override {
    HR_RETURN_IF_ERROR(files_.Admit("reserve space for", path_));
    const int error = files_.disk_.RoomFor(*file_, size);
    return error == 0 ? absl::OkStatus() : FileError("reserve space for", path_, error);
  }
  absl::Status Truncate(uint64_t size) override {
    HR_RETURN_IF_ERROR(files_.Admit("resize", path_));
    file_->Truncate(size);
    return absl::OkStatus();
  }

  const std::shared_ptr<SimFile>& file() const { return file_; }

 private:
  SimFileSystem& files_;
  const std::string path_;
  const std::shared_ptr<SimFile> file_;
};

std::shared_ptr<SimFile> AsSimFile(const FileRef& file) {
  const auto* open = dynamic_cast<const SimOpenFile*>(file.get());
  HR_CHECK(open != nullptr);
  return open->file();
}

namespace {

absl::Status SwitchedOff() { return absl::UnavailableError("The machine is off."); }

// One process a directory is not what is tested here.
class SimDirectoryLock final : public DirectoryLock {};

}  // namespace

SimFileSystem::~SimFileSystem() {
  // A clean stop: the stores have waited for their writes, and the process ends.
  if (is_alive()) disk_.Kill();
}

absl::Status SimFileSystem::Admit(const char* action, const std::string& path) {
  return is_alive() ? disk_.Admit(action, path) : SwitchedOff();
}

absl::StatusOr<FileRef> SimFileSystem::Open(const std::string& path, OpenMode mode) {
  HR_RETURN_IF_ERROR(Admit("open", path));
  std::shared_ptr<SimFile> file = disk_.Find(path);
  const bool may_create = mode == OpenMode::kCreate || mode == OpenMode::kTruncate;
  const bool has_directory = disk_.HasDirectory(path.substr(0, path.rfind('/')));
  if (file == nullptr && (!may_create || !has_directory)) return FileError("open", path, ENOENT);
  if (file == nullptr) {
    file = disk_.Create(path);
  } else if (mode == OpenMode::kTruncate) {
    file->Truncate(0);
  }
  return std::make_shared<SimOpenFile>(*this, path, std::move(file));
}

void SimFileSystem::Submit(FileBatchRef batch) {
  HR_CHECK(batch != nullptr && !batch->done());
  if (!is_alive()) return batch->Complete(SwitchedOff());
  batch->SetDriver(this);
  disk_.Submit(std::move(batch));
}

absl::StatusOr<SharedBytes> SimFileSystem::MapReadOnly(const FileRef& file, uint64_t offset, uint64_t size) {
  HR_RETURN_IF_ERROR(Admit("map", file->path()));
  std::shared_ptr<SimFile> mapped = AsSimFile(file);
  if (offset > mapped->size() || size > mapped->size() - offset) return ReadPastEnd(file->path(), offset, size);
  const ByteSpan bytes = mapped->live().subspan(offset, size);
  return SharedBytes{bytes, std::move(mapped)};
}

absl::Status SimFileSystem::MapReadOnlyAt(const FileRef& file, uint64_t size, uint8_t* at) {
  HR_ASSIGN_OR_RETURN(const SharedBytes mapped, MapReadOnly(file, 0, size));
  // A copy is as good: what this program maps is written no more, and bits rot while no process looks.
  std::memcpy(at, mapped.bytes.data(), size);
  return absl::OkStatus();
}

bool SimFileSystem::Exists(const std::string& path) {
  // The port has no way to say that a look failed; the operation counts all the same.
  Admit("look for", path).IgnoreError();
  if (!is_alive()) return false;
  return disk_.Find(path) != nullptr || disk_.HasDirectory(path);
}

absl::StatusOr<std::vector<std::string>> SimFileSystem::List(const std::string& directory) {
  HR_RETURN_IF_ERROR(Admit("list", directory));
  if (!disk_.HasDirectory(directory)) return FileError("list", directory, ENOENT);
  return disk_.List(directory);
}

absl::Status SimFileSystem::MakeDirectories(const std::string& path) {
  HR_RETURN_IF_ERROR(Admit("make the directory", path));
  disk_.MakeDirectories(path);
  return absl::OkStatus();
}

absl::Status SimFileSystem::Remove(const std::string& path) {
  return is_alive() ? disk_.RemoveNow(path) : SwitchedOff();
}

absl::Status SimFileSystem::Rename(const std::string& from, const std::string& to) {
  return is_alive() ? disk_.RenameNow(from, to) : SwitchedOff();
}

absl::Status SimFileSystem::SyncDirectory(const std::string& path) {
  return is_alive() ? disk_.SyncDirectoryNow(path) : SwitchedOff();
}

absl::StatusOr<uint64_t> SimFileSystem::FreeBytes(const std::string& path) {
  HR_RETURN_IF_ERROR(Admit("read the free space at", path));
  return disk_.FreeBytes();
}

absl::StatusOr<std::unique_ptr<DirectoryLock>> SimFileSystem::LockDirectory(const std::string& path) {
  HR_RETURN_IF_ERROR(Admit("lock", path));
  return std::make_unique<SimDirectoryLock>();
}

}  // namespace headrace::sim
