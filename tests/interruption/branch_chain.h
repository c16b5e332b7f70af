// Chains that compete: a base with many coins, and branches that leave it or one another some blocks below the tip and
// outgrow it. Each is written in the block files' layout, with the hash of the unspent set that its tip must lead to.
//
// The base has so many coins that a checkpoint takes several steps: its shards then stand at different heights, and a
// kill leaves something to recover.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/primitives/hash256.h"

namespace headrace::testing {

struct BranchFile {
  std::string path;  // the branch's own blocks, above its fork
  uint32_t fork_height = 0;
  uint32_t height = 0;
  std::string best_block;
  std::string hash_serialized_3;
};

struct BranchChains {
  std::vector<BranchFile> files;    // the base, then branches, each with more work than the one before
  std::map<Hash256, Bytes> blocks;  // of all of them
};

BranchChains MakeBranchChains(const std::string& directory, uint64_t seed, uint32_t branches);

}  // namespace headrace::testing
