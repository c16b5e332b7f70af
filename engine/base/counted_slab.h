// Slabs counted as long as anybody holds them: the download's budget has to know of blocks that wait for the disk
// alone, whose jobs are long done.
//
// The count is shared, for the last holder may outlive whoever counts. Any thread; an addition and a subtraction a
// slab.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "engine/base/slab.h"

namespace headrace {

using SlabBytes = std::atomic<uint64_t>;

// The same slab; `count` holds its size until the last copy of what this returns is gone. Relaxed: a bound, not a
// hand-over.
inline SlabRef Counted(SlabRef slab, std::shared_ptr<SlabBytes> count) {
  class Holder {
   public:
    Holder(SlabRef slab, std::shared_ptr<SlabBytes> count) : slab_(std::move(slab)), count_(std::move(count)) {
      count_->fetch_add(slab_->size(), std::memory_order_relaxed);
    }
    ~Holder() { count_->fetch_sub(slab_->size(), std::memory_order_relaxed); }
    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;

   private:
    const SlabRef slab_;
    const std::shared_ptr<SlabBytes> count_;
  };
  const Slab* const at = slab.get();
  return {std::make_shared<const Holder>(std::move(slab), std::move(count)), at};
}

}  // namespace headrace
