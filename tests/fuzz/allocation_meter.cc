#include "tests/fuzz/allocation_meter.h"

// The sanitizers' operators check that what one allocator gave another does not take back; they stay.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HR_METERS_ALLOCATIONS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HR_METERS_ALLOCATIONS 0
#endif
#endif
#ifndef HR_METERS_ALLOCATIONS
#define HR_METERS_ALLOCATIONS 1
#endif

#if HR_METERS_ALLOCATIONS

#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <new>

namespace headrace::fuzz {
namespace {

thread_local ptrdiff_t held_bytes = 0;
thread_local ptrdiff_t most_bytes = 0;

void* Allocate(size_t size) {
  void* memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  held_bytes += static_cast<ptrdiff_t>(malloc_usable_size(memory));
  most_bytes = std::max(most_bytes, held_bytes);
  return memory;
}

void Release(void* memory) {
  if (memory == nullptr) return;
  held_bytes -= static_cast<ptrdiff_t>(malloc_usable_size(memory));
  std::free(memory);
}

}  // namespace

AllocationMeter::AllocationMeter() : begin_bytes_(held_bytes) { most_bytes = held_bytes; }

size_t AllocationMeter::peak_bytes() const { return static_cast<size_t>(most_bytes - begin_bytes_); }

}  // namespace headrace::fuzz

// The other forms call these.
void* operator new(size_t size) { return headrace::fuzz::Allocate(size); }
void* operator new[](size_t size) { return headrace::fuzz::Allocate(size); }
void operator delete(void* memory) noexcept { headrace::fuzz::Release(memory); }
void operator delete[](void* memory) noexcept { headrace::fuzz::Release(memory); }
void operator delete(void* memory, size_t) noexcept { headrace::fuzz::Release(memory); }
void operator delete[](void* memory, size_t) noexcept { headrace::fuzz::Release(memory); }

#else

namespace headrace::fuzz {

AllocationMeter::AllocationMeter() : begin_bytes_(0) {}

size_t AllocationMeter::peak_bytes() const { return static_cast<size_t>(begin_bytes_); }

}  // namespace headrace::fuzz

#endif
