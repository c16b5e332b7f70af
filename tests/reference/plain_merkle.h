// Merkle trees by their definition, one pair at a time: the root, and whether two equal neighbours were paired.
#pragma once

#include <vector>

#include "engine/crypto/sha256.h"
#include "engine/primitives/hash256.h"

namespace headrace::testing {

struct PlainTree {
  Hash256 root;
  bool has_equal_pair = false;
};

// The root of a row is the root of the hashes of its pairs; a last one without a partner is paired with itself.
inline PlainTree PlainMerkleTree(const std::vector<Hash256>& row) {
  if (row.empty()) return {};
  if (row.size() == 1) return {row[0], false};
  std::vector<Hash256> above;
  bool has_equal_pair = false;
  for (size_t i = 0; i < row.size(); i += 2) {
    const bool is_alone = i + 1 == row.size();
    const Hash256& left = row[i];
    const Hash256& right = is_alone ? row[i] : row[i + 1];
    if (!is_alone && left == right) has_equal_pair = true;
    Bytes both(left.bytes.begin(), left.bytes.end());
    both.insert(both.end(), right.bytes.begin(), right.bytes.end());
    above.emplace_back(Sha256(Sha256(both)));
  }
  const PlainTree rest = PlainMerkleTree(above);
  return {rest.root, has_equal_pair || rest.has_equal_pair};
}

// BIP141: the coinbase's wtxid counts as zero.
inline Hash256 PlainWitnessRoot(std::vector<Hash256> wtxids) {
  if (!wtxids.empty()) wtxids[0] = Hash256();
  return PlainMerkleTree(wtxids).root;
}

}  // namespace headrace::testing
