// Walks over the blocks of any file in the field's common layout: our own block files, another node's (also those
// obfuscated with an 8-byte XOR key, which stands beside them in xor.dat), and bootstrap files of any size.
//
// Between frames, zero padding and garbage are skipped up to the next network magic. Nothing is believed but the magic
// and a plausible length, and the length only until something else than a frame or padding follows: then frames inside are
// handed out too. Whoever takes a block checks it. One thread; reading costs page faults only, unless the file
// is obfuscated, when Next copies each block.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "engine/base/masked_bytes.h"
#include "engine/base/slab.h"
#include "storage/blocks/frame.h"
#include "storage/file/file_system.h"

namespace headrace {

class BlockFileReader {
 public:
  struct Block {
    SharedBytes bytes;
    uint64_t offset = 0;  // of the block, behind its frame header
  };

  static absl::StatusOr<std::unique_ptr<BlockFileReader>> Open(FileSystem& files, const std::string& path,
                                                               const NetworkMagic& magic);

  // The next block, or nothing at the end of the file.
  std::optional<Block> Next();
  // The same in small steps: gives up for now after about `bytes_max` bytes without a block, so that whoever reads tens of
  // gigabytes of padding can still be told to stop.
  enum class Found : uint8_t { kBlock, kNothingYet, kEnd };
  Found NextWithin(uint64_t bytes_max, Block& block);
  // And without decoding an obfuscated one.
  Found NextMaskedWithin(uint64_t bytes_max, MaskedBytes& block);
  // Goes on at `offset`.
  void Seek(uint64_t offset) { offset_ = std::min<uint64_t>(offset, size()); }

  uint64_t offset() const { return offset_; }  // how far the walk is, in bytes
  uint64_t size() const { return mapping_.bytes.size(); }
  uint64_t skipped_bytes() const { return skipped_bytes_; }  // neither zero nor part of a block
  // At the end: where a last frame begins that the file does not hold whole.
  std::optional<uint64_t> truncated_offset() const { return truncated_offset_; }

 private:
  using XorKey = MaskedBytes::Key;
  struct Place {
    uint64_t offset = 0;
    uint32_t size = 0;
  };

  BlockFileReader(SharedBytes mapping, const NetworkMagic& magic, const XorKey& key);
  uint8_t At(uint64_t offset) const { return mapping_.bytes[offset] ^ key_[offset % key_.size()]; }
  bool MagicIsAt(uint64_t offset) const;
  // In an obfuscated file padding is a run of zero bytes as they stand, or of zeros once decoded.
  bool IsPadding(uint64_t offset) const { return mapping_.bytes[offset] == 0 || At(offset) == 0; }
  bool FrameMayEndAt(uint64_t offset) const;
  void SkipByte();
  void SkipToMagic(uint64_t limit);
  Found FindWithin(uint64_t bytes_max, Place& place);
  MaskedBytes Masked(const Place& place) const;

  const SharedBytes mapping_;
  const NetworkMagic magic_;
  const XorKey key_;
  const bool obfuscated_;
  uint64_t offset_ = 0;
  uint64_t taken_end_ = 0;  // of the frames handed out so far
  uint64_t skipped_bytes_ = 0;
  std::optional<uint64_t> truncated_offset_;
};

}  // namespace headrace
