// Memory that the kernel picks from when bytes arrive (a provided buffer ring, Linux 5.19): one pool for all connections
// of a ring, so that a thousand idle peers pin no receive buffers.
//
// Owned and used by the reactor thread. A buffer goes back as soon as its bytes were handed on.
#pragma once

#include <liburing.h>

#include <cstdint>

#include "engine/base/bytes.h"

namespace headrace {

class BufferRing {
 public:
  static constexpr uint32_t kBufferCount = 128;  // a power of two
  static constexpr uint32_t kBufferBytes = 16 * 1024;
  static constexpr uint16_t kGroup = 1;

  BufferRing() = default;
  ~BufferRing();
  BufferRing(const BufferRing&) = delete;
  BufferRing& operator=(const BufferRing&) = delete;

  // Registers the pool with `ring`, which must be gone before this object; returns an errno, or 0.
  int Register(io_uring& ring);

  ByteSpan Bytes(uint16_t buffer, size_t size) const { return {memory_ + size_t{buffer} * kBufferBytes, size}; }
  void Recycle(uint16_t buffer);

 private:
  io_uring_buf_ring* ring_ = nullptr;  // one page-aligned mapping: the ring's entries, then the buffers
  uint8_t* memory_ = nullptr;
};

}  // namespace headrace
