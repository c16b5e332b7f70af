// Which of many things were seen lately, within a fixed memory: two sets of hashes, of which the older is dropped when the
// newer is full. What is remembered are the last N to 2N different ones.
//
// One thread. At most 2N entries of about 16 bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/container/flat_hash_set.h"

namespace headrace {

class RecentHashes {
 public:
  explicit RecentHashes(size_t generation_max) : generation_max_(generation_max) {}

  void Insert(uint64_t hash) {
    newer_.insert(hash);
    if (newer_.size() < generation_max_) return;
    older_ = std::move(newer_);
    newer_.clear();
  }
  bool Contains(uint64_t hash) const { return newer_.contains(hash) || older_.contains(hash); }

 private:
  const size_t generation_max_;
  absl::flat_hash_set<uint64_t> newer_;
  absl::flat_hash_set<uint64_t> older_;
};

}  // namespace headrace
