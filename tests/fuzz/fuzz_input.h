// An input read as decisions: how a target that drives a state machine turns bytes into operations. When the bytes are
// used up every answer is zero, so that any input is a complete story and a shorter input a shorter one.
//
// One thread; reads within the span alone.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/endian.h"

namespace headrace::fuzz {

class FuzzInput {
 public:
  explicit FuzzInput(ByteSpan bytes) : bytes_(bytes) {}

  bool empty() const { return bytes_.empty(); }
  size_t remaining() const { return bytes_.size(); }

  uint8_t U8() { return Number<uint8_t>(); }
  uint16_t U16() { return Number<uint16_t>(); }
  uint32_t U32() { return Number<uint32_t>(); }
  uint64_t U64() { return Number<uint64_t>(); }
  bool Flag() { return (U8() & 1) != 0; }
  // Below `bound`, which is not zero. A byte is spent where a byte can say it.
  uint64_t Below(uint64_t bound) { return (bound <= 256 ? U8() : bound <= 65536 ? U16() : U64()) % bound; }

  // Up to `size` bytes, fewer where there are not so many.
  ByteSpan Take(size_t size) {
    const ByteSpan taken = bytes_.first(std::min(size, bytes_.size()));
    bytes_ = bytes_.subspan(taken.size());
    return taken;
  }
  // As many as a byte says, or as there are.
  ByteSpan Counted() { return Take(U8()); }
  ByteSpan Rest() { return Take(bytes_.size()); }

 private:
  template <typename T>
  T Number() {
    uint8_t at[sizeof(T)] = {};
    const ByteSpan taken = Take(sizeof(T));
    std::copy(taken.begin(), taken.end(), at);
    return LoadLittle<T>(at);
  }

  ByteSpan bytes_;
};

}  // namespace headrace::fuzz
