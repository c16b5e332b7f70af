#include "net/transport/buffer_ring.h"

#include <sys/mman.h>

#include <cerrno>

namespace headrace {
namespace {

constexpr size_t kEntriesBytes = BufferRing::kBufferCount * sizeof(io_uring_buf);
static_assert(kEntriesBytes <= 4096, "the entries take the mapping's first page");
constexpr size_t kMappingBytes = 4096 + size_t{BufferRing::kBufferCount} * BufferRing::kBufferBytes;

}  // namespace

BufferRing::~BufferRing() {
  if (ring_ != nullptr) munmap(ring_, kMappingBytes);
}

int BufferRing::Register(io_uring& ring) {
  void* mapping = mmap(nullptr, kMappingBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) return errno;
  ring_ = static_cast<io_uring_buf_ring*>(mapping);
  memory_ = static_cast<uint8_t*>(mapping) + 4096;
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<uint64_t>(ring_);
  registration.ring_entries = kBufferCount;
  registration.bgid = kGroup;
  if (const int error = io_uring_register_buf_ring(&ring, &registration, 0); error != 0) return -error;
  io_uring_buf_ring_init(ring_);
  for (uint32_t i = 0; i < kBufferCount; ++i) {
    io_uring_buf_ring_add(ring_, memory_ + size_t{i} * kBufferBytes, kBufferBytes, static_cast<uint16_t>(i),
                          io_uring_buf_ring_mask(kBufferCount), static_cast<int>(i));
  }
  io_uring_buf_ring_advance(ring_, kBufferCount);
  return 0;
}

void BufferRing::Recycle(uint16_t buffer) {
  io_uring_buf_ring_add(ring_, memory_ + size_t{buffer} * kBufferBytes, kBufferBytes, buffer,
                        io_uring_buf_ring_mask(kBufferCount), 0);
  io_uring_buf_ring_advance(ring_, 1);
}

}  // namespace headrace
