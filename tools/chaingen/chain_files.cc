#include "tools/chaingen/chain_files.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "engine/base/endian.h"
#include "engine/base/status_macros.h"
#include "tools/chaingen/genesis.h"

namespace headrace::chaingen {
namespace {

absl::Status WriteError(const std::string& path, int error) {
  return absl::UnavailableError(
      absl::StrCat("cannot write ", path, " (", std::strerror(error), "): choose another path or free some space."));
}

std::string PathOf(const std::string& folder, uint32_t number) {
  char name[16];
  std::snprintf(name, sizeof(name), "blk%05u.dat", number % 100'000);
  return folder + "/" + name;
}

}  // namespace

absl::StatusOr<ChainFiles> ChainFiles::InFile(const std::string& path) {
  ChainFiles files;
  HR_RETURN_IF_ERROR(files.Open(path));
  return files;
}

absl::StatusOr<ChainFiles> ChainFiles::InFolder(const std::string& path, uint64_t file_bytes_max) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return WriteError(path, error.value());
  if (std::filesystem::exists(PathOf(path, 0), error)) {
    return absl::AlreadyExistsError(
        absl::StrCat(path, " holds block files already: choose an empty folder, or remove them first."));
  }
  ChainFiles files;
  files.folder_ = path;
  files.file_bytes_max_ = file_bytes_max;
  HR_RETURN_IF_ERROR(files.OpenNumbered());
  return files;
}

absl::Status ChainFiles::Open(const std::string& path) {
  path_ = path;
  file_bytes_ = 0;
  file_.reset(std::fopen(path.c_str(), "wb"));
  return file_ != nullptr ? absl::OkStatus() : WriteError(path, errno);
}

absl::Status ChainFiles::OpenNumbered() { return Open(PathOf(folder_, files_++)); }

absl::Status ChainFiles::Append(const Bytes& block) {
  uint8_t frame[8];
  StoreLittle(frame, kRegtestMagic);
  StoreLittle(frame + 4, static_cast<uint32_t>(block.size()));
  const uint64_t bytes = sizeof(frame) + block.size();
  if (!folder_.empty() && file_bytes_ != 0 && file_bytes_ + bytes > file_bytes_max_) {
    HR_RETURN_IF_ERROR(Close());
    HR_RETURN_IF_ERROR(OpenNumbered());
  }
  file_bytes_ += bytes;
  const bool is_written = std::fwrite(frame, sizeof(frame), 1, file_.get()) == 1 &&
                          std::fwrite(block.data(), block.size(), 1, file_.get()) == 1;
  return is_written ? absl::OkStatus() : WriteError(path_, errno);
}

absl::Status ChainFiles::Close() {
  return std::fclose(file_.release()) == 0 ? absl::OkStatus() : WriteError(path_, errno);
}

}  // namespace headrace::chaingen
