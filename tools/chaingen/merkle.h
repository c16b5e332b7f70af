// The Merkle root of a block's identifiers: pairs are hashed level by level, the last one doubled where a level is odd.
#pragma once

#include <vector>

#include "engine/primitives/hash256.h"

namespace headrace::chaingen {

// At least one leaf.
Hash256 MerkleRoot(std::vector<Hash256> leaves);

}  // namespace headrace::chaingen
