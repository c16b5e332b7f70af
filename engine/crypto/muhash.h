// MuHash3072: a rolling, order-independent hash of a set (Bellare and Micciancio; parameters as the field's
// gettxoutsetinfo has them). Elements are hashed to 3072-bit numbers and multiplied modulo 2^3072 - 1103717.
// One thread at a time; independent parts can be combined.
#pragma once

#include <cstdint>
#include <memory>

#include "engine/base/bytes.h"
#include "engine/crypto/sha256.h"

namespace headrace {

class MuHash {
 public:
  MuHash();
  MuHash(const MuHash& other);
  MuHash& operator=(const MuHash& other);
  ~MuHash();

  void Insert(ByteSpan element);
  void Remove(ByteSpan element);
  // Union of two disjoint sets.
  void Combine(const MuHash& other);
  // SHA-256 of the 384-byte little-endian quotient. Does not change the set.
  Digest256 Finish() const;

 private:
  struct Fraction;
  std::unique_ptr<Fraction> fraction_;
};

}  // namespace headrace
