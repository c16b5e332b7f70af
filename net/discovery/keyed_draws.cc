#include "net/discovery/keyed_draws.h"

#include <cmath>

namespace headrace {

int64_t KeyedDraws::PoissonNs(int64_t mean_ns) {
  // -log1p(-x) is finite for every x below 1, at most 37.
  return static_cast<int64_t>(-std::log1p(-Fraction()) * static_cast<double>(mean_ns));
}

}  // namespace headrace
