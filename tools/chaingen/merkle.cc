#include "tools/chaingen/merkle.h"

namespace headrace::chaingen {

Hash256 MerkleRoot(std::vector<Hash256> leaves) {
  while (leaves.size() > 1) {
    if (leaves.size() % 2 == 1) leaves.push_back(leaves.back());
    Sha256dNodes(leaves[0].bytes.data(), leaves[0].bytes.data(), leaves.size() / 2);
    leaves.resize(leaves.size() / 2);
  }
  return leaves[0];
}

}  // namespace headrace::chaingen
