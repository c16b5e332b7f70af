#include "bench/storage/coins/prefaulted_memory.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "engine/base/check.h"
#include "storage/coins/segment.h"

namespace headrace::bench {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kHugePage = 2 << 20;
// What the store's index tables ask with; its segments want a place besides.
constexpr int kStoreFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;

void* KernelMmap(void* at, size_t size, int protection, int flags, int fd, off_t offset) {
  const long answer = ::syscall(SYS_mmap, at, size, protection, flags, fd, offset);
  return reinterpret_cast<void*>(answer);
}

// Handed out from front to back; what is returned goes to the kernel, as ever.
class Range {
 public:
  void Prepare(uint64_t bytes) {
    if (bytes == 0) return;
    bytes += kHugePage;
    void* const at = KernelMmap(nullptr, bytes, PROT_READ | PROT_WRITE, kStoreFlags, -1, 0);
    HR_CHECK(at != MAP_FAILED);
    ::madvise(at, bytes, MADV_HUGEPAGE);
    auto* const bytes_at = static_cast<volatile uint8_t*>(at);
    for (uint64_t offset = 0; offset < bytes; offset += kPage) bytes_at[offset] = 0;
    next_ = reinterpret_cast<uintptr_t>(at);
    end_ = next_ + bytes;
  }

  // Null when there is not enough left.
  void* Take(uint64_t size) {
    // Tables of huge pages and larger begin where a huge page does.
    const uint64_t alignment = size >= kHugePage ? kHugePage : kPage;
    uintptr_t next = next_.load(std::memory_order_relaxed);
    for (;;) {
      const uintptr_t at = (next + alignment - 1) / alignment * alignment;
      const uintptr_t after = at + (size + kPage - 1) / kPage * kPage;
      if (after > end_) return nullptr;
      if (next_.compare_exchange_weak(next, after, std::memory_order_relaxed)) return reinterpret_cast<void*>(at);
    }
  }

 private:
  std::atomic<uintptr_t> next_{0};
  uintptr_t end_ = 0;
};

// Constant initialisation: mmap is called before any constructor has run.
constinit Range tables;
constinit Range segments;
constinit std::atomic<bool> is_prepared{false};
constinit std::atomic<uint64_t> served_bytes{0};
constinit std::atomic<uint64_t> refused_bytes{0};

}  // namespace

void PreparePrefaultedMemory(uint64_t table_bytes, uint64_t segment_bytes) {
  tables.Prepare(table_bytes);
  segments.Prepare(segment_bytes);
  is_prepared = true;
}

PrefaultedUse UseOfPrefaultedMemory() { return {served_bytes, refused_bytes}; }

// What mmap gives to a store's request, or null to leave it to the kernel.
void* TakePrefaultedMemory(void* wanted_at, size_t size, int protection, int flags, int fd) {
  if (!is_prepared.load(std::memory_order_acquire)) return nullptr;
  if (protection != (PROT_READ | PROT_WRITE) || fd != -1) return nullptr;
  const bool is_segment = size == kSegmentBytes && flags == (kStoreFlags | MAP_FIXED);
  const bool is_table = wanted_at == nullptr && flags == kStoreFlags;
  if (!is_segment && !is_table) return nullptr;
  void* at = is_segment ? segments.Take(size) : tables.Take(size);
  (at != nullptr ? served_bytes : refused_bytes).fetch_add(size, std::memory_order_relaxed);
  // The pages move to where they are wanted.
  if (is_segment && at != nullptr) {
    at = ::mremap(at, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, wanted_at);
    HR_CHECK(at == wanted_at);
  }
  return at;
}

}  // namespace headrace::bench

extern "C" void* mmap(void* at, size_t size, int protection, int flags, int fd, off_t offset) noexcept {
  void* const prefaulted = headrace::bench::TakePrefaultedMemory(at, size, protection, flags, fd);
  if (prefaulted != nullptr) return prefaulted;
  return headrace::bench::KernelMmap(at, size, protection, flags, fd, offset);
}
