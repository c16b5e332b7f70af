#include "storage/coins/segment_file.h"

#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/base/endian.h"
#include "engine/base/status_macros.h"
#include "storage/coins/record_space.h"

namespace headrace {
namespace {

constexpr char kSegmentMagic[9] = "HRCOINSG";
constexpr uint32_t kSegmentFormatVersion = 1;

absl::Status Damaged(const std::string& path, const std::string& what) {
  return absl::DataLossError(absl::StrCat(path, " ", what, "; ", kReindexRemedy, "."));
}

}  // namespace

std::string SegmentFileName(uint64_t serial) { return absl::StrFormat("segment-%08u.dat", serial); }

void StoreSegmentHeader(uint32_t network_magic, uint64_t serial, uint8_t* out) {
  std::memset(out, 0, kSegmentHeaderBytes);
  std::memcpy(out, kSegmentMagic, 8);
  StoreLittle(out + 8, kSegmentFormatVersion);
  StoreLittle(out + 12, network_magic);
  StoreLittle(out + 16, serial);
}

std::string SegmentPath(const std::string& directory, uint64_t serial) {
  return absl::StrCat(directory, "/", SegmentFileName(serial));
}

absl::Status OpenSealedSegment(FileSystem* files, const std::string& directory, uint32_t network_magic,
                               const SegmentEntry& entry, uint8_t* at, Segment& segment) {
  const std::string path = SegmentPath(directory, entry.serial);
  if (!files->Exists(path)) return Damaged(path, "is missing");
  const uint64_t body_bytes = RoundUpToPage(entry.records_end);
  const uint64_t sums_bytes = body_bytes / kPageBytes * 4;
  HR_ASSIGN_OR_RETURN(FileRef file, files->Open(path, OpenMode::kRead));
  HR_ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  if (size != body_bytes + sums_bytes) {
    return Damaged(path, absl::StrCat("has ", size, " bytes where the manifest expects ", body_bytes + sums_bytes));
  }
  std::vector<uint8_t> sums(sums_bytes);
  HR_RETURN_IF_ERROR(files->ReadAt(file, body_bytes, sums));

  segment.id = entry.id;
  segment.serial = entry.serial;
  segment.path = path;
  segment.records_end = entry.records_end;
  segment.record_count = entry.record_count;
  if (segment.checksums.room() == 0) segment.checksums = PageChecksums(sums.size() / 4);
  segment.checksums.LoadSums(sums);
  if (segment.checksums.total() != entry.checksum) return Damaged(path, "has page checksums that the manifest does not know");
  if (at != nullptr) {
    // Not the checksums behind the body: a full segment's would lie where the next segment does.
    if (body_bytes > kSegmentBytes) return Damaged(path, "is larger than a segment can be");
    HR_RETURN_IF_ERROR(files->MapReadOnlyAt(file, body_bytes, at));
    segment.base = at;
  } else {
    HR_ASSIGN_OR_RETURN(segment.mapping, files->MapReadOnly(file, 0, body_bytes));
    segment.base = segment.mapping.bytes.data();
  }
  files->ExpectRandomReads({segment.base, body_bytes});
  segment.file = std::move(file);
  segment.file_bytes = size;
  segment.is_durable = true;
  segment.kind = SegmentKind::kSealed;

  uint8_t header[kSegmentHeaderBytes];
  StoreSegmentHeader(network_magic, entry.serial, header);
  if (!segment.checksums.PageRangeIsGood(segment.base, 0, kSegmentHeaderBytes) ||
      std::memcmp(segment.base, header, kSegmentHeaderBytes) != 0) {
    return Damaged(path, "does not begin as a segment of this store does");
  }
  return absl::OkStatus();
}

}  // namespace headrace
