#include "engine/base/arena.h"

#include <algorithm>

namespace headrace {

void Arena::Grow(size_t size) {
  const size_t chunk_size = std::max(size, chunk_bytes_);
  chunks_.push_back({std::make_unique_for_overwrite<uint8_t[]>(chunk_size), chunk_size});
  next_ = chunks_.back().bytes.get();
  left_ = chunk_size;
}

void Arena::Reset() {
  used_bytes_ = 0;
  if (chunks_.empty()) return;
  chunks_.resize(1);
  next_ = chunks_[0].bytes.get();
  left_ = chunks_[0].size;
}

}  // namespace headrace
