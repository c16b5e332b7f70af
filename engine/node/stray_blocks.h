// Blocks that lie in the block files and that the index does not vouch for: written after the last sync point before a crash, or all
// of them when the index is rebuilt. Nothing about them is believed: each is decoded and checked as one from a peer would
// be, because a power failure may have kept a frame and lost pages of it.
#pragma once

#include <functional>
#include <span>

#include "absl/status/status.h"
#include "engine/consensus/chain_params.h"
#include "engine/ports/clock.h"
#include "engine/ports/executor.h"
#include "engine/validation/block_records.h"

namespace headrace {

struct StrayBlock {
  Hash256 hash;
  BlockPosition position;
};

// Those that connect to the header tree and pass every rule that needs only headers join the index; the others are left
// where they lie, and downloaded again when they are wanted. The files may hold them in any order. Checks run on the
// executor; a log line every few seconds says how far it is. `stop_requested`, unless empty, is asked again and again: true ends the
// work with Cancelled.
absl::Status AdoptStrayBlocks(std::span<const StrayBlock> strays, const ChainParams& params, Clock& clock, HeaderTree& tree,
                              BlockRecords& records, BlockStore& blocks, Executor& executor,
                              const std::function<bool()>& stop_requested);

}  // namespace headrace
