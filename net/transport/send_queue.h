// What waits to be sent on one connection: references to bytes, given to the kernel as gather lists without a copy.
//
// The reactor thread alone. Appending and consuming cost nothing per byte.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <deque>
#include <span>

#include "engine/base/slab.h"

namespace headrace {

class SendQueue {
 public:
  void Append(SharedBytes bytes);
  // Points `vectors` at the first bytes of the queue and returns how many were filled. They stay valid until Consume.
  size_t Gather(std::span<iovec> vectors) const;
  // The first `size` bytes were sent: their owners are let go of.
  void Consume(size_t size);
  void Clear();

  bool empty() const { return pieces_.empty(); }
  uint64_t size_bytes() const { return size_bytes_; }

 private:
  std::deque<SharedBytes> pieces_;  // none is empty
  uint64_t size_bytes_ = 0;
};

}  // namespace headrace
