// Bytes of a file that were written under an 8-byte XOR key, as they stand: a piece of a mapping, and the key turned so
// that its first byte belongs to the first of these. They are decoded when somebody needs them, so that what waits
// costs no memory.
//
// Any thread; immutable. An all-zero key means bytes in the clear.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "engine/base/slab.h"

namespace headrace {

struct MaskedBytes {
  using Key = std::array<uint8_t, 8>;

  SharedBytes stored;
  Key key{};

  size_t size() const { return stored.bytes.size(); }
  // Decodes the first out.size() bytes.
  void DecodeInto(MutableByteSpan out) const {
    for (size_t i = 0; i < out.size(); ++i) out[i] = stored.bytes[i] ^ key[i % key.size()];
  }
  // A copy in the clear.
  SlabRef ToSlab() const {
    if (key == Key{}) return Slab::Copy(stored.bytes);
    auto slab = std::make_shared<Slab>(size());
    DecodeInto(slab->writable());
    return slab;
  }
};

}  // namespace headrace
