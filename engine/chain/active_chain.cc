#include "engine/chain/active_chain.h"

#include <algorithm>

namespace headrace {

bool ActiveChain::Contains(HeaderId id) const {
  const uint32_t height = tree_.height(id);
  return height < ids_.size() && ids_[height] == id;
}

HeaderId ActiveChain::Next(HeaderId id) const {
  return Contains(id) && id != tip() ? ids_[tree_.height(id) + 1] : kNoHeader;
}

HeaderId ActiveChain::FindFork(HeaderId id) const { return tree_.LastCommonAncestor(id, tip()); }

HeaderId ActiveChain::FindEarliestAtLeast(uint32_t time_s, uint32_t min_height) const {
  if (min_height >= ids_.size()) return kNoHeader;
  const auto it = std::partition_point(ids_.begin() + min_height, ids_.end(),
                                       [&](HeaderId id) { return tree_.time_max_s(id) < time_s; });
  return it == ids_.end() ? kNoHeader : *it;
}

void ActiveChain::SetTip(HeaderId id) {
  // From the new tip down to where the chains meet; what stood there before is overwritten.
  ids_.resize(tree_.height(id) + 1, kNoHeader);
  for (HeaderId at = id; at != kNoHeader && ids_[tree_.height(at)] != at; at = tree_.parent(at)) {
    ids_[tree_.height(at)] = at;
  }
}

}  // namespace headrace
