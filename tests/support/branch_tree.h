// A random tree of branches over one base, bad blocks and what stands on them included, with the verdict on every block
// known beforehand: the world of the randomised tests of reorganisations. From one seed.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "tests/support/busy_branch.h"

namespace headrace::testing {

class BranchTree {
 public:
  struct Shape {
    uint32_t base_height = 106;
    uint32_t branches = 14;
    uint32_t transactions = 5;     // about so many a block
    uint32_t usual_depth_max = 6;  // how far below its end a branch is forked
    uint32_t rare_depth_max = 60;
  };
  struct Entry {
    std::shared_ptr<const TestBlock> block;
    size_t parent;  // an earlier entry; the first block's is itself
    size_t branch;  // one that it is part of
    bool is_valid;  // it and all below it
  };
  static constexpr size_t kNone = SIZE_MAX;

  BranchTree(uint32_t seed, const Shape& shape);

  // Parents before children.
  const std::vector<Entry>& entries() const { return entries_; }
  size_t Find(const Hash256& hash) const;
  size_t branch_count() const { return branches_.size(); }
  const BusyBranch& branch(size_t number) const { return branches_[number].branch; }
  // The entries of a branch, from the first block on.
  std::vector<size_t> PathOf(size_t branch) const;
  // The naive set as of an entry whose chain is valid.
  TestCoinSet CoinsAt(size_t entry) const;
  // The chain up to an entry.
  ChainBuilder ChainTo(size_t entry) const;

 private:
  struct Branch {
    BusyBranch branch;
    uint32_t first_bad_height;
  };

  void AddEntries(size_t branch);

  std::vector<Branch> branches_;
  std::vector<Entry> entries_;
  std::map<Hash256, size_t> by_hash_;
};

}  // namespace headrace::testing
