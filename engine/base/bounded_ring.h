// A bounded queue between components, many producers and many consumers (Vyukov's array queue with a sequence number a
// cell). Components meet only in these rings: a full ring is backpressure, never growth.
//
// Any thread. TryPush and TryPop never block and never allocate; each costs one compare-and-swap when uncontended.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "engine/base/check.h"

namespace headrace {

template <typename T>
class BoundedRing {
 public:
  // `capacity` is a power of two, at least 2.
  explicit BoundedRing(size_t capacity) : mask_(capacity - 1), cells_(std::make_unique<Cell[]>(capacity)) {
    HR_CHECK(capacity >= 2 && (capacity & mask_) == 0);
    for (size_t i = 0; i < capacity; ++i) cells_[i].sequence.store(i, std::memory_order_relaxed);
  }
  BoundedRing(const BoundedRing&) = delete;
  BoundedRing& operator=(const BoundedRing&) = delete;

  size_t capacity() const { return mask_ + 1; }

  // False when the ring is full; `value` is then untouched.
  bool TryPush(T&& value) {
    size_t position = head_.load(std::memory_order_relaxed);
    Cell* cell;
    while (true) {
      cell = &cells_[position & mask_];
      // Acquire: pairs with the consumer's release, so that the slot's old value is gone before a new one is written.
      const size_t sequence = cell->sequence.load(std::memory_order_acquire);
      const auto distance = static_cast<intptr_t>(sequence) - static_cast<intptr_t>(position);
      if (distance == 0) {
        // Relaxed: claiming a position orders nothing; the cell's sequence does.
        if (head_.compare_exchange_weak(position, position + 1, std::memory_order_relaxed)) break;
      } else if (distance < 0) {
        return false;
      } else {
        position = head_.load(std::memory_order_relaxed);
      }
    }
    cell->value = std::move(value);
    // Release: publishes the value to the consumer that reads this sequence.
    cell->sequence.store(position + 1, std::memory_order_release);
    return true;
  }

  std::optional<T> TryPop() {
    size_t position = tail_.load(std::memory_order_relaxed);
    Cell* cell;
    while (true) {
      cell = &cells_[position & mask_];
      // Acquire: pairs with the producer's release, so that the value is seen whole.
      const size_t sequence = cell->sequence.load(std::memory_order_acquire);
      const auto distance = static_cast<intptr_t>(sequence) - static_cast<intptr_t>(position + 1);
      if (distance == 0) {
        if (tail_.compare_exchange_weak(position, position + 1, std::memory_order_relaxed)) break;
      } else if (distance < 0) {
        return std::nullopt;
      } else {
        position = tail_.load(std::memory_order_relaxed);
      }
    }
    std::optional<T> value(std::move(cell->value));
    cell->value = T();
    // Release: hands the emptied cell to the producer one lap ahead.
    cell->sequence.store(position + mask_ + 1, std::memory_order_release);
    return value;
  }

  // A hint: exact only while nobody else uses the ring.
  size_t size_hint() const {
    const size_t head = head_.load(std::memory_order_relaxed);
    const size_t tail = tail_.load(std::memory_order_relaxed);
    return head > tail ? head - tail : 0;
  }

 private:
  struct Cell {
    std::atomic<size_t> sequence;
    T value{};
  };
  static_assert(std::atomic<size_t>::is_always_lock_free);

  const size_t mask_;
  std::unique_ptr<Cell[]> cells_;
  alignas(64) std::atomic<size_t> head_{0};
  alignas(64) std::atomic<size_t> tail_{0};
};

}  // namespace headrace
