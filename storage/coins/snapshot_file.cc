#include "storage/coins/snapshot_file.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/base/log.h"
#include "engine/base/status_macros.h"
#include "storage/coins/coin_set_statistics.h"
#include "storage/coins/snapshot_coding.h"

namespace headrace {
namespace {

constexpr size_t kSnapshotBufferBytes = 4 << 20;
constexpr size_t kSnapshotWritesMax = 4;

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

SnapshotFile::SnapshotFile(FileSystem* files, std::string path)
    : files_(files), path_(std::move(path)), incomplete_path_(path_ + ".incomplete") {}

SnapshotFile::~SnapshotFile() {
  if (file_ == nullptr) return;
  for (const FileBatchRef& write : writes_) write->Wait();
  file_ = nullptr;
  const absl::Status status = files_->Remove(incomplete_path_);
  if (!status.ok())
    HR_LOG(kWarning, kCoins, "an unfinished snapshot stays path=", incomplete_path_, " reason=", status.message());
}

absl::Status SnapshotFile::Create() {
  HR_RETURN_IF_ERROR(CheckSnapshotPathIsFree(files_, path_));
  absl::StatusOr<FileRef> file = files_->Open(incomplete_path_, OpenMode::kTruncate);
  if (!file.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("Couldn't open file ", incomplete_path_, " for writing: ", file.status().message()));
  }
  file_ = *std::move(file);
  return absl::OkStatus();
}

absl::Status SnapshotFile::WaitForWrites(size_t left_max) {
  while (writes_.size() > left_max) {
    writes_.front()->Wait();
    HR_RETURN_IF_ERROR(writes_.front()->status());
    writes_.pop_front();
  }
  return absl::OkStatus();
}

absl::Status SnapshotFile::SubmitBuffer() {
  if (buffer_.empty()) return absl::OkStatus();
  auto bytes = std::make_shared<std::vector<uint8_t>>(std::exchange(buffer_, {}));
  auto batch = std::make_shared<FileBatch>();
  FileOperation write{FileOperation::Kind::kWrite, file_, submitted_};
  write.write_from = *bytes;
  submitted_ += bytes->size();
  write.owner = std::move(bytes);
  batch->operations.push_back(std::move(write));
  writes_.push_back(batch);
  files_->Submit(std::move(batch));
  return WaitForWrites(kSnapshotWritesMax);
}

absl::Status SnapshotFile::Append(std::vector<uint8_t> bytes) {
  if (buffer_.empty()) {
    buffer_ = std::move(bytes);
  } else {
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  }
  return buffer_.size() < kSnapshotBufferBytes ? absl::OkStatus() : SubmitBuffer();
}

absl::Status SnapshotFile::Finish() {
  HR_RETURN_IF_ERROR(SubmitBuffer());
  HR_RETURN_IF_ERROR(WaitForWrites(0));
  HR_RETURN_IF_ERROR(files_->Sync(file_));
  // Somebody may have been quicker.
  HR_RETURN_IF_ERROR(CheckSnapshotPathIsFree(files_, path_));
  HR_RETURN_IF_ERROR(files_->Rename(incomplete_path_, path_));
  file_ = nullptr;
  return files_->SyncDirectory(DirectoryOf(path_));
}

absl::Status CheckSnapshotPathIsFree(FileSystem* files, const std::string& path) {
  if (!files->Exists(path)) return absl::OkStatus();
  return absl::AlreadyExistsError(
      absl::StrCat(path, " already exists. If you are sure that it is not needed, move it out of the way first."));
}

absl::StatusOr<CoinSetStatistics> WriteSnapshotFile(PinnedCoins& coins, const std::string& path,
                                                    const std::atomic<bool>& must_stop) {
  SnapshotFile file(coins.files(), path);
  // Before anything is read: who cannot write there is told at once.
  HR_RETURN_IF_ERROR(file.Create());
  HR_ASSIGN_OR_RETURN(const uint64_t count, coins.Count(must_stop));
  std::vector<uint8_t> header;
  AppendSnapshotHeader(coins.manifest().network_magic, coins.point().hash, count, header);
  HR_RETURN_IF_ERROR(file.Append(std::move(header)));
  const SnapshotSink sink = [&](std::vector<uint8_t> bytes) { return file.Append(std::move(bytes)); };
  HR_ASSIGN_OR_RETURN(CoinSetStatistics statistics,
                      ComputeSetStatistics(coins, {.serialized = true, .muhash = false}, must_stop, sink, "snapshot"));
  HR_CHECK(statistics.coins == count);
  HR_RETURN_IF_ERROR(file.Finish());
  return statistics;
}

}  // namespace headrace
