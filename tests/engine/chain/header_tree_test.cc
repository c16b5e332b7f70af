#include "engine/chain/header_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "engine/chain/active_chain.h"
#include "engine/chain/locator.h"
#include "engine/primitives/targets.h"

namespace headrace {
namespace {

BlockHeader Genesis() {
  BlockHeader header;
  header.time_s = 1'700'000'000;
  header.bits = 0x207fffff;
  return header;
}

// The naive twin: parents alone, everything else by walking and scanning.
struct PlainTree {
  struct Node {
    HeaderId parent = kNoHeader;
    BlockHeader header;
    bool marked = false;
    bool received = false;
    uint64_t complete_order = 0;  // 0: not complete
    uint32_t transactions = 0;
  };
  std::vector<Node> nodes;
  uint64_t completed = 0;

  std::vector<HeaderId> Path(HeaderId id) const {
    std::vector<HeaderId> path;
    for (HeaderId at = id; at != kNoHeader; at = nodes[at].parent) path.push_back(at);
    std::reverse(path.begin(), path.end());
    return path;
  }
  bool IsInvalid(HeaderId id) const {
    for (const HeaderId at : Path(id)) {
      if (nodes[at].marked) return true;
    }
    return false;
  }
  bool IsComplete(HeaderId id) const {
    for (const HeaderId at : Path(id)) {
      if (!nodes[at].received) return false;
    }
    return true;
  }
  Uint256 Work(HeaderId id) const {
    Uint256 work;
    for (const HeaderId at : Path(id)) work += WorkFromBits(nodes[at].header.bits);
    return work;
  }
  uint64_t Transactions(HeaderId id) const {
    uint64_t count = 0;
    for (const HeaderId at : Path(id)) count += nodes[at].transactions;
    return IsComplete(id) ? count : 0;
  }
  int64_t MedianTime(HeaderId id) const {
    std::vector<HeaderId> path = Path(id);
    std::vector<uint32_t> times;
    for (size_t i = path.size() > 11 ? path.size() - 11 : 0; i < path.size(); ++i) {
      times.push_back(nodes[path[i]].header.time_s);
    }
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
  }
  HeaderId BestHeader() const {
    HeaderId best = kGenesisId;
    for (HeaderId id = 0; id < nodes.size(); ++id) {
      if (!IsInvalid(id) && Work(id) > Work(best)) best = id;
    }
    return best;
  }
  Uint256 BestCandidateWork() const {
    Uint256 best;
    for (HeaderId id = 0; id < nodes.size(); ++id) {
      if (!IsInvalid(id) && IsComplete(id)) best = std::max(best, Work(id));
    }
    return best;
  }
};

class TreePair {
 public:
  explicit TreePair(uint32_t seed) : random(seed), tree(Genesis()) {
    plain.nodes.push_back({kNoHeader, Genesis()});
    plain.nodes[0].received = true;
    plain.nodes[0].transactions = 1;
  }

  HeaderId Add(HeaderId parent) {
    BlockHeader header;
    header.previous = tree.hash(parent);
    header.nonce = tree.size();
    header.time_s = tree.header(parent).time_s + random() % 2000 - 500;
    header.bits = random() % 3 == 0 ? 0x200fffff : 0x207fffff;
    const HeaderId id = tree.Add(header, header.Hash(), parent);
    plain.nodes.push_back({parent, header});
    return id;
  }
  HeaderId Any() { return static_cast<HeaderId>(random() % tree.size()); }
  // Mostly near the newest, so that chains grow long.
  HeaderId AnyRecent() { return tree.size() - 1 - static_cast<HeaderId>(random() % std::min<uint32_t>(tree.size(), 4)); }
  HeaderId AnyButGenesis() { return 1 + static_cast<HeaderId>(random() % (tree.size() - 1)); }

  void ExpectEqual() {
    ASSERT_EQ(tree.best_header(), plain.BestHeader());
    ASSERT_EQ(tree.work(tree.best_candidate()), plain.BestCandidateWork());
    ASSERT_TRUE(plain.IsComplete(tree.best_candidate()) && !plain.IsInvalid(tree.best_candidate()));
    for (HeaderId id = 0; id < tree.size(); ++id) {
      ASSERT_EQ(tree.is_invalid(id), plain.IsInvalid(id)) << id;
      ASSERT_EQ(tree.is_complete(id), plain.IsComplete(id)) << id;
      ASSERT_EQ(tree.chain_transaction_count(id), plain.Transactions(id)) << id;
    }
  }

  std::mt19937 random;
  HeaderTree tree;
  PlainTree plain;
};

TEST(HeaderTree, WalksEqualTheNaiveTwins) {
  for (uint32_t seed = 0; seed < 10; ++seed) {
    TreePair pair(seed);
    for (int i = 0; i < 400; ++i) pair.Add(pair.random() % 8 == 0 ? pair.Any() : pair.AnyRecent());
    for (HeaderId id = 0; id < pair.tree.size(); ++id) {
      const std::vector<HeaderId> path = pair.plain.Path(id);
      ASSERT_EQ(pair.tree.height(id) + 1, path.size());
      ASSERT_EQ(pair.tree.work(id), pair.plain.Work(id));
      ASSERT_EQ(pair.tree.median_time_past(id), pair.plain.MedianTime(id));
      ASSERT_EQ(pair.tree.Find(pair.tree.hash(id)), id);
      for (uint32_t height = 0; height < path.size(); ++height) ASSERT_EQ(pair.tree.Ancestor(id, height), path[height]);
      const HeaderId other = pair.Any();
      const std::vector<HeaderId> other_path = pair.plain.Path(other);
      size_t common = 0;
      while (common < std::min(path.size(), other_path.size()) && path[common] == other_path[common]) ++common;
      ASSERT_EQ(pair.tree.LastCommonAncestor(id, other), path[common - 1]);
      ASSERT_EQ(pair.tree.IsAncestorOf(other, id), common == other_path.size());
    }
  }
}

TEST(HeaderTree, BestOnesEqualTheNaiveTwins) {
  for (uint32_t seed = 100; seed < 130; ++seed) {
    TreePair pair(seed);
    for (int step = 0; step < 150; ++step) {
      const uint32_t choice = pair.random() % 16;
      if (pair.tree.size() < 3 || choice < 7) {
        pair.Add(pair.random() % 4 == 0 ? pair.Any() : pair.AnyRecent());
      } else if (choice < 12) {
        const HeaderId id = pair.AnyButGenesis();
        if (!pair.plain.nodes[id].received) {
          pair.plain.nodes[id].received = true;
          pair.plain.nodes[id].transactions = 1 + pair.random() % 5;
          pair.tree.SetData(id, {0, id, 100}, pair.plain.nodes[id].transactions);
        }
      } else if (choice < 13) {
        const HeaderId id = pair.AnyButGenesis();
        pair.plain.nodes[id].marked = true;
        pair.tree.MarkInvalid(id);
      } else if (choice < 15) {
        // Marks leave the block, what is above and what is below.
        const HeaderId id = pair.Any();
        for (HeaderId other = 0; other < pair.tree.size(); ++other) {
          if (pair.tree.IsAncestorOf(other, id) || pair.tree.IsAncestorOf(id, other)) {
            pair.plain.nodes[other].marked = false;
          }
        }
        pair.tree.Reconsider(id);
      } else {
        const HeaderId id = pair.AnyButGenesis();
        pair.plain.nodes[id].received = false;
        pair.plain.nodes[id].transactions = 0;
        pair.tree.ForgetData(id);
      }
      ASSERT_NO_FATAL_FAILURE(pair.ExpectEqual()) << "seed " << seed << " step " << step;
    }
  }
}

TEST(HeaderTree, EqualWorkKeepsTheFirst) {
  TreePair pair(1);
  const auto add = [&](HeaderId parent, uint32_t nonce) {
    BlockHeader header;
    header.previous = pair.tree.hash(parent);
    header.nonce = nonce;
    header.bits = 0x207fffff;
    return pair.tree.Add(header, header.Hash(), parent);
  };
  const HeaderId first = add(kGenesisId, 1);
  const HeaderId second = add(kGenesisId, 2);
  EXPECT_EQ(pair.tree.best_header(), first);
  EXPECT_EQ(pair.tree.best_candidate(), kGenesisId);
  // The second's block comes before the first's.
  pair.tree.SetData(second, {0, 1, 100}, 1);
  EXPECT_EQ(pair.tree.best_candidate(), second);
  pair.tree.SetData(first, {0, 2, 100}, 1);
  EXPECT_EQ(pair.tree.best_candidate(), second);
  pair.tree.MarkInvalid(second);
  EXPECT_EQ(pair.tree.best_candidate(), first);
  pair.tree.Reconsider(second);
  EXPECT_EQ(pair.tree.best_candidate(), second);
  EXPECT_EQ(pair.tree.tips(), (std::vector<HeaderId>{first, second}));
}

TEST(HeaderTree, DescendantsOfInvalidHeadersAreBornInvalid) {
  TreePair pair(2);
  const HeaderId bad = pair.Add(kGenesisId);
  pair.tree.MarkInvalid(bad);
  const HeaderId child = pair.Add(bad);
  EXPECT_TRUE(pair.tree.is_invalid(child));
  EXPECT_FALSE(pair.tree.is_marked_invalid(child));
  EXPECT_EQ(pair.tree.best_header(), kGenesisId);
  pair.tree.Reconsider(child);
  EXPECT_FALSE(pair.tree.is_invalid(bad));
  EXPECT_EQ(pair.tree.best_header(), child);
}

TEST(HeaderTree, PruningLeavesBlocksComplete) {
  TreePair pair(3);
  const HeaderId id = pair.Add(kGenesisId);
  pair.tree.SetData(id, {1, 8, 500}, 3);
  pair.tree.SetUndo(id, {1, 8, 50});
  EXPECT_TRUE(pair.tree.has_data(id));
  EXPECT_EQ(pair.tree.chain_transaction_count(id), 4u);
  pair.tree.ClearPositions(id);
  EXPECT_FALSE(pair.tree.has_data(id));
  EXPECT_FALSE(pair.tree.undo(id).exists());
  EXPECT_TRUE(pair.tree.is_received(id) && pair.tree.is_complete(id));
  EXPECT_EQ(pair.tree.best_candidate(), id);
}

TEST(ActiveChain, FollowsAnyTip) {
  TreePair pair(4);
  for (int i = 0; i < 500; ++i) pair.Add(pair.random() % 16 == 0 ? pair.Any() : pair.AnyRecent());
  ActiveChain chain(pair.tree);
  for (int i = 0; i < 300; ++i) {
    const HeaderId tip = pair.Any();
    const HeaderId other = pair.Any();
    chain.SetTip(tip);
    const std::vector<HeaderId> path = pair.plain.Path(tip);
    ASSERT_EQ(chain.tip(), tip);
    ASSERT_EQ(chain.height() + 1, path.size());
    for (uint32_t height = 0; height < path.size(); ++height) ASSERT_EQ(chain.at(height), path[height]);
    const bool contains = std::find(path.begin(), path.end(), other) != path.end();
    ASSERT_EQ(chain.Contains(other), contains);
    ASSERT_EQ(chain.FindFork(other), pair.tree.LastCommonAncestor(other, tip));
    ASSERT_EQ(chain.Next(other), contains && other != tip ? path[pair.tree.height(other) + 1] : kNoHeader);
    const uint32_t time_s = pair.tree.header(other).time_s;
    const uint32_t min_height = static_cast<uint32_t>(pair.random() % (path.size() + 1));
    HeaderId expected = kNoHeader;
    uint32_t latest_s = 0;
    for (uint32_t height = 0; height < path.size() && expected == kNoHeader; ++height) {
      latest_s = std::max(latest_s, pair.tree.header(path[height]).time_s);
      if (height >= min_height && latest_s >= time_s) expected = path[height];
    }
    ASSERT_EQ(chain.FindEarliestAtLeast(time_s, min_height), expected);
  }
}

TEST(Locator, IsDenseThenDoubles) {
  TreePair pair(5);
  HeaderId tip = kGenesisId;
  for (int i = 0; i < 1000; ++i) tip = pair.Add(tip);
  std::vector<uint32_t> heights;
  for (const Hash256& hash : BuildLocator(pair.tree, tip)) heights.push_back(pair.tree.height(pair.tree.Find(hash)));
  EXPECT_EQ(heights, (std::vector<uint32_t>{1000, 999, 998, 997, 996, 995, 994, 993, 992, 991, 990, 988, 984, 976, 960,
                                            928, 864, 736, 480, 0}));
  EXPECT_EQ(BuildLocator(pair.tree, kGenesisId), std::vector<Hash256>{pair.tree.hash(kGenesisId)});
}

TEST(Locator, FindsWhereChainsPart) {
  TreePair pair(6);
  for (int i = 0; i < 300; ++i) pair.Add(pair.random() % 16 == 0 ? pair.Any() : pair.AnyRecent());
  for (int i = 0; i < 300; ++i) {
    ActiveChain chain(pair.tree);
    chain.SetTip(pair.Any());
    const HeaderId theirs = pair.Any();
    const HeaderId found = FindLocatorFork(pair.tree, chain, BuildLocator(pair.tree, theirs));
    const HeaderId fork = chain.FindFork(theirs);
    ASSERT_TRUE(chain.Contains(found));
    ASSERT_TRUE(pair.tree.IsAncestorOf(found, fork));
    // At most as far below the fork as the locator's steps are long there.
    const uint32_t distance = pair.tree.height(theirs) - pair.tree.height(fork);
    ASSERT_LE(pair.tree.height(fork) - pair.tree.height(found), distance);
  }
  ActiveChain chain(pair.tree);
  chain.SetTip(pair.AnyRecent());
  Hash256 unknown;
  unknown.bytes[3] = 9;
  EXPECT_EQ(FindLocatorFork(pair.tree, chain, {}), kGenesisId);
  EXPECT_EQ(FindLocatorFork(pair.tree, chain, std::vector<Hash256>{unknown}), kGenesisId);
  EXPECT_EQ(FindLocatorFork(pair.tree, chain, std::vector<Hash256>{unknown, pair.tree.hash(chain.tip())}), chain.tip());
}

}  // namespace
}  // namespace headrace
