// Whether a block's scripts are run or assumed good (`-assumevalid`). Everything else is always checked. Engine thread;
// pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/chain/header_tree.h"
#include "engine/consensus/chain_params.h"

namespace headrace {

enum class ScriptPosture : uint8_t {
  kAssumed,  // the one case in which scripts are skipped
  kNoAssumedBlock,
  kAssumedBlockUnknown,
  kNotBelowAssumedBlock,
  kNotBelowBestHeader,
  kTooLittleWork,
  kTooRecent,
};

// For the log: why scripts are run, or that they are not.
std::string_view ScriptPostureSentence(ScriptPosture posture);

struct AssumeValid {
  Hash256 block;  // zero: none, every script is run
  Uint256 minimum_chain_work;
};

// Scripts are assumed good when the block is an ancestor of the named block and of the best header, the best header has
// the minimum work, and more than two weeks of work at the best header's difficulty stand above the block.
ScriptPosture ScriptPostureOf(const HeaderTree& tree, HeaderId block, const AssumeValid& assume_valid,
                              const ChainParams& params);

// How long the work from `from` to `to` takes at the difficulty of `tip`, in seconds; negative when `from` has more.
int64_t EquivalentTime_s(const HeaderTree& tree, HeaderId to, HeaderId from, HeaderId tip, const ChainParams& params);

}  // namespace headrace
