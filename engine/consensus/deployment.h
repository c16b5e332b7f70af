// A soft fork that miners signal for (BIP9), as data.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

namespace headrace {

struct Deployment {
  static constexpr int64_t kAlwaysActive = -1;  // as start time
  static constexpr int64_t kNeverActive = -2;   // as start time
  static constexpr int64_t kNoTimeout = std::numeric_limits<int64_t>::max();

  std::string_view name;
  uint8_t bit = 28;
  // Compared with median time past.
  int64_t start_time_s = kNeverActive;
  int64_t timeout_s = kNoTimeout;
  uint32_t min_activation_height = 0;
  uint32_t period = 2016;
  uint32_t threshold = 1916;
};

}  // namespace headrace
