#include "tests/support/branch_tree.h"

#include <algorithm>

namespace headrace::testing {

BranchTree::BranchTree(uint32_t seed, const Shape& shape) {
  std::mt19937 random(seed);
  const auto below = [&](uint32_t bound) { return static_cast<uint32_t>(random() % bound); };
  BusyBranch base(seed * 1000);
  base.Grow(shape.base_height, shape.transactions);
  uint32_t highest = base.height();
  branches_.push_back({std::move(base), UINT32_MAX});
  AddEntries(0);
  while (branches_.size() < shape.branches) {
    // Mostly from a late one: branches that compete are near one another.
    const auto count = static_cast<uint32_t>(branches_.size());
    const Branch& from = branches_[below(4) == 0 ? below(count) : count - 1 - below(std::min(count, 4u))];
    const uint32_t depth_max = below(12) == 0 ? shape.rare_depth_max : shape.usual_depth_max;
    const uint32_t fork = from.branch.height() - below(std::min(depth_max, from.branch.height() - 1) + 1);
    Branch next{from.branch.Fork(fork, seed * 1000 + static_cast<uint32_t>(branches_.size())),
                fork >= from.first_bad_height ? from.first_bad_height : UINT32_MAX};
    // About as high as the highest good one so far: sometimes behind, often ahead.
    const uint32_t end = std::max(fork + 1, highest - 1 + below(4));
    const uint32_t bad = below(4) == 0 ? fork + 1 + below(end - fork) : UINT32_MAX;
    while (next.branch.height() < end) {
      if (next.branch.height() + 1 == bad) {
        next.branch.GrowBad(static_cast<BusyBranch::Offence>(below(BusyBranch::kOffences)), shape.transactions);
        next.first_bad_height = std::min(next.first_bad_height, bad);
      } else {
        next.branch.Grow(1, shape.transactions);
      }
    }
    highest = std::max(highest, std::min(next.branch.height(), next.first_bad_height - 1));
    branches_.push_back(std::move(next));
    AddEntries(branches_.size() - 1);
  }
}

void BranchTree::AddEntries(size_t branch) {
  size_t parent = 0;
  for (const auto& block : branches_[branch].branch.blocks()) {
    const auto [at, is_new] = by_hash_.emplace(block->hash, entries_.size());
    if (is_new) entries_.push_back({block, parent, branch, block->height < branches_[branch].first_bad_height});
    parent = at->second;
  }
}

size_t BranchTree::Find(const Hash256& hash) const {
  const auto at = by_hash_.find(hash);
  return at == by_hash_.end() ? kNone : at->second;
}

std::vector<size_t> BranchTree::PathOf(size_t branch) const {
  std::vector<size_t> path;
  for (const auto& block : branches_[branch].branch.blocks()) path.push_back(by_hash_.at(block->hash));
  return path;
}

ChainBuilder BranchTree::ChainTo(size_t entry) const {
  ChainBuilder chain = branches_[entries_[entry].branch].branch.chain();
  if (chain.height() != entries_[entry].block->height) chain.TruncateTo(entries_[entry].block->height);
  return chain;
}

TestCoinSet BranchTree::CoinsAt(size_t entry) const { return ChainTo(entry).coins(); }

}  // namespace headrace::testing
