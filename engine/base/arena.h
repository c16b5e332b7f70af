// A bump allocator for bytes whose lifetimes end together (a block's spent scripts). One thread at a time; Reset keeps
// the memory for the next block. Chunks grow with what is used, so that the arena of a tiny block is tiny.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "engine/base/bytes.h"

namespace headrace {

class Arena {
 public:
  explicit Arena(size_t chunk_bytes = 64 << 10) : chunk_bytes_(chunk_bytes) {}
  Arena(Arena&&) = default;
  Arena& operator=(Arena&&) = default;

  uint8_t* Allocate(size_t size) {
    if (size > left_) Grow(size);
    uint8_t* at = next_;
    next_ += size;
    left_ -= size;
    used_bytes_ += size;
    return at;
  }

  ByteSpan Copy(ByteSpan bytes) {
    if (bytes.empty()) return {};
    uint8_t* at = Allocate(bytes.size());
    std::memcpy(at, bytes.data(), bytes.size());
    return {at, bytes.size()};
  }

  // Everything allocated so far is gone. The first megabyte of chunks is kept for what comes next.
  static constexpr size_t kKeptBytesMax = 1 << 20;
  void Reset();

  size_t used_bytes() const { return used_bytes_; }
  // What the chunks take, those that wait included.
  size_t reserved_bytes() const { return reserved_bytes_; }

 private:
  struct Chunk {
    std::unique_ptr<uint8_t[]> bytes;
    size_t size;
  };

  void Grow(size_t size);

  size_t chunk_bytes_;
  std::vector<Chunk> chunks_;
  size_t in_use_ = 0;  // chunks from the front; the rest wait
  uint8_t* next_ = nullptr;
  size_t left_ = 0;
  size_t used_bytes_ = 0;
  size_t reserved_bytes_ = 0;
};

}  // namespace headrace
