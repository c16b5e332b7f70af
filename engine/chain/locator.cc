#include "engine/chain/locator.h"

namespace headrace {

namespace {
constexpr size_t kDenseHashes = 10;
}

std::vector<Hash256> BuildLocator(const HeaderTree& tree, HeaderId tip) {
  std::vector<Hash256> locator;
  uint32_t step = 1;
  HeaderId id = tip;
  while (true) {
    locator.push_back(tree.hash(id));
    const uint32_t height = tree.height(id);
    if (height == 0) return locator;
    if (locator.size() > kDenseHashes) step *= 2;
    id = tree.Ancestor(id, height > step ? height - step : 0);
  }
}

HeaderId FindLocatorFork(const HeaderTree& tree, const ActiveChain& chain, std::span<const Hash256> locator) {
  for (const Hash256& hash : locator) {
    const HeaderId id = tree.Find(hash);
    if (id == kNoHeader) continue;
    if (chain.Contains(id)) return id;
    // The peer is ahead of us on the same chain.
    if (tree.IsAncestorOf(chain.tip(), id)) return chain.tip();
  }
  return kGenesisId;
}

}  // namespace headrace
