#include "engine/consensus/ancestry.h"

#include <algorithm>
#include <array>

namespace headrace {

int64_t Ancestry::median_time_past(uint32_t height) const { return MedianTimePast(*this, height); }

int64_t MedianTimePast(const Ancestry& chain, uint32_t height) {
  std::array<uint32_t, kMedianTimeSpan> times;
  const uint32_t count = std::min(height + 1, kMedianTimeSpan);
  for (uint32_t i = 0; i < count; ++i) times[i] = chain.At(height - i).time_s;
  std::sort(times.begin(), times.begin() + count);
  return times[count / 2];
}

}  // namespace headrace
