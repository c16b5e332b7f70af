#include "tests/fuzz/allocation_meter.h"

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
