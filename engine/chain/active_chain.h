// The chain of applied blocks: height to header, and back. It follows the tip at the cost of the blocks that change.
// Engine thread.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/chain/header_tree.h"

namespace headrace {

class ActiveChain {
 public:
  // Starts at genesis. `tree` outlives it.
  explicit ActiveChain(const HeaderTree& tree) : tree_(tree), ids_{kGenesisId} {}

  HeaderId tip() const { return ids_.back(); }
  uint32_t height() const { return static_cast<uint32_t>(ids_.size() - 1); }
  // `height` is at most height().
  HeaderId at(uint32_t height) const { return ids_[height]; }
  bool Contains(HeaderId id) const;
  // The block after `id`; kNoHeader when it is the tip or not of this chain.
  HeaderId Next(HeaderId id) const;
  // The highest ancestor of `id` (itself included) that is of this chain.
  HeaderId FindFork(HeaderId id) const;
  // The first block of this chain whose own or an earlier block's time is at least `time_s`; kNoHeader when none is.
  HeaderId FindEarliestAtLeast(uint32_t time_s, uint32_t min_height) const;

  // O(blocks disconnected and connected).
  void SetTip(HeaderId id);

 private:
  const HeaderTree& tree_;
  std::vector<HeaderId> ids_;
};

}  // namespace headrace
