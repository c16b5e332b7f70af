#include "engine/chain/header_tree.h"

#include <algorithm>
#include <array>

#include "engine/base/check.h"
#include "engine/primitives/targets.h"

namespace headrace {

HeaderTree::HeaderTree(const BlockHeader& genesis) {
  const Hash256 hash = genesis.Hash();
  hot_.push_back({kNoHeader, kGenesisId, 0, genesis.time_s, genesis.bits, genesis.version, genesis.time_s,
                  genesis.time_s});
  cold_.push_back({genesis, hash, WorkFromBits(genesis.bits)});
  State state;
  state.flags = kReceived | kComplete;
  state.transaction_count = 1;
  state.chain_transaction_count = 1;
  state_.push_back(state);
  by_hash_.emplace(hash, kGenesisId);
}

void HeaderTree::Reserve(uint32_t headers) {
  state_.reserve(headers);
  by_hash_.reserve(headers);
}

HeaderId HeaderTree::Find(const Hash256& hash) const {
  const auto it = by_hash_.find(hash);
  return it == by_hash_.end() ? kNoHeader : it->second;
}

uint32_t HeaderTree::MedianOfEleven(HeaderId parent, uint32_t time_s) const {
  std::array<uint32_t, kMedianTimeSpan> times = {time_s};
  uint32_t count = 1;
  for (HeaderId id = parent; id != kNoHeader && count < kMedianTimeSpan; id = hot_[id].parent) {
    times[count++] = hot_[id].time_s;
  }
  std::nth_element(times.begin(), times.begin() + count / 2, times.begin() + count);
  return times[count / 2];
}

// Where a new header's skip pointer leads (Myers, "An applicative random-access stack", 1983): when the last two skips
// were equally long they are joined into one, else the skip is to the parent. Its length depends on the height alone.
HeaderId HeaderTree::SkipOver(HeaderId parent) const {
  const HeaderId once = hot_[parent].skip;
  const HeaderId twice = hot_[once].skip;
  const bool equally_long = height(parent) - height(once) == height(once) - height(twice);
  return equally_long ? twice : parent;
}

// Neighbours mostly share their bits, and a division costs more than all the rest of adding a header.
const Uint256& HeaderTree::WorkOf(uint32_t bits) {
  if (bits != last_bits_) {
    last_bits_ = bits;
    last_work_ = WorkFromBits(bits);
  }
  return last_work_;
}

HeaderId HeaderTree::Add(const BlockHeader& header, const Hash256& hash, HeaderId parent) {
  HR_CHECK(parent < size() && header.previous == cold_[parent].hash);
  const HeaderId id = size();
  HR_CHECK(by_hash_.emplace(hash, id).second);
  const uint32_t height = hot_[parent].height + 1;
  hot_.push_back({parent, SkipOver(parent), height, header.time_s, header.bits, header.version,
                  MedianOfEleven(parent, header.time_s), std::max(header.time_s, hot_[parent].time_max_s)});
  cold_.push_back({header, hash, cold_[parent].work + WorkOf(header.bits)});

  State state;
  state.next_sibling = state_[parent].first_child;
  if (is_invalid(parent)) state.flags = kParentInvalid;
  state_.push_back(state);
  state_[parent].first_child = id;
  if (!is_invalid(id) && work(id) > work(best_header_)) best_header_ = id;
  return id;
}

HeaderId HeaderTree::Ancestor(HeaderId id, uint32_t height) const {
  HR_CHECK(height <= hot_[id].height);
  while (hot_[id].height > height) {
    const HeaderId skip = hot_[id].skip;
    id = hot_[skip].height >= height ? skip : hot_[id].parent;
  }
  return id;
}

HeaderId HeaderTree::LastCommonAncestor(HeaderId a, HeaderId b) const {
  const uint32_t height = std::min(hot_[a].height, hot_[b].height);
  a = Ancestor(a, height);
  b = Ancestor(b, height);
  // Equal heights have equal skip heights: while the skips differ, the fork is below both.
  while (a != b) {
    const bool skips_differ = hot_[a].skip != hot_[b].skip;
    a = skips_differ ? hot_[a].skip : hot_[a].parent;
    b = skips_differ ? hot_[b].skip : hot_[b].parent;
  }
  return a;
}

bool HeaderTree::IsAncestorOf(HeaderId ancestor, HeaderId id) const {
  return hot_[ancestor].height <= hot_[id].height && Ancestor(id, hot_[ancestor].height) == ancestor;
}

template <typename Visit>
void HeaderTree::ForDescendants(HeaderId id, Visit visit) {
  std::vector<HeaderId> pending = {id};
  while (!pending.empty()) {
    const HeaderId parent = pending.back();
    pending.pop_back();
    for (HeaderId child = state_[parent].first_child; child != kNoHeader; child = state_[child].next_sibling) {
      if (visit(child)) pending.push_back(child);
    }
  }
}

void HeaderTree::MarkInvalid(HeaderId id) {
  HR_CHECK(id != kGenesisId);
  const bool was_invalid = is_invalid(id);
  state_[id].flags |= kMarkedInvalid;
  if (was_invalid) return;
  bool best_lost = id == best_header_ || id == best_candidate_;
  ForDescendants(id, [&](HeaderId descendant) {
    if ((state_[descendant].flags & kParentInvalid) != 0) return false;
    state_[descendant].flags |= kParentInvalid;
    best_lost |= descendant == best_header_ || descendant == best_candidate_;
    // One that was marked itself passed the mark on already, and its descendants are out.
    return (state_[descendant].flags & kMarkedInvalid) == 0;
  });
  if (best_lost) Rescan();
}

std::vector<HeaderId> HeaderTree::Reconsider(HeaderId id) {
  std::vector<HeaderId> unmarked;
  const auto unmark = [&](HeaderId at) {
    if (is_marked_invalid(at)) unmarked.push_back(at);
    state_[at].flags &= ~uint32_t{kMarkedInvalid};
    return true;
  };
  for (HeaderId at = id; at != kNoHeader && is_invalid(at); at = hot_[at].parent) unmark(at);
  // Marks on the way up are gone; which headers still descend from a marked one is found in one pass, parents first.
  ForDescendants(id, unmark);
  for (HeaderId at = 1; at < size(); ++at) {
    state_[at].flags &= ~uint32_t{kParentInvalid};
    if (is_invalid(hot_[at].parent)) state_[at].flags |= kParentInvalid;
  }
  Rescan();
  return unmarked;
}

void HeaderTree::Complete(HeaderId id) {
  State& state = state_[id];
  state.flags |= kComplete;
  state.complete_order = ++completed_;
  state.chain_transaction_count = state_[hot_[id].parent].chain_transaction_count + state.transaction_count;
  if (IsBetterCandidate(id, best_candidate_)) best_candidate_ = id;
}

void HeaderTree::SetData(HeaderId id, const BlockPosition& position, uint32_t transaction_count) {
  State& state = state_[id];
  state.data = position;
  if (is_received(id)) return;
  state.flags |= kReceived;
  state.transaction_count = transaction_count;
  if (!is_complete(hot_[id].parent)) return;
  Complete(id);
  ForDescendants(id, [&](HeaderId descendant) {
    if (!is_received(descendant)) return false;
    Complete(descendant);
    return true;
  });
}

void HeaderTree::ClearPositions(HeaderId id) {
  state_[id].data = {};
  state_[id].undo = {};
}

void HeaderTree::ForgetData(HeaderId id) {
  HR_CHECK(id != kGenesisId);
  ClearPositions(id);
  const bool was_complete = is_complete(id);
  state_[id].flags &= ~uint32_t{kReceived | kComplete};
  state_[id].transaction_count = 0;
  state_[id].chain_transaction_count = 0;
  if (!was_complete) return;
  ForDescendants(id, [&](HeaderId descendant) {
    if (!is_complete(descendant)) return false;
    state_[descendant].flags &= ~uint32_t{kComplete};
    state_[descendant].chain_transaction_count = 0;
    return true;
  });
  Rescan();
}

// More work, or as much and complete earlier.
bool HeaderTree::IsBetterCandidate(HeaderId id, HeaderId than) const {
  if (is_invalid(id) || !is_complete(id)) return false;
  if (work(id) != work(than)) return work(id) > work(than);
  return state_[id].complete_order < state_[than].complete_order;
}

void HeaderTree::PreferCandidate(HeaderId id) {
  state_[id].complete_order = 0;
  if (id != best_candidate_ && IsBetterCandidate(id, best_candidate_)) best_candidate_ = id;
}

void HeaderTree::Rescan() {
  best_header_ = kGenesisId;
  best_candidate_ = kGenesisId;
  for (HeaderId id = 1; id < size(); ++id) {
    if (is_invalid(id)) continue;
    if (work(id) > work(best_header_)) best_header_ = id;
    if (IsBetterCandidate(id, best_candidate_)) best_candidate_ = id;
  }
}

std::vector<HeaderId> HeaderTree::tips() const {
  std::vector<HeaderId> result;
  for (HeaderId id = 0; id < size(); ++id) {
    if (state_[id].first_child == kNoHeader) result.push_back(id);
  }
  return result;
}

}  // namespace headrace
