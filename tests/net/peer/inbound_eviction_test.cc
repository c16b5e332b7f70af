// Who goes for whom: protections one by one, and a crowd that wants all slots.
#include "net/peer/inbound_eviction.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/sim/sim_entropy.h"

namespace headrace {
namespace {

using Candidates = std::vector<EvictionCandidate>;

uint64_t RankOf(NetworkGroup group) { return (group + 1) * 0x9e3779b97f4a7c15; }

// A peer that nothing protects but its group's rank and its stay.
EvictionCandidate Make(PeerId id, NetworkGroup group, int64_t created_ns) {
  EvictionCandidate one;
  one.id = id;
  one.group = group;
  one.group_rank = RankOf(group);
  one.created_ns = created_ns;
  return one;
}

// One after another of `candidates` goes until the rest is protected; who stays.
std::set<PeerId> WhoStays(Candidates candidates) {
  while (const std::optional<PeerId> gone = ChooseToEvict(candidates)) {
    std::erase_if(candidates, [&](const EvictionCandidate& one) { return one.id == *gone; });
  }
  std::set<PeerId> left;
  for (const EvictionCandidate& one : candidates) left.insert(one.id);
  return left;
}

TEST(InboundEviction, NobodyAndFewAreLeftAlone) {
  EXPECT_EQ(ChooseToEvict({}), std::nullopt);
  Candidates few;
  for (PeerId id = 1; id <= kProtectedByGroup; ++id) few.push_back(Make(id, id, 1));
  EXPECT_EQ(ChooseToEvict(few), std::nullopt);
  few.push_back(Make(9, 9, 1));
  EXPECT_NE(ChooseToEvict(few), std::nullopt);
}

TEST(InboundEviction, TheYoungestOfTheLargestGroupGoes) {
  Candidates candidates;
  // Forty groups of two, and one of twenty whose members came between the others.
  for (PeerId id = 1; id <= 80; ++id) candidates.push_back(Make(id, 100 + id % 40, static_cast<int64_t>(id) * 10));
  for (PeerId id = 101; id <= 120; ++id) candidates.push_back(Make(id, 7, static_cast<int64_t>(id - 60) * 10 + 5));
  EXPECT_EQ(ChooseToEvict(candidates), 120u);
  std::reverse(candidates.begin(), candidates.end());
  EXPECT_EQ(ChooseToEvict(candidates), 120u) << "whatever the order";
}

TEST(InboundEviction, EachQualityProtects) {
  sim::SimEntropy entropy(3);
  for (int round = 0; round < 50; ++round) {
    Candidates candidates;
    for (PeerId id = 1; id <= 100; ++id) {
      candidates.push_back(Make(id, 1 + entropy.Below(30), entropy.Between(1, 1'000'000)));
      candidates.back().ping_min_ns = entropy.OneIn(3) ? INT64_MAX : entropy.Between(1, 1'000'000);
      candidates.back().last_block_ns = entropy.OneIn(2) ? 0 : entropy.Between(1, 1'000'000);
    }
    const std::set<PeerId> stay = WhoStays(candidates);
    // What is best of all goes never, however many others do.
    const auto best = [&](auto key) {
      return std::min_element(candidates.begin(), candidates.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); })->id;
    };
    EXPECT_TRUE(stay.contains(best([](const EvictionCandidate& one) { return one.ping_min_ns; })));
    EXPECT_TRUE(stay.contains(best([](const EvictionCandidate& one) { return -one.last_block_ns; })));
    EXPECT_TRUE(stay.contains(best([](const EvictionCandidate& one) { return std::pair(one.group_rank, one.created_ns); })));
  }
}

TEST(InboundEviction, TheLastBlockAndTheBestPingOfAYoungsterProtectIt) {
  Candidates candidates;
  for (PeerId id = 1; id <= 60; ++id) candidates.push_back(Make(id, id % 10, static_cast<int64_t>(id)));
  const std::optional<PeerId> first = ChooseToEvict(candidates);
  ASSERT_TRUE(first.has_value());
  const auto with = [&](auto change) {
    Candidates changed = candidates;
    for (EvictionCandidate& one : changed) {
      if (one.id == *first) change(one);
    }
    return ChooseToEvict(changed);
  };
  EXPECT_NE(with([](EvictionCandidate& one) { one.ping_min_ns = 5; }), first);
  EXPECT_NE(with([](EvictionCandidate& one) { one.last_block_ns = 5; }), first);
  EXPECT_NE(with([](EvictionCandidate& one) { one.created_ns = -1; }), first);
  EXPECT_NE(with([](EvictionCandidate& one) { one.group_rank = 0; }), first);
  EXPECT_EQ(with([](EvictionCandidate& one) { one.ping_min_ns = INT64_MAX; }), first);
}

TEST(InboundEviction, ThoseOverLoopbackHaveAQuarterOfWhatIsLeft) {
  Candidates candidates;
  // Forty old ones, and twenty young ones over loopback: one group.
  for (PeerId id = 1; id <= 40; ++id) candidates.push_back(Make(id, id, static_cast<int64_t>(id)));
  for (PeerId id = 101; id <= 120; ++id) {
    candidates.push_back(Make(id, 999, static_cast<int64_t>(id)));
    candidates.back().group_rank = UINT64_MAX;
    candidates.back().is_local = true;
  }
  // Somebody else comes again and again: 56 are not protected by rank, 28 of these by their stay, 14 over loopback.
  for (PeerId id = 1'000; id < 1'100; ++id) {
    const std::optional<PeerId> gone = ChooseToEvict(candidates);
    ASSERT_TRUE(gone.has_value());
    std::erase_if(candidates, [&](const EvictionCandidate& one) { return one.id == *gone; });
    candidates.push_back(Make(id, 2'000, static_cast<int64_t>(id)));
    candidates.back().group_rank = UINT64_MAX;
  }
  const auto local = std::count_if(candidates.begin(), candidates.end(), [](const auto& one) { return one.is_local; });
  EXPECT_GE(local, 14);
}

// Sixty honest peers of as many groups hold the slots; a crowd comes ten thousand times.
TEST(InboundEviction, ACrowdFromOneGroupDisplacesItself) {
  for (const uint64_t crowd_groups : {1, 3, 1'000}) {
    sim::SimEntropy entropy(crowd_groups);
    Candidates candidates;
    for (PeerId id = 1; id <= 60; ++id) {
      candidates.push_back(Make(id, id, static_cast<int64_t>(id)));
      candidates.back().ping_min_ns = entropy.Between(1'000, 100'000);
    }
    for (PeerId id = 1'000; id < 11'000; ++id) {
      EvictionCandidate one = Make(id, 5'000 + entropy.Below(crowd_groups), static_cast<int64_t>(id));
      // It is as near as anybody.
      one.ping_min_ns = entropy.Between(1'000, 100'000);
      if (candidates.size() < 115) {
        candidates.push_back(one);
        continue;
      }
      const std::optional<PeerId> gone = ChooseToEvict(candidates);
      ASSERT_TRUE(gone.has_value());
      std::erase_if(candidates, [&](const EvictionCandidate& other) { return other.id == *gone; });
      candidates.push_back(one);
    }
    const auto honest = std::count_if(candidates.begin(), candidates.end(), [](const auto& one) { return one.id <= 60; });
    // Of one place, or of a thousand: those who were there first are older than all of the crowd.
    EXPECT_GE(honest, crowd_groups == 1'000 ? 45 : 60) << crowd_groups << " groups";
  }
}

}  // namespace
}  // namespace headrace
