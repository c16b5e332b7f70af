// The executor of production: oneTBB arenas and flow graphs.
//
// Two arenas share the same workers. The frontier arena (ParallelFor) has the higher priority, so that a flood of
// background tokens (parsing ahead, script checks) cannot starve the block that everything waits for.
#pragma once

#include <cstdint>
#include <memory>

#include "engine/ports/executor.h"

namespace headrace {

// For work that others wait for, or for work that takes what workers those leave idle; its caller works all the same.
enum class ExecutorUrgency : uint8_t { kUrgent, kIdle };

// `workers` threads beside the callers; at least 1. Executors of one process share their threads, not their arenas: a
// caller of one never waits for another's.
std::unique_ptr<Executor> MakeTbbExecutor(size_t workers, ExecutorUrgency urgency = ExecutorUrgency::kUrgent);

}  // namespace headrace
