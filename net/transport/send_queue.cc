#include "net/transport/send_queue.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"

namespace headrace {

void SendQueue::Append(SharedBytes bytes) {
  if (bytes.bytes.empty()) return;
  size_bytes_ += bytes.bytes.size();
  pieces_.push_back(std::move(bytes));
}

size_t SendQueue::Gather(std::span<iovec> vectors) const {
  const size_t count = std::min(vectors.size(), pieces_.size());
  for (size_t i = 0; i < count; ++i) {
    const ByteSpan piece = pieces_[i].bytes;
    vectors[i] = {const_cast<uint8_t*>(piece.data()), piece.size()};
  }
  return count;
}

void SendQueue::Consume(size_t size) {
  HR_CHECK(size <= size_bytes_);
  size_bytes_ -= size;
  while (size > 0) {
    ByteSpan& front = pieces_.front().bytes;
    if (size < front.size()) {
      front = front.subspan(size);
      return;
    }
    size -= front.size();
    pieces_.pop_front();
  }
}

void SendQueue::Clear() {
  pieces_.clear();
  size_bytes_ = 0;
}

}  // namespace headrace
