#include "storage/blocks/frame_mappings.h"

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"

namespace headrace {

absl::Status FrameMappings::Damaged(const BlockPosition& position, const std::string& what) const {
  return absl::DataLossError(absl::StrCat("The file ", PathOf(position.file), " is damaged at offset ", position.offset,
                                          ": ", what,
                                          ". Check the disk, then start once with -reindex, which keeps every intact "
                                          "block and downloads the rest again."));
}

absl::StatusOr<SharedBytes> FrameMappings::WholeFile(const BlockPosition& position, uint64_t size) {
  const std::lock_guard lock(mutex_);
  const auto found = mappings_.find(position.file);
  if (found != mappings_.end() && found->second.bytes.size() >= size) return found->second;
  absl::StatusOr<FileRef> file = files_.Open(PathOf(position.file), OpenMode::kRead);
  if (absl::IsNotFound(file.status())) return Damaged(position, "the file is missing");
  if (!file.ok()) return file.status();
  HR_ASSIGN_OR_RETURN(const uint64_t file_size, (*file)->Size());
  if (file_size < size) {
    return Damaged(position, absl::StrCat("it has ", file_size, " bytes where at least ", size, " were written"));
  }
  HR_ASSIGN_OR_RETURN(SharedBytes whole, files_.MapReadOnly(*file, 0, file_size));
  // Dropping them all is crude, and good enough for something that only archives of other shapes can reach.
  if (mappings_.size() >= kMappingsMax) mappings_.clear();
  mappings_[position.file] = whole;
  return whole;
}

absl::StatusOr<SharedBytes> FrameMappings::Map(const BlockPosition& position) {
  const uint64_t size = uint64_t{position.size} + trailer_bytes_;
  if (!position.exists() || position.offset < kFrameHeaderBytes) return Damaged(position, "no record can be there");
  HR_ASSIGN_OR_RETURN(const SharedBytes whole, WholeFile(position, position.offset + size));
  if (!IsFrameHeader(&whole.bytes[position.offset - kFrameHeaderBytes], magic_, position.size)) {
    return Damaged(position, absl::StrCat("no record of ", position.size, " bytes begins there"));
  }
  return SharedBytes{whole.bytes.subspan(position.offset, size), whole.owner};
}

void FrameMappings::Forget() {
  const std::lock_guard lock(mutex_);
  mappings_.clear();
}

}  // namespace headrace
