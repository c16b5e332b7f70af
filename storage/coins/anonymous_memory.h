// Anonymous memory: zeroed; from the kernel page by page when first touched, in huge pages where the range is large.
// The index tables live here.
//
// A small range comes from the heap instead: a young store has 256 tables of a few lines each, and as many mappings would be
// most of what opening and closing it costs.
//
// Movable, single owner. A large range costs a system call; a refusal is the end of the process, as with operator new.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <utility>

#include "engine/base/check.h"

namespace headrace {

class AnonymousMemory {
 public:
  AnonymousMemory() = default;
  explicit AnonymousMemory(size_t size) : size_(size) {
    if (IsSmall()) {
      at_ = static_cast<uint8_t*>(::operator new(size, kSmallAlignment));
      std::memset(at_, 0, size);
      return;
    }
    void* at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    HR_CHECK(at != MAP_FAILED);
    at_ = static_cast<uint8_t*>(at);
  }
  AnonymousMemory(AnonymousMemory&& other) noexcept
      : at_(std::exchange(other.at_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  AnonymousMemory& operator=(AnonymousMemory&& other) noexcept {
    std::swap(at_, other.at_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~AnonymousMemory() {
    if (at_ == nullptr) return;
    if (IsSmall()) {
      ::operator delete(at_, kSmallAlignment);
    } else {
      ::munmap(at_, size_);
    }
  }

  // Asks for huge pages: for large ranges that will be touched all over.
  void PreferHugePages() { ::madvise(at_, size_, MADV_HUGEPAGE); }
  // Gives the pages of a part of a large range back, which read as zero afterwards; a small one is left as it is.
  void Discard(size_t offset, size_t size) {
    if (!IsSmall()) ::madvise(at_ + offset, size, MADV_DONTNEED);
  }

  uint8_t* data() const { return at_; }
  size_t size() const { return size_; }

 private:
  static constexpr size_t kSmallBytes = 16 << 10;
  // A cache line: what the smallest tables are made of.
  static constexpr std::align_val_t kSmallAlignment{64};

  bool IsSmall() const { return size_ < kSmallBytes; }

  uint8_t* at_ = nullptr;
  size_t size_ = 0;
};

}  // namespace headrace
