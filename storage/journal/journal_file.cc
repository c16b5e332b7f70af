#include "storage/journal/journal_file.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"
#include "engine/base/endian.h"
#include "engine/base/status_macros.h"
#include "engine/crypto/small_hashes.h"

namespace headrace {
namespace {

constexpr std::string_view kJournalMagic = "HRSMALLF";
constexpr size_t kVersionAt = 8;
constexpr size_t kNetworkAt = 12;
constexpr size_t kSizeAt = 16;
constexpr size_t kChecksumAt = 24;
// Four bytes of zeros end the header.
constexpr size_t kReservedAt = 28;

// Of the header up to the sum, and the content.
uint32_t ChecksumOf(ByteSpan header, ByteSpan content) { return Crc32c(content, Crc32c(header.first(kChecksumAt))); }

}  // namespace

JournalFile::JournalFile(FileSystem& files, std::string path, const std::array<uint8_t, 4>& network,
                         uint64_t content_bytes_max)
    : files_(files), path_(std::move(path)), network_(network), content_bytes_max_(content_bytes_max) {}

absl::StatusOr<std::optional<std::vector<uint8_t>>> JournalFile::Read() {
  if (!files_.Exists(path_)) return std::nullopt;
  const auto damaged = [this](std::string_view what) {
    return absl::DataLossError(absl::StrCat("The file ", path_, " is damaged: ", std::string(what), "."));
  };
  absl::StatusOr<std::vector<uint8_t>> read = files_.ReadWholeFile(path_, kHeaderBytes + content_bytes_max_);
  if (absl::IsOutOfRange(read.status())) return damaged("it is larger than it can be");
  if (!read.ok()) return read.status();
  const ByteSpan bytes = *read;
  if (bytes.size() < kHeaderBytes) return damaged("it is shorter than its header");
  if (AsText(bytes.first(kJournalMagic.size())) != kJournalMagic) return damaged("it begins with something else");
  const uint32_t version = LoadLittle32(&bytes[kVersionAt]);
  if (version != kVersion) {
    return absl::FailedPreconditionError(absl::StrCat("The file ", path_, " has format version ", version,
                                                      "; this program reads version ", kVersion, " alone."));
  }
  const ByteSpan content = bytes.subspan(kHeaderBytes);
  if (LoadLittle64(&bytes[kSizeAt]) != content.size()) return damaged("it does not have the size that it names");
  const bool is_reserved_zero = LoadLittle32(&bytes[kReservedAt]) == 0;
  if (!is_reserved_zero || LoadLittle32(&bytes[kChecksumAt]) != ChecksumOf(bytes, content)) {
    return damaged("its bytes do not match their checksum");
  }
  if (!std::equal(network_.begin(), network_.end(), &bytes[kNetworkAt])) {
    return absl::FailedPreconditionError(absl::StrCat("The file ", path_, " belongs to another network."));
  }
  return std::vector<uint8_t>(content.begin(), content.end());
}

absl::Status JournalFile::Replace(ByteSpan content) {
  HR_CHECK(content.size() <= content_bytes_max_);
  std::vector<uint8_t> bytes(kHeaderBytes + content.size());
  std::copy(kJournalMagic.begin(), kJournalMagic.end(), bytes.begin());
  StoreLittle(&bytes[kVersionAt], kVersion);
  std::copy(network_.begin(), network_.end(), &bytes[kNetworkAt]);
  StoreLittle(&bytes[kSizeAt], uint64_t{content.size()});
  StoreLittle(&bytes[kChecksumAt], ChecksumOf(bytes, content));
  std::copy(content.begin(), content.end(), bytes.begin() + kHeaderBytes);
  return files_.ReplaceFile(path_, bytes);
}

absl::StatusOr<std::string> JournalFile::KeepAside() {
  std::string aside = path_ + ".damaged";
  HR_RETURN_IF_ERROR(files_.Rename(path_, aside));
  HR_RETURN_IF_ERROR(files_.SyncDirectory(std::filesystem::path(path_).parent_path().string()));
  return aside;
}

}  // namespace headrace
