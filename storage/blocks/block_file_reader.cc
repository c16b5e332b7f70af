#include "storage/blocks/block_file_reader.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/status_macros.h"

namespace headrace {

absl::StatusOr<std::unique_ptr<BlockFileReader>> BlockFileReader::Open(FileSystem& files, const std::string& path,
                                                                       const NetworkMagic& magic) {
  XorKey key{};
  const std::string key_path = (std::filesystem::path(path).parent_path() / "xor.dat").string();
  if (files.Exists(key_path)) {
    HR_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, files.ReadWholeFile(key_path, 4096));
    if (bytes.size() != key.size()) {
      return absl::DataLossError(absl::StrCat("The key file ", key_path, " has ", bytes.size(),
                                              " bytes instead of 8: copy it again from the node that wrote the blocks."));
    }
    std::copy(bytes.begin(), bytes.end(), key.begin());
  }
  HR_ASSIGN_OR_RETURN(const FileRef file, files.Open(path, OpenMode::kRead));
  HR_ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  HR_ASSIGN_OR_RETURN(SharedBytes mapping, files.MapReadOnly(file, 0, size));
  return std::unique_ptr<BlockFileReader>(new BlockFileReader(std::move(mapping), magic, key));
}

BlockFileReader::BlockFileReader(SharedBytes mapping, const NetworkMagic& magic, const XorKey& key)
    : mapping_(std::move(mapping)), magic_(magic), key_(key), obfuscated_(key != XorKey{}) {}

bool BlockFileReader::MagicIsAt(uint64_t offset) const {
  if (!obfuscated_) return std::memcmp(&mapping_.bytes[offset], magic_.data(), magic_.size()) == 0;
  for (size_t i = 0; i < magic_.size(); ++i) {
    if (At(offset + i) != magic_[i]) return false;
  }
  return true;
}

MaskedBytes BlockFileReader::Masked(const Place& place) const {
  MaskedBytes masked{{mapping_.bytes.subspan(place.offset, place.size), mapping_.owner}, key_};
  std::rotate(masked.key.begin(), masked.key.begin() + static_cast<ptrdiff_t>(place.offset % key_.size()), masked.key.end());
  return masked;
}

std::optional<BlockFileReader::Block> BlockFileReader::Next() {
  Block block;
  return NextWithin(size(), block) == Found::kBlock ? std::optional<Block>(std::move(block)) : std::nullopt;
}

BlockFileReader::Found BlockFileReader::NextWithin(uint64_t bytes_max, Block& block) {
  Place place;
  const Found found = FindWithin(bytes_max, place);
  if (found != Found::kBlock) return found;
  MaskedBytes masked = Masked(place);
  block = {obfuscated_ ? SharedBytes::From(masked.ToSlab()) : std::move(masked.stored), place.offset};
  return found;
}

BlockFileReader::Found BlockFileReader::NextMaskedWithin(uint64_t bytes_max, MaskedBytes& block) {
  Place place;
  const Found found = FindWithin(bytes_max, place);
  if (found == Found::kBlock) block = Masked(place);
  return found;
}

// Where a frame's length can be trusted, another frame follows it, or padding, or the end.
bool BlockFileReader::FrameMayEndAt(uint64_t offset) const {
  if (size() - offset < magic_.size() || MagicIsAt(offset)) return true;
  return IsPadding(offset) && IsPadding(offset + 1) && IsPadding(offset + 2) && IsPadding(offset + 3);
}

// Goes to the next magic before `limit`, or to `limit`.
void BlockFileReader::SkipToMagic(uint64_t limit) {
  constexpr uint64_t kStrideBytes = 32;
  // A run of zeros as long as this holds no beginning of a magic that does not begin with zero itself. It is crossed at the
  // speed of memory: files are preallocated, and copies of sparse ones are zeros for gigabytes.
  const bool zeros_are_padding = !obfuscated_ && magic_[0] != 0;
  while (offset_ < limit) {
    if (zeros_are_padding && limit - offset_ >= kStrideBytes) {
      uint64_t words[kStrideBytes / 8];
      std::memcpy(words, &mapping_.bytes[offset_], sizeof(words));
      if ((words[0] | words[1] | words[2] | words[3]) == 0) {
        offset_ += kStrideBytes;
        continue;
      }
    }
    if (size() - offset_ >= magic_.size() && MagicIsAt(offset_)) return;
    SkipByte();
  }
}

BlockFileReader::Found BlockFileReader::FindWithin(uint64_t bytes_max, Place& place) {
  const uint64_t limit = bytes_max < size() - offset_ ? offset_ + bytes_max : size();
  while (true) {
    SkipToMagic(limit);
    if (offset_ == size()) return Found::kEnd;
    if (offset_ >= limit) return Found::kNothingYet;
    const uint64_t begin = offset_ + kFrameHeaderBytes;
    uint32_t length = 0;
    if (begin <= size()) {
      for (size_t i = 0; i < 4; ++i) length |= uint32_t{At(offset_ + 4 + i)} << (8 * i);
    }
    const bool plausible = length >= kFramedBlockBytesMin && length <= kFramedBlockBytesMax;
    if (plausible && length <= size() - begin) {
      const uint64_t end = begin + length;
      taken_end_ = std::max(taken_end_, end);
      // A length that damage made too large swallows the blocks behind it, so these are looked for inside as well. What is
      // found there by chance is for whoever checks the blocks to refuse.
      offset_ = FrameMayEndAt(end) ? end : begin;
      // A frame that follows shows that what looked cut short before was garbage.
      truncated_offset_.reset();
      place = {begin, length};
      return Found::kBlock;
    }
    if ((begin > size() || plausible) && offset_ >= taken_end_) truncated_offset_ = offset_;
    SkipByte();
  }
}

void BlockFileReader::SkipByte() {
  if (offset_ >= taken_end_ && !IsPadding(offset_)) ++skipped_bytes_;
  ++offset_;
}

}  // namespace headrace
