#include "storage/coins/reserved_memory.h"

#include <sys/mman.h>

#include "absl/strings/str_cat.h"
#include "engine/base/check.h"

namespace headrace {

ReservedMemory::~ReservedMemory() {
  if (mapping_ != nullptr) ::munmap(mapping_, mapping_bytes_);
}

absl::Status ReservedMemory::Reserve(uint64_t bytes) {
  HR_CHECK(mapping_ == nullptr);
  const uint64_t with_slack = bytes + kAlignment;
  void* at = ::mmap(nullptr, with_slack, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) {
    return absl::ResourceExhaustedError(
        absl::StrCat("The system refuses ", with_slack >> 30,
                     " GiB of address space, which the coin store sets aside without using "
                     "memory for it; raise the limit of this process (ulimit -v unlimited)."));
  }
  mapping_ = static_cast<uint8_t*>(at);
  mapping_bytes_ = with_slack;
  at_ = mapping_ + (kAlignment - reinterpret_cast<uintptr_t>(mapping_) % kAlignment) % kAlignment;
  size_ = bytes;
  return absl::OkStatus();
}

void ReservedMemory::Clear(uint64_t offset, uint64_t size) {
  HR_CHECK(offset + size <= size_);
  const void* at = ::mmap(at_ + offset, size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
  HR_CHECK(at != MAP_FAILED);
}

void ReservedMemory::PreferHugePages(uint64_t offset, uint64_t size) { ::madvise(at_ + offset, size, MADV_HUGEPAGE); }

void ReservedMemory::Discard(uint64_t offset, uint64_t size) { ::madvise(at_ + offset, size, MADV_DONTNEED); }

}  // namespace headrace
