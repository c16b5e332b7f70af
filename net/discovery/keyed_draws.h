// Random numbers and keyed hashes for choices that an adversary would like to foresee: where an address goes, who is dialled
// next, who an address is handed to.
//
// SipHash-2-4 under a key drawn once from Entropy: cheap enough for thousands of draws (a system call each would not be),
// unforeseeable to whoever does not know the key, and the same again in a simulation. One thread. About 20 ns a draw.
#pragma once

#include <array>
#include <cstdint>

#include "engine/base/bytes.h"
#include "engine/base/endian.h"
#include "engine/crypto/small_hashes.h"
#include "engine/ports/entropy.h"

namespace headrace {

using HashKey = std::array<uint64_t, 2>;

inline HashKey DrawHashKey(Entropy& entropy) { return {entropy.Next64(), entropy.Next64()}; }

class KeyedDraws {
 public:
  explicit KeyedDraws(Entropy& entropy) : key_(DrawHashKey(entropy)) {}

  uint64_t Next() {
    uint8_t counter[8];
    StoreLittle(counter, ++counter_);
    return SipHash24(key_[0], key_[1], counter);
  }
  // In [0, bound). The bias is below 2^-32 for the bounds used here.
  uint64_t Below(uint64_t bound) {
    return static_cast<uint64_t>(static_cast<unsigned __int128>(Next()) * bound >> 64);
  }
  // In [0, 1).
  double Fraction() { return static_cast<double>(Next() >> 11) * 0x1p-53; }
  // The waiting time until the next of events that come by themselves, so often on average (a Poisson process): when one
  // comes tells nothing about the next.
  int64_t PoissonNs(int64_t mean_ns);

 private:
  HashKey key_;
  uint64_t counter_ = 0;
};

}  // namespace headrace
