// Block locators: how a node tells another which chain it has in a few dozen hashes. Dense near the tip, then doubling
// steps down to genesis. Engine thread.
#pragma once

#include <span>
#include <vector>

#include "engine/chain/active_chain.h"
#include "engine/chain/header_tree.h"

namespace headrace {

// For the chain that ends with `tip`: the tip and the ten below it, then steps that double, then genesis.
std::vector<Hash256> BuildLocator(const HeaderTree& tree, HeaderId tip);

// Where a peer's chain leaves ours: the first of its hashes whose block is on the active chain; when it names a block above
// our tip, the tip. Genesis when none is known.
HeaderId FindLocatorFork(const HeaderTree& tree, const ActiveChain& chain, std::span<const Hash256> locator);

}  // namespace headrace
