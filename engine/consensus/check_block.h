// The rules for a whole block that need no unspent set: those that need nothing else, and those that need its place among
// the headers. They are applied in the field's order, so that of several offences the same one is named.
//
// Any thread; pure. The columns' txids and wtxids are filled. Cost: one hash pass over the Merkle tree each, and one pass
// over the scripts for signature operations.
#pragma once

#include "engine/consensus/block_context.h"
#include "engine/consensus/chain_params.h"
#include "engine/consensus/verdict.h"
#include "engine/primitives/block_columns.h"

namespace headrace {

inline constexpr uint32_t kMaxBlockSigopCost = 80'000;

// Proof of work, Merkle root, signet solution, size, coinbase shape, each transaction, legacy signature operations.
Verdict CheckBlock(const BlockColumns& block, const ChainParams& params);

// Finality, height in the coinbase, witness commitment, weight. The block passed CheckBlock.
Verdict CheckBlockContext(const BlockColumns& block, const BlockContext& context);

// Whether the bytes are those that the header's hash stands for: Merkle root, and the witness commitment where there is one.
// For blocks that passed all rules before, and may have been damaged since; txids and wtxids are filled.
bool MatchesCommitments(const BlockColumns& block);

// The coinbase's output that commits to the witnesses (BIP141: the last that has its form); -1 when there is none.
int FindWitnessCommitment(TransactionView coinbase);

}  // namespace headrace
