// BIP325: blocks of a signet carry a solution of the network's challenge script, hidden in the witness commitment.
// Any thread; pure.
#pragma once

#include "engine/consensus/chain_params.h"
#include "engine/primitives/block_columns.h"

namespace headrace {

// Whether the block's solution satisfies params.signet_challenge. Genesis needs none. The block may have any shape.
bool CheckSignetSolution(const BlockColumns& block, const ChainParams& params);

}  // namespace headrace
