#include "engine/base/arena.h"

#include <algorithm>

namespace headrace {
namespace {

constexpr size_t kFirstChunkBytes = 4 << 10;

}  // namespace

void Arena::Grow(size_t size) {
  // Chunks of before come first. One that is too small for this request is passed over until the next reset.
  while (in_use_ < chunks_.size() && chunks_[in_use_].size < size) ++in_use_;
  if (in_use_ >= chunks_.size()) {
    const size_t chunk_size = std::max(size, std::min(chunk_bytes_, std::max(kFirstChunkBytes, reserved_bytes_)));
    chunks_.push_back({std::make_unique_for_overwrite<uint8_t[]>(chunk_size), chunk_size});
    reserved_bytes_ += chunk_size;
    in_use_ = chunks_.size() - 1;
  }
  next_ = chunks_[in_use_].bytes.get();
  left_ = chunks_[in_use_].size;
  ++in_use_;
}

void Arena::Reset() {
  size_t kept = 0;
  size_t count = 0;
  while (count < chunks_.size() && kept + chunks_[count].size <= kKeptBytesMax) kept += chunks_[count++].size;
  chunks_.resize(count);
  in_use_ = 0;
  next_ = nullptr;
  left_ = 0;
  used_bytes_ = 0;
  reserved_bytes_ = kept;
}

}  // namespace headrace
