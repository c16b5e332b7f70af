// Frames that were appended and are not in their file yet, by position: readers find them here until the write is done.
//
// Any thread. One mutex, held for a hash lookup: a frame is a whole block, so this is once a block, not once a coin.
#pragma once

#include <cstdint>
#include <mutex>
#include <span>

#include "absl/container/flat_hash_map.h"
#include "engine/base/slab.h"
#include "engine/ports/block_store.h"

namespace headrace {

class PendingFrames {
 public:
  using Key = uint64_t;

  // `offset` is the payload's.
  static Key KeyOf(uint32_t file, uint32_t offset) { return uint64_t{file} << 32 | offset; }

  void Add(Key key, SlabRef slab) {
    const std::lock_guard lock(mutex_);
    slabs_[key] = std::move(slab);
  }

  void Remove(std::span<const Key> keys) {
    const std::lock_guard lock(mutex_);
    for (const Key key : keys) slabs_.erase(key);
  }

  // Null when the frame is not pending.
  SlabRef Find(Key key) const {
    const std::lock_guard lock(mutex_);
    const auto found = slabs_.find(key);
    return found == slabs_.end() ? nullptr : found->second;
  }

 private:
  mutable std::mutex mutex_;
  absl::flat_hash_map<Key, SlabRef> slabs_;
};

}  // namespace headrace
