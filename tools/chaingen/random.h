// Reproducible random numbers: the engine's outputs are fixed by the language's standard, its distributions are not, so
// those are our own and free of floating point.
#pragma once

#include <cstdint>
#include <random>

namespace headrace::chaingen {

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}

  uint64_t Next() { return engine_(); }
  // `bound` is at least 1. The bias for bounds this far below 2^64 is of no account here.
  uint64_t Below(uint64_t bound) { return engine_() % bound; }
  bool OneIn(uint64_t count) { return Below(count) == 0; }

  // A whole number of at least 1, evenly spread, whose mean is `mean_per_mille` thousandths (at least 1000).
  uint32_t Around(uint32_t mean_per_mille) {
    const uint64_t spread = 2 * (uint64_t{mean_per_mille} - 1000);
    const uint64_t drawn = Below(spread + 1);
    return 1 + static_cast<uint32_t>(drawn / 1000) + (Below(1000) < drawn % 1000 ? 1 : 0);
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace headrace::chaingen
