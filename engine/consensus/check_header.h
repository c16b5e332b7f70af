// The rules for headers: on their own, and among their ancestors. Any thread; pure.
#pragma once

#include "engine/consensus/ancestry.h"
#include "engine/consensus/chain_params.h"
#include "engine/consensus/verdict.h"
#include "engine/primitives/block_header.h"

namespace headrace {

// BIP94: how much earlier than its parent the first block of a difficulty period may be.
inline constexpr int64_t kMaxTimeWarp_s = 600;
inline constexpr int64_t kMaxFutureBlockTime_s = 2 * 60 * 60;

// Proof of work alone.
Verdict CheckHeader(const BlockHeader& header, const Hash256& hash, const ChainParams& params);

// Difficulty, median time past, time warp, two hours ahead of `now_s`, version: in this order. `parent_chain` ends with
// the header's parent.
Verdict CheckHeaderContext(const BlockHeader& header, const Ancestry& parent_chain, const ChainParams& params,
                           int64_t now_s);

}  // namespace headrace
