// Blocks from files (-loadblock): handed in by a reading thread, taken by the engine in the order in which they can be
// connected to the header tree. Files may hold them in any order: one whose parent is not known yet waits for it.
//
// OfferBlock's side may be any thread; Take is the engine thread's.
#pragma once

#include <atomic>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "engine/base/bounded_ring.h"
#include "engine/base/masked_bytes.h"
#include "engine/chain/header_tree.h"
#include "engine/consensus/chain_params.h"

namespace headrace {

class BlockImport {
 public:
  // A waiting block costs a few words: its bytes stay in the file's mapping, and stay obfuscated if they are.
  static constexpr size_t kWaitingMax = 1 << 20;

  BlockImport(HeaderTree& tree, const ChainParams& params) : tree_(tree), params_(params), ring_(kRingCapacity) {}

  bool Offer(MaskedBytes&& block);
  bool is_empty() const { return offered_.load(std::memory_order_acquire) == taken_.load(std::memory_order_acquire); }
  uint64_t taken_count() const { return taken_.load(std::memory_order_relaxed); }

  struct Ready {
    HeaderId id;
    bool is_new_header;
    MaskedBytes block;
  };
  // A header came from elsewhere: blocks that waited for it can be taken.
  void OnNewHeader(HeaderId id) { ReleaseChildrenOf(id); }
  // Moves the next block whose header is in the tree and whose data is missing to `ready`; false when there is none.
  bool Take(int64_t now_s, Ready& ready);

 private:
  static constexpr size_t kRingCapacity = 1024;

  bool TryConnect(MaskedBytes&& block, int64_t now_s, Ready& ready);
  void ReleaseChildrenOf(HeaderId id);

  HeaderTree& tree_;
  const ChainParams& params_;
  BoundedRing<MaskedBytes> ring_;
  std::atomic<uint64_t> offered_{0};
  std::atomic<uint64_t> taken_{0};
  absl::flat_hash_map<Hash256, std::vector<MaskedBytes>> waiting_;  // by the parent's hash
  size_t waiting_count_ = 0;
  std::vector<MaskedBytes> connectable_;  // their parent has just come
};

}  // namespace headrace
