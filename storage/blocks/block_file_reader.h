// Walks over the blocks of any file in the field's common layout: our own block files, another node's (also those
// obfuscated with an 8-byte XOR key, which stands beside them in xor.dat), and bootstrap files of any size.
//
// Between frames, zero padding and garbage are skipped up to the next network magic. Nothing is believed but the magic
// and a plausible length; whoever takes a block checks it. One thread; reading costs page faults only, unless the file
// is obfuscated, when each block is copied.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
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
  // Goes on at `offset`.
  void Seek(uint64_t offset) { offset_ = std::min<uint64_t>(offset, size()); }

  uint64_t offset() const { return offset_; }  // how far the walk is, in bytes
  uint64_t size() const { return mapping_.bytes.size(); }
  uint64_t skipped_bytes() const { return skipped_bytes_; }  // neither zero nor part of a block
  // At the end: where a last frame begins that the file does not hold whole.
  std::optional<uint64_t> truncated_offset() const { return truncated_offset_; }

 private:
  using XorKey = std::array<uint8_t, 8>;

  BlockFileReader(SharedBytes mapping, const NetworkMagic& magic, const XorKey& key);
  uint8_t At(uint64_t offset) const { return mapping_.bytes[offset] ^ key_[offset % key_.size()]; }
  bool MagicIsAt(uint64_t offset) const;
  void SkipToMagic(uint64_t limit);
  SharedBytes Take(uint64_t offset, uint32_t size) const;

  const SharedBytes mapping_;
  const NetworkMagic magic_;
  const XorKey key_;
  const bool obfuscated_;
  uint64_t offset_ = 0;
  uint64_t skipped_bytes_ = 0;
  std::optional<uint64_t> truncated_offset_;
};

}  // namespace headrace
