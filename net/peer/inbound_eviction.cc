#include "net/peer/inbound_eviction.h"

#include <algorithm>
#include <map>

namespace headrace {
namespace {

using Candidates = std::vector<EvictionCandidate>;

// Takes away up to `count` candidates that come first in the order of `is_better`, of those that `may` be taken.
template <typename IsBetter, typename May>
void Protect(Candidates& candidates, size_t count, IsBetter is_better, May may) {
  // What is equal is told apart by age, and at last by number, so that nothing depends on how candidates were listed.
  std::sort(candidates.begin(), candidates.end(), [&](const EvictionCandidate& a, const EvictionCandidate& b) {
    if (may(a) != may(b)) return may(a);
    if (is_better(a, b) || is_better(b, a)) return is_better(a, b);
    return a.created_ns != b.created_ns ? a.created_ns < b.created_ns : a.id < b.id;
  });
  const auto able = static_cast<size_t>(std::count_if(candidates.begin(), candidates.end(), may));
  candidates.erase(candidates.begin(), candidates.begin() + static_cast<ptrdiff_t>(std::min(count, able)));
}

bool Anybody(const EvictionCandidate&) { return true; }
bool IsOlder(const EvictionCandidate& a, const EvictionCandidate& b) { return a.created_ns < b.created_ns; }

// Half of them, by how long they stay. Half of that half for those who come over loopback, as far as there are: round trips
// and groups say nothing for them.
void ProtectHalfByStay(Candidates& candidates) {
  const size_t half = candidates.size() / 2;
  const size_t before = candidates.size();
  Protect(candidates, half / 2, IsOlder, [](const EvictionCandidate& one) { return one.is_local; });
  Protect(candidates, half - (before - candidates.size()), IsOlder, Anybody);
}

bool IsYounger(const EvictionCandidate& a, const EvictionCandidate& b) {
  return a.created_ns != b.created_ns ? a.created_ns > b.created_ns : a.id > b.id;
}

}  // namespace

std::optional<PeerId> ChooseToEvict(std::vector<EvictionCandidate> candidates) {
  Protect(candidates, kProtectedByGroup, [](const auto& a, const auto& b) { return a.group_rank < b.group_rank; }, Anybody);
  Protect(candidates, kProtectedByPing, [](const auto& a, const auto& b) { return a.ping_min_ns < b.ping_min_ns; },
          [](const auto& one) { return one.ping_min_ns != INT64_MAX; });
  Protect(candidates, kProtectedByBlocks, [](const auto& a, const auto& b) { return a.last_block_ns > b.last_block_ns; },
          [](const auto& one) { return one.last_block_ns != 0; });
  ProtectHalfByStay(candidates);
  if (candidates.empty()) return std::nullopt;

  struct Members {
    size_t count = 0;
    const EvictionCandidate* youngest = nullptr;
  };
  std::map<NetworkGroup, Members> groups;
  for (const EvictionCandidate& one : candidates) {
    Members& members = groups[one.group];
    ++members.count;
    if (members.youngest == nullptr || IsYounger(one, *members.youngest)) members.youngest = &one;
  }
  const auto largest = std::max_element(groups.begin(), groups.end(), [](const auto& a, const auto& b) {
    if (a.second.count != b.second.count) return a.second.count < b.second.count;
    return IsYounger(*b.second.youngest, *a.second.youngest);
  });
  return largest->second.youngest->id;
}

}  // namespace headrace
