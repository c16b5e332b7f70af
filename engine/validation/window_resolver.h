// resolved: spends and creates the coins of consecutive blocks in the store, and applies every spending rule but scripts.
//
// A whole window goes to the store at once. If any rule of any block is broken, the window is taken back and its blocks
// are tried one by one, which names the first offence in the field's order: BIP30, then transaction by transaction, then
// what the coinbase pays. Engine thread; the executor spreads the per-block checks.
#pragma once

#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/chain/header_tree.h"
#include "engine/consensus/chain_params.h"
#include "engine/ports/coin_store.h"
#include "engine/ports/executor.h"
#include "engine/validation/block_job.h"

namespace headrace {

class WindowResolver {
 public:
  WindowResolver(const HeaderTree& tree, const ChainParams& params, CoinStore& coins, Executor& executor);

  // Returns how many of the jobs, from the first, are resolved: all, or those before the first that breaks a rule, whose
  // verdict is then set in its job. `trusted` (recovery of blocks that were applied before) checks nothing.
  absl::StatusOr<size_t> Resolve(std::span<BlockJob* const> jobs, bool trusted);

 private:
  // All or nothing.
  absl::StatusOr<bool> TryWindow(std::span<BlockJob* const> jobs, bool trusted);
  absl::StatusOr<bool> ResolveAlone(BlockJob& job);
  // Finds what makes the store refuse a block, coin by coin, against the state below it.
  absl::StatusOr<Verdict> FirstOffence(BlockJob& job);
  absl::StatusOr<bool> CreatesExistingCoin(const BlockJob& job, uint32_t* transaction);
  Verdict CheckSpends(BlockJob& job) const;

  const HeaderTree& tree_;
  const ChainParams& params_;
  CoinStore& coins_;
  Executor& executor_;
  std::vector<WindowBlock> window_;
};

// What the store is told about a job.
WindowBlock WindowBlockOf(BlockJob& job);

}  // namespace headrace
