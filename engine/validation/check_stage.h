// parsed and checked: raw bytes to columns and identifiers, then every rule that needs only the block and its headers.
// Any height order; pure but for the job; the verdict stays in it.
#pragma once

#include "engine/consensus/chain_params.h"
#include "engine/validation/block_job.h"

namespace headrace {

// Fills the columns, txids and wtxids. Bytes that are no block count as a mutation: whatever their header says, the real
// block may be another.
void ParseBlock(BlockJob& job);

// Leaves the first broken rule in the job; a mutated block is marked as such by its rule.
void CheckJob(BlockJob& job, const ChainParams& params);

}  // namespace headrace
