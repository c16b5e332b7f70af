#include "storage/blocks/rescan_mark.h"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/base/log.h"
#include "engine/base/status_macros.h"
#include "engine/crypto/small_hashes.h"

namespace headrace {
namespace {

constexpr char kRescanName[] = "headrace-rescan";
static_assert(sizeof(kRescanName) == 16);
constexpr uint32_t kRescanVersion = 1;
constexpr size_t kRescanBytes = 36;
// A file of any other size is no mark, but it is read to say so.
constexpr uint64_t kRescanBytesMax = 4096;

using EncodedMark = std::array<uint8_t, kRescanBytes>;

EncodedMark Encode(const NetworkMagic& magic, FrameExtent from) {
  EncodedMark bytes{};
  std::copy(std::begin(kRescanName), std::end(kRescanName), bytes.begin());
  StoreLittle(&bytes[16], kRescanVersion);
  std::copy(magic.begin(), magic.end(), &bytes[20]);
  StoreLittle(&bytes[24], from.file);
  StoreLittle(&bytes[28], from.offset);
  StoreLittle(&bytes[32], Crc32c({bytes.data(), 32}));
  return bytes;
}

}  // namespace

RescanMark::RescanMark(FileSystem& files, std::string directory, NetworkMagic magic)
    : files_(files), directory_(std::move(directory)), path_(directory_ + "/rescan.dat"), magic_(magic) {}

absl::StatusOr<std::optional<FrameExtent>> RescanMark::Read() const {
  if (!files_.Exists(path_)) return std::nullopt;
  const absl::StatusOr<std::vector<uint8_t>> bytes = files_.ReadWholeFile(path_, kRescanBytesMax);
  // Too large is no mark of ours; anything else is the disk's own failure.
  if (!bytes.ok() && !absl::IsOutOfRange(bytes.status())) return bytes.status();
  if (bytes.ok() && bytes->size() == kRescanBytes) {
    const FrameExtent from{LoadLittle32(&(*bytes)[24]), LoadLittle32(&(*bytes)[28])};
    const EncodedMark expected = Encode(magic_, from);
    if (std::equal(expected.begin(), expected.end(), bytes->begin())) return from;
  }
  HR_LOG(kWarning, kBlocks, "a mark that cannot be read: every block file is looked at again file=", path_);
  return FrameExtent{};
}

absl::Status RescanMark::Write(FrameExtent from) const { return files_.ReplaceFile(path_, Encode(magic_, from)); }

absl::Status RescanMark::Clear() const {
  if (!files_.Exists(path_)) return absl::OkStatus();
  HR_RETURN_IF_ERROR(files_.Remove(path_));
  return files_.SyncDirectory(directory_);
}

}  // namespace headrace
