// Every header this node has accepted, as a tree in columns: who descends from whom, with how much work, and what is
// known about each block.
//
// Headers are numbered in the order of acceptance, parents before children, genesis 0: the numbers of the block store's
// records. They are never removed.
//
// Two questions are answered at once at any time: which header that is not known to be invalid has the most work (what to
// download towards), and which block, not known to be invalid, has the most work among those whose whole chain has
// been received (what to make the tip). Equal work keeps the one that came first.
//
// Invariants
//  1. parent(id) < id, but for genesis, which has none.
//  2. A block is complete when its data has been received and its parent is complete; genesis always is.
//  3. A header is invalid when it was marked so, or when its parent is invalid.
//
// Threads: the engine thread writes and may call everything. Any thread that was handed an id may read what never
// changes about it: header, hash, facts, height, parent, work, median_time_past, Ancestor, LastCommonAncestor.
//
// Memory: about 240 bytes a header.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "engine/chain/stable_column.h"
#include "engine/consensus/ancestry.h"
#include "engine/ports/block_store.h"
#include "engine/primitives/block_header.h"
#include "engine/primitives/uint256.h"

namespace headrace {

using HeaderId = BlockRecordId;
inline constexpr HeaderId kGenesisId = 0;
inline constexpr HeaderId kNoHeader = 0xffffffff;

class HeaderTree {
 public:
  // Starts with genesis alone, complete.
  explicit HeaderTree(const BlockHeader& genesis);
  HeaderTree(const HeaderTree&) = delete;
  HeaderTree& operator=(const HeaderTree&) = delete;

  uint32_t size() const { return cold_.size(); }
  // kNoHeader when unknown.
  HeaderId Find(const Hash256& hash) const;
  // Makes room for so many headers at once: a node that starts knows how many it has.
  void Reserve(uint32_t headers);
  // Adds a header that passed its rules (header_acceptance.h); it must be new, and `parent` be the one that it names.
  HeaderId Add(const BlockHeader& header, const Hash256& hash, HeaderId parent);

  const BlockHeader& header(HeaderId id) const { return cold_[id].header; }
  const Hash256& hash(HeaderId id) const { return cold_[id].hash; }
  const Uint256& work(HeaderId id) const { return cold_[id].work; }
  HeaderId parent(HeaderId id) const { return hot_[id].parent; }
  uint32_t height(HeaderId id) const { return hot_[id].height; }
  int64_t median_time_past(HeaderId id) const { return hot_[id].median_time_past; }
  HeaderFacts facts(HeaderId id) const { return {hot_[id].time_s, hot_[id].bits, hot_[id].version}; }
  // The latest time of the header and its ancestors: never falls along a chain, so it can be searched.
  uint32_t time_max_s(HeaderId id) const { return hot_[id].time_max_s; }

  // The ancestor of `id` at `height`, itself included; `height` is at most its own. O(log n).
  HeaderId Ancestor(HeaderId id, uint32_t height) const;
  HeaderId LastCommonAncestor(HeaderId a, HeaderId b) const;
  bool IsAncestorOf(HeaderId ancestor, HeaderId id) const;

  // Most work, not invalid.
  HeaderId best_header() const { return best_header_; }
  // Most work, not invalid, complete.
  HeaderId best_candidate() const { return best_candidate_; }
  // Among candidates of equal work the one that was complete first is best; `id` counts as complete before all others. For the
  // chain that a stopped node was on.
  void PreferCandidate(HeaderId id);

  bool is_invalid(HeaderId id) const { return (state_[id].flags & (kMarkedInvalid | kParentInvalid)) != 0; }
  // Broke a rule itself (what the block store remembers), as opposed to descending from one that did.
  bool is_marked_invalid(HeaderId id) const { return (state_[id].flags & kMarkedInvalid) != 0; }
  // The block and its descendants are out of the race. Not genesis. O(tree) when a best one was among them, else
  // O(descendants).
  void MarkInvalid(HeaderId id);
  // Takes marks back from the block, its ancestors and its descendants; returns those that had one. O(tree).
  std::vector<HeaderId> Reconsider(HeaderId id);

  // The block's bytes are stored (or were, before they were pruned); descendants that waited for it become complete.
  // Calling it again changes the position alone.
  void SetData(HeaderId id, const BlockPosition& position, uint32_t transaction_count);
  void SetUndo(HeaderId id, const BlockPosition& position) { state_[id].undo = position; }
  // Pruned: the bytes are gone, the block stays complete.
  void ClearPositions(HeaderId id);
  // The bytes turned out to be lost or altered: the block and its descendants are no longer complete until SetData is
  // called again. O(tree).
  void ForgetData(HeaderId id);

  // The bytes can be read.
  bool has_data(HeaderId id) const { return state_[id].data.exists(); }
  // The bytes have been here (invariant 2 without the parent).
  bool is_received(HeaderId id) const { return (state_[id].flags & kReceived) != 0; }
  bool is_complete(HeaderId id) const { return (state_[id].flags & kComplete) != 0; }
  const BlockPosition& data(HeaderId id) const { return state_[id].data; }
  const BlockPosition& undo(HeaderId id) const { return state_[id].undo; }
  // 0 until received.
  uint32_t transaction_count(HeaderId id) const { return state_[id].transaction_count; }
  // From genesis through this block; 0 until complete.
  uint64_t chain_transaction_count(HeaderId id) const { return state_[id].chain_transaction_count; }

  // Headers without children, lowest number first. O(tree).
  std::vector<HeaderId> tips() const;

 private:
  enum Flag : uint32_t { kReceived = 1, kComplete = 2, kMarkedInvalid = 4, kParentInvalid = 8 };

  // What walks touch: two to a cache line and a half.
  struct Hot {
    HeaderId parent;
    HeaderId skip;
    uint32_t height;
    uint32_t time_s;
    uint32_t bits;
    int32_t version;
    uint32_t median_time_past;
    uint32_t time_max_s;
  };
  static_assert(sizeof(Hot) == 32);

  struct Cold {
    BlockHeader header;
    Hash256 hash;
    Uint256 work;
  };

  // What changes; the engine thread's alone.
  struct State {
    uint32_t flags = 0;
    HeaderId first_child = kNoHeader;
    HeaderId next_sibling = kNoHeader;
    uint32_t transaction_count = 0;
    uint64_t chain_transaction_count = 0;
    uint64_t complete_order = 0;
    BlockPosition data;
    BlockPosition undo;
  };

  uint32_t MedianOfEleven(HeaderId parent, uint32_t time_s) const;
  HeaderId SkipOver(HeaderId parent) const;
  const Uint256& WorkOf(uint32_t bits);
  void Complete(HeaderId id);
  bool IsBetterCandidate(HeaderId id, HeaderId than) const;
  void Rescan();
  // Calls `visit(descendant)` for every descendant, parents first; false keeps out of that branch.
  template <typename Visit>
  void ForDescendants(HeaderId id, Visit visit);

  StableColumn<Hot> hot_;
  StableColumn<Cold> cold_;
  std::vector<State> state_;
  absl::flat_hash_map<Hash256, HeaderId> by_hash_;
  HeaderId best_header_ = kGenesisId;
  HeaderId best_candidate_ = kGenesisId;
  uint64_t completed_ = 0;
  uint32_t last_bits_ = 0;
  Uint256 last_work_;
};

// The chain that ends with one header of the tree. Any thread that was handed the id.
class TreeAncestry final : public Ancestry {
 public:
  TreeAncestry(const HeaderTree& tree, HeaderId tip) : tree_(tree), tip_(tip) {}

  uint32_t height() const override { return tree_.height(tip_); }
  HeaderFacts At(uint32_t height) const override { return tree_.facts(tree_.Ancestor(tip_, height)); }
  int64_t median_time_past(uint32_t height) const override {
    return tree_.median_time_past(tree_.Ancestor(tip_, height));
  }

 private:
  const HeaderTree& tree_;
  HeaderId tip_;
};

}  // namespace headrace
