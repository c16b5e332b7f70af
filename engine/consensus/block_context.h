// What a block's place among the headers decides: which rules hold for it. Computed once a block, then passed by
// reference to everything that judges it. Any thread; a value.
#pragma once

#include <cstdint>

#include "engine/consensus/ancestry.h"
#include "engine/consensus/chain_params.h"
#include "engine/primitives/block_header.h"
#include "engine/script/script_flags.h"

namespace headrace {

struct BlockContext {
  uint32_t height = 0;
  // Of the parent: what relative lock times are compared with (BIP68), and absolute ones once BIP113 holds.
  int64_t median_time_past = 0;
  // What lock times in seconds are compared with: median time past under BIP113, the header's own time before.
  int64_t lock_time_cutoff = 0;
  ScriptFlags script_flags = kVerifyNone;
  bool bip34 = false;
  bool csv = false;     // BIP68, BIP112, BIP113
  bool segwit = false;  // the commitment of BIP141; its script rules are among script_flags
  // The coinbase of this block may overwrite unspent outputs (BIP30's two exceptions).
  bool bip30_exception = false;
};

// `parent_chain` ends with the block's parent. Not for genesis.
BlockContext MakeBlockContext(const BlockHeader& header, const Hash256& hash, const Ancestry& parent_chain,
                              const ChainParams& params);

}  // namespace headrace
