// Seeded randomness: every choice of a simulated world comes from one of these, and all of them from one seed.
//
// A generator is a counter through a mixing function (SplitMix64): small, good enough to choose among faults, and a
// fork of it is independent of what the parent draws later, so that one actor's extra choice does not change all the
// others'. One thread.
#pragma once

#include <cstdint>

#include "engine/ports/entropy.h"

namespace headrace::sim {

class SimEntropy final : public Entropy {
 public:
  explicit SimEntropy(uint64_t seed) : state_(seed) {}

  void Fill(MutableByteSpan out) override {
    for (size_t i = 0; i < out.size();) {
      uint64_t word = Next();
      for (int b = 0; b < 8 && i < out.size(); ++b, word >>= 8) out[i++] = static_cast<uint8_t>(word);
    }
  }

  uint64_t Next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  // In [0, bound); `bound` is not 0. The bias of the remainder is below 2^-40 for the bounds used here.
  uint64_t Below(uint64_t bound) { return Next() % bound; }
  // In [least, most].
  int64_t Between(int64_t least, int64_t most) {
    return least + static_cast<int64_t>(Below(static_cast<uint64_t>(most - least) + 1));
  }
  // True once in `n` times; never when n is 0.
  bool OneIn(uint64_t n) { return n != 0 && Below(n) == 0; }
  // One of the two ends more often than a uniform draw would, because limits are where mistakes are.
  int64_t Edgy(int64_t least, int64_t most) {
    const uint64_t pick = Below(4);
    return pick == 0 ? least : pick == 1 ? most : Between(least, most);
  }

  SimEntropy Fork() { return SimEntropy(Next()); }

 private:
  uint64_t state_;
};

}  // namespace headrace::sim
