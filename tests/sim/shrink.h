// Makes a failing world smaller: fewer nodes, fewer ticks, fault classes left out one by one. Each attempt runs in a
// child process, since a failure may be a check that ends it.
#pragma once

#include "tests/sim/world_options.h"

namespace headrace::sim {

// Prints the smallest world found that still fails.
void Shrink(const WorldOptions& failing);

}  // namespace headrace::sim
