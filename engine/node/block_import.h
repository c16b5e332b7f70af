// Blocks from files (-loadblock): handed in by a reading thread, taken by the engine in the order in which they can be
// connected to the header tree. Files may hold them in any order: one whose parent is not known yet waits for it.
//
// Headers may be handed in alone, before their blocks: with the whole chain of headers known, blocks are taken in whatever order
// they come, and posture assumevalid can see what stands above a block.
//
// The offering side may be any thread, one at a time; Take is the engine thread's.
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

  // False when the ring is full for now.
  bool Offer(MaskedBytes&& block);
  // The first 80 bytes of a block.
  bool OfferHeader(MaskedBytes&& header);
  bool is_empty() const { return offered_.load(std::memory_order_acquire) == taken_.load(std::memory_order_acquire); }

  struct Ready {
    HeaderId id;
    bool is_new_header;
    bool has_block;  // otherwise only its header came
    MaskedBytes block;
  };
  // A header came from elsewhere: blocks that waited for it can be taken.
  void OnNewHeader(HeaderId id) { ReleaseChildrenOf(id); }
  // Moves the next block whose header is in the tree and whose data is missing to `ready`, or names a header that is new;
  // false when there is neither.
  bool Take(int64_t now_s, Ready& ready);

 private:
  static constexpr size_t kRingCapacity = 1024;

  struct Offered {
    MaskedBytes bytes;
    bool is_header = false;
  };

  bool Push(Offered&& offered);
  bool TryConnect(Offered&& offered, int64_t now_s, Ready& ready);
  void ReleaseChildrenOf(HeaderId id);

  HeaderTree& tree_;
  const ChainParams& params_;
  BoundedRing<Offered> ring_;
  std::atomic<uint64_t> offered_{0};
  std::atomic<uint64_t> taken_{0};
  absl::flat_hash_map<Hash256, std::vector<Offered>> waiting_;  // by the parent's hash
  size_t waiting_count_ = 0;
  std::vector<Offered> connectable_;  // their parent has just come
};

}  // namespace headrace
