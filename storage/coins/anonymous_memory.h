// Anonymous memory from the kernel: zeroed, page by page when first touched, in huge pages where the range is large.
// Hot mutable memory of the store (index tables, young records) lives here; files are never mapped writable.
//
// Movable, single owner. Allocation costs a system call; a refusal is the end of the process, as with operator new.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "engine/base/check.h"

namespace headrace {

class AnonymousMemory {
 public:
  AnonymousMemory() = default;
  explicit AnonymousMemory(size_t size) : size_(size) {
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
    if (at_ != nullptr) ::munmap(at_, size_);
  }

  // Asks for huge pages: for ranges that will be touched all over.
  void PreferHugePages() { ::madvise(at_, size_, MADV_HUGEPAGE); }
  // Gives the pages of a range back; they read as zero afterwards.
  void Discard(size_t offset, size_t size) { ::madvise(at_ + offset, size, MADV_DONTNEED); }

  uint8_t* data() const { return at_; }
  size_t size() const { return size_; }

 private:
  uint8_t* at_ = nullptr;
  size_t size_ = 0;
};

}  // namespace headrace
