// A chain of headers from genesis to a tip, as the rules see it: facts by height. The header tree implements it; tests
// implement it over vectors.
//
// Threads: as the implementation says; the rules only read.
#pragma once

#include <cstdint>

namespace headrace {

struct HeaderFacts {
  uint32_t time_s = 0;
  uint32_t bits = 0;
  int32_t version = 0;
};

class Ancestry {
 public:
  virtual ~Ancestry() = default;
  // Of the tip that this chain ends with.
  virtual uint32_t height() const = 0;
  // `height` is at most height().
  virtual HeaderFacts At(uint32_t height) const = 0;
  // MedianTimePast below, or what an implementation remembers of it.
  virtual int64_t median_time_past(uint32_t height) const;
};

// The median time of the 11 blocks that end at `height` (of all of them, while there are fewer; the later of the two
// middle ones when their number is even).
int64_t MedianTimePast(const Ancestry& chain, uint32_t height);

inline constexpr uint32_t kMedianTimeSpan = 11;

}  // namespace headrace
