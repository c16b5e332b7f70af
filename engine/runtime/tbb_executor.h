// The executor of production: oneTBB arenas and flow graphs.
//
// Two arenas share the same workers. The frontier arena (ParallelFor) has the higher priority, so that a flood of
// background tokens (parsing ahead, script checks) cannot starve the block that everything waits for.
#pragma once

#include <memory>

#include "engine/ports/executor.h"

namespace headrace {

// `workers` threads beside the callers; at least 1.
std::unique_ptr<Executor> MakeTbbExecutor(size_t workers);

}  // namespace headrace
