#include "engine/consensus/merkle.h"

#include "engine/crypto/sha256.h"

namespace headrace {

namespace {

// Hashes the level in `nodes` until one is left.
MerkleRoot Reduce(std::vector<Hash256>& nodes) {
  MerkleRoot result;
  if (nodes.empty()) return result;
  while (nodes.size() > 1) {
    // Looked at before the odd one is doubled: a list that really ends with a repeated pair is what is ambiguous.
    for (size_t i = 0; i + 1 < nodes.size(); i += 2) result.is_ambiguous |= nodes[i] == nodes[i + 1];
    if (nodes.size() % 2 != 0) nodes.push_back(nodes.back());
    const size_t parents = nodes.size() / 2;
    Sha256dNodes(nodes[0].bytes.data(), nodes[0].bytes.data(), parents);
    nodes.resize(parents);
  }
  result.root = nodes[0];
  return result;
}

}  // namespace

MerkleRoot ComputeMerkleRoot(std::span<const Hash256> leaves, std::vector<Hash256>& buffer) {
  buffer.assign(leaves.begin(), leaves.end());
  return Reduce(buffer);
}

Hash256 ComputeWitnessRoot(std::span<const Hash256> wtxids, std::vector<Hash256>& buffer) {
  buffer.assign(wtxids.begin(), wtxids.end());
  if (!buffer.empty()) buffer[0] = Hash256();
  return Reduce(buffer).root;
}

}  // namespace headrace
