// How a header gets into the tree: every rule that can be judged from headers alone, in the field's order.
// Engine thread.
#pragma once

#include "engine/chain/header_tree.h"
#include "engine/consensus/chain_params.h"
#include "engine/consensus/verdict.h"

namespace headrace {

struct HeaderAcceptance {
  Verdict verdict;
  // The header's number; kNoHeader when it was refused and is not known. A known invalid one has its number and
  // the verdict kHeaderDuplicateInvalid.
  HeaderId id = kNoHeader;
  bool is_new = false;
};

// `now_s` is the clock's (adjusted by nobody): headers more than two hours ahead are refused, and may be good later.
HeaderAcceptance AcceptHeader(HeaderTree& tree, const BlockHeader& header, const ChainParams& params, int64_t now_s);

}  // namespace headrace
