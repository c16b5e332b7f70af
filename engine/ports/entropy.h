// Randomness: nonces, keys of hash tables, choices among peers.
#pragma once

#include <cstdint>

#include "engine/base/bytes.h"

namespace headrace {

class Entropy {
 public:
  virtual ~Entropy() = default;
  virtual void Fill(MutableByteSpan out) = 0;

  uint64_t Next64() {
    uint64_t value;
    Fill({reinterpret_cast<uint8_t*>(&value), sizeof(value)});
    return value;
  }
};

}  // namespace headrace
