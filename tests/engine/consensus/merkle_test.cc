#include "engine/consensus/merkle.h"

#include <gtest/gtest.h>

#include <random>

namespace headrace {
namespace {

// By the definition: the root of a row is the root of its pairs' hashes, the last doubled when odd.
Hash256 PlainRoot(std::vector<Hash256> row) {
  if (row.empty()) return {};
  if (row.size() == 1) return row[0];
  if (row.size() % 2 != 0) row.push_back(row.back());
  std::vector<Hash256> above;
  for (size_t i = 0; i < row.size(); i += 2) {
    above.emplace_back(Sha256Hasher().Write(row[i].span()).Write(row[i + 1].span()).FinishDouble());
  }
  return PlainRoot(above);
}

std::vector<Hash256> RandomLeaves(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<Hash256> leaves(count);
  for (Hash256& leaf : leaves) {
    for (uint8_t& byte : leaf.bytes) byte = static_cast<uint8_t>(random());
  }
  return leaves;
}

TEST(Merkle, EqualsTheDefinition) {
  std::vector<Hash256> buffer;
  for (size_t count = 0; count < 70; ++count) {
    const std::vector<Hash256> leaves = RandomLeaves(count, static_cast<uint32_t>(count));
    const MerkleRoot merkle = ComputeMerkleRoot(leaves, buffer);
    EXPECT_EQ(merkle.root, PlainRoot(leaves)) << count;
    EXPECT_FALSE(merkle.is_ambiguous) << count;
    std::vector<Hash256> witness = leaves;
    if (count > 0) witness[0] = Hash256();
    EXPECT_EQ(ComputeWitnessRoot(leaves, buffer), PlainRoot(witness)) << count;
  }
}

// CVE-2012-2459: for every list whose tree doubles something there is a longer one with the same root.
TEST(Merkle, SeesRepetition) {
  std::vector<Hash256> buffer;
  uint32_t cases = 0;
  for (size_t count = 1; count < 40; ++count) {
    const std::vector<Hash256> leaves = RandomLeaves(count, 7);
    for (size_t repeated = 1; repeated <= count; repeated *= 2) {
      if (count % (2 * repeated) != repeated % (2 * repeated)) continue;
      std::vector<Hash256> longer = leaves;
      longer.insert(longer.end(), leaves.end() - static_cast<std::ptrdiff_t>(repeated), leaves.end());
      const MerkleRoot merkle = ComputeMerkleRoot(longer, buffer);
      if (merkle.root != ComputeMerkleRoot(leaves, buffer).root) continue;
      ++cases;
      EXPECT_TRUE(merkle.is_ambiguous) << count << " + " << repeated;
    }
  }
  EXPECT_GT(cases, 20u);
}

}  // namespace
}  // namespace headrace
