// Other bytes under a good block's hash: what a liar between two honest nodes would make of it. Pure; any thread.
#pragma once

#include "tests/sim/chain_model.h"
#include "tests/sim/sim_entropy.h"

namespace headrace::sim {

// Never the block's own bytes, and never a block that is valid. The header stays as it is.
SlabRef Mutate(const ModelBlock& block, SimEntropy& entropy);

}  // namespace headrace::sim
