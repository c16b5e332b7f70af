// Solves signet blocks (BIP325): what the network's challenge makes a block's author sign, and where the answer is put.
// A test's own thread.
#pragma once

#include "engine/base/bytes.h"
#include "tests/reference/block_builder.h"

namespace headrace::testing {

// OP_TRUE: a commitment is all it takes.
Bytes TrivialChallenge();
// One signature of two keys, which this folder holds.
Bytes MultisigChallenge();

// Appends the commitment and, for MultisigChallenge, the solution. Whatever changes afterwards, but for nonce and bits,
// voids the solution.
void SolveSignet(BuiltBlock& block, const Bytes& challenge);

// For blocks that are to fail. The commitment's output joins the coinbase, unless it is there.
void AppendSignetCommitment(BuiltBlock& block);
// What has to be signed: the digest over the block with its tag alone, as it is now.
Digest256 SignetDigest(BuiltBlock block, const Bytes& challenge);
// Puts a scriptSig behind the tag, in the commitment's output; `trailing` bytes follow the solution.
void PutSignetSolution(BuiltBlock& block, const Bytes& script_sig, const Bytes& trailing = {});

}  // namespace headrace::testing
