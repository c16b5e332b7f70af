// A slab: one block's raw bytes (or one large message's body), exact in size, filled once and then shared read-only.
//
// The network reads a body straight into a slab; the same memory is parsed, hashed, verified and written to the block
// file. One allocation and one reference count a block.
#pragma once

#include <cstdint>
#include <memory>

#include "engine/base/bytes.h"

namespace headrace {

class Slab {
 public:
  explicit Slab(size_t size) : size_(size), bytes_(std::make_unique_for_overwrite<uint8_t[]>(size)) {}
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;

  static std::shared_ptr<Slab> Copy(ByteSpan bytes);

  size_t size() const { return size_; }
  ByteSpan bytes() const { return {bytes_.get(), size_}; }
  // Only for the one writer that fills it, before it is shared.
  MutableByteSpan writable() { return {bytes_.get(), size_}; }

 private:
  const size_t size_;
  const std::unique_ptr<uint8_t[]> bytes_;
};

using SlabRef = std::shared_ptr<const Slab>;

// Bytes that somebody keeps alive: a slab, or a piece of a read-only file mapping.
struct SharedBytes {
  ByteSpan bytes;
  std::shared_ptr<const void> owner;

  static SharedBytes From(SlabRef slab) {
    const ByteSpan bytes = slab->bytes();
    return {bytes, std::move(slab)};
  }
};

}  // namespace headrace
