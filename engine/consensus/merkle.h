// Merkle roots of a block's transactions and of their witnesses. Hashed level by level in SIMD batches. Any thread; the
// buffer belongs to the caller, so that a warm one allocates nothing.
#pragma once

#include <span>
#include <vector>

#include "engine/primitives/hash256.h"

namespace headrace {

struct MerkleRoot {
  Hash256 root;
  // Two equal neighbours were paired on some level: a list with repeated transactions has the same root as one without
  // (CVE-2012-2459), and nobody can tell which was meant.
  bool is_ambiguous = false;
};

// Zero for no leaves. `buffer` is scratch space.
MerkleRoot ComputeMerkleRoot(std::span<const Hash256> leaves, std::vector<Hash256>& buffer);

// The root over wtxids, in which the first (the coinbase's) counts as zero (BIP141).
Hash256 ComputeWitnessRoot(std::span<const Hash256> wtxids, std::vector<Hash256>& buffer);

}  // namespace headrace
