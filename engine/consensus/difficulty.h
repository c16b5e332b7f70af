// How much work a block must show: the target that follows from its ancestors.
//
// Any thread; pure. Costs one look at the parent, at a boundary also the period's first block; on networks with the
// 20-minute exception a walk back to the last ordinary block.
#pragma once

#include <cstdint>

#include "engine/consensus/ancestry.h"
#include "engine/consensus/chain_params.h"

namespace headrace {

// The bits that the header after `parent_chain`'s tip MUST carry. `time_s` is that header's own time: the test networks
// allow the easiest target to a block more than 20 minutes later than its parent.
uint32_t RequiredBits(const Ancestry& parent_chain, uint32_t time_s, const ChainParams& params);

// The retarget rule alone: `first_time_s` and `last_time_s` are those of the first and last block of the period that
// ends, 2015 intervals apart where 2016 were meant: the network's off-by-one.
uint32_t Retarget(uint32_t bits, int64_t first_time_s, int64_t last_time_s, const ChainParams& params);

// Whether `new_bits` can follow `old_bits` at `height` at all, whatever the times were: a cheap bound for header chains
// whose ancestors are not kept.
bool IsPermittedTransition(uint32_t height, uint32_t old_bits, uint32_t new_bits, const ChainParams& params);

// A hash, read as a number, MUST NOT exceed the target in `bits`, which MUST be within the network's limit.
bool CheckProofOfWork(const Hash256& hash, uint32_t bits, const ChainParams& params);

}  // namespace headrace
