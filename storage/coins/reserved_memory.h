// Address space that is reserved once and filled range by range: with memory to write to, or with files, read-only.
//
// An address stays good once its range was filled: what is there may be replaced, never taken away, as long as this
// lives. Whoever holds a stale address reads zeros or something newer. Nothing costs memory before it is touched.
//
// Threads: filling a range is for one; any number may read meanwhile what it holds.
#pragma once

#include <cstdint>
#include <utility>

#include "absl/status/status.h"

namespace headrace {

class ReservedMemory {
 public:
  // Ranges that are a multiple of this from the beginning can lie in huge pages.
  static constexpr uint64_t kAlignment = 2 << 20;

  ReservedMemory() = default;
  ReservedMemory(const ReservedMemory&) = delete;
  ReservedMemory& operator=(const ReservedMemory&) = delete;
  ~ReservedMemory();

  // ResourceExhausted where the process may not have so many addresses (ulimit -v).
  absl::Status Reserve(uint64_t bytes);

  uint8_t* data() const { return at_; }
  uint64_t size() const { return size_; }

  // Zeroed memory in place of whatever was there; offset and size in whole pages.
  void Clear(uint64_t offset, uint64_t size);
  // Asks for huge pages, until the range is filled anew: for memory that will be touched all over.
  void PreferHugePages(uint64_t offset, uint64_t size);
  // The same as Clear for memory that is being written to, which is faster: its pages go, the next touch brings zeros.
  void Discard(uint64_t offset, uint64_t size);

 private:
  uint8_t* mapping_ = nullptr;
  uint64_t mapping_bytes_ = 0;
  uint8_t* at_ = nullptr;
  uint64_t size_ = 0;
};

}  // namespace headrace
