// A growing array whose elements never move: one thread appends while others read what was appended before.
//
// Elements live in chunks of fixed size; the directory of chunks has its final size from the start. A reader may use an
// index that reached it through any synchronising hand-over (a queue, a lock) from the writer, and needs no lock itself.
// Directory: 8 bytes a 16,384 elements of capacity.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/base/check.h"

namespace headrace {

template <typename T>
class StableColumn {
 public:
  static constexpr uint32_t kChunkBits = 14;
  static constexpr uint32_t kChunkElements = 1u << kChunkBits;
  static constexpr uint32_t kChunks = 4096;
  static constexpr uint32_t kCapacity = kChunks * kChunkElements;  // 67 million headers: 1,200 years of blocks

  StableColumn() : chunks_(kChunks) {}

  uint32_t size() const { return size_; }

  void push_back(const T& value) {
    HR_CHECK(size_ < kCapacity);
    auto& chunk = chunks_[size_ >> kChunkBits];
    if (chunk == nullptr) chunk = std::make_unique<T[]>(kChunkElements);
    chunk[size_ & (kChunkElements - 1)] = value;
    ++size_;
  }

  const T& operator[](uint32_t index) const { return chunks_[index >> kChunkBits][index & (kChunkElements - 1)]; }
  T& operator[](uint32_t index) { return chunks_[index >> kChunkBits][index & (kChunkElements - 1)]; }

 private:
  std::vector<std::unique_ptr<T[]>> chunks_;
  uint32_t size_ = 0;
};

}  // namespace headrace
