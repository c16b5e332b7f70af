#include "engine/consensus/merkle.h"

#include <gtest/gtest.h>

#include <iostream>
#include <random>

#include "engine/primitives/byte_reader.h"
#include "tests/reference/block_builder.h"
#include "tests/reference/plain_merkle.h"
#include "tests/support/data.h"

namespace headrace {
namespace {

using testing::PlainMerkleTree;
using testing::PlainWitnessRoot;

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
    EXPECT_EQ(merkle.root, PlainMerkleTree(leaves).root) << count;
    EXPECT_FALSE(merkle.is_ambiguous) << count;
    EXPECT_EQ(ComputeWitnessRoot(leaves, buffer), PlainWitnessRoot(leaves)) << count;
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

// Few different leaves, so that equal ones meet on every level, beside one another and apart.
TEST(Merkle, EqualsPlainTwinOnListsThatRepeat) {
  std::mt19937 random(2459);
  std::vector<Hash256> buffer;
  uint32_t ambiguous = 0;
  uint32_t prefixes_with_the_same_root = 0;
  constexpr int kRounds = 6000;
  for (int round = 0; round < kRounds; ++round) {
    const std::vector<Hash256> alphabet = RandomLeaves(1 + random() % 4, static_cast<uint32_t>(round));
    std::vector<Hash256> leaves(1 + random() % 33);
    for (Hash256& leaf : leaves) leaf = alphabet[random() % alphabet.size()];
    // Half of the lists repeat at one place alone: blocks of equal leaves somewhere among different ones.
    if (round % 2 == 0) {
      leaves = RandomLeaves(leaves.size(), static_cast<uint32_t>(round));
      const size_t size = size_t{1} << random() % 4;
      const size_t at = random() % leaves.size();
      for (size_t i = at; i < leaves.size() && i < at + size; ++i) {
        if (i >= size) leaves[i] = leaves[i - size];
      }
    }
    const MerkleRoot merkle = ComputeMerkleRoot(leaves, buffer);
    const testing::PlainTree plain = PlainMerkleTree(leaves);
    ASSERT_EQ(merkle.root, plain.root) << round;
    ASSERT_EQ(merkle.is_ambiguous, plain.has_equal_pair) << round;
    ASSERT_EQ(ComputeWitnessRoot(leaves, buffer), PlainWitnessRoot(leaves)) << round;
    ambiguous += merkle.is_ambiguous;
    // What it is for: a list that has the root of a shorter one is always seen.
    for (size_t size = 1; size < leaves.size(); ++size) {
      const std::vector<Hash256> prefix(leaves.begin(), leaves.begin() + static_cast<std::ptrdiff_t>(size));
      if (ComputeMerkleRoot(prefix, buffer).root != merkle.root) continue;
      ++prefixes_with_the_same_root;
      ASSERT_TRUE(merkle.is_ambiguous) << round << " and its first " << size;
    }
  }
  EXPECT_GT(ambiguous, 1000u);
  EXPECT_LT(ambiguous, kRounds - 1000u);
  EXPECT_GT(prefixes_with_the_same_root, 100u);
}

// Both roots of every real block; the first is in its header.
TEST(Merkle, RealBlocksEqualPlainTwin) {
  HR_NEEDS_DATA(".");
  std::vector<Hash256> buffer;
  uint32_t blocks = 0;
  const auto check = [&](ByteSpan raw) {
    const testing::DecodedBlock block({raw.begin(), raw.end()});
    const testing::PlainTree plain = PlainMerkleTree(block.columns.txid);
    ASSERT_EQ(plain.root, block.columns.header.merkle_root);
    EXPECT_FALSE(plain.has_equal_pair);
    const MerkleRoot merkle = ComputeMerkleRoot(block.columns.txid, buffer);
    EXPECT_EQ(merkle.root, plain.root);
    EXPECT_FALSE(merkle.is_ambiguous);
    EXPECT_EQ(ComputeWitnessRoot(block.columns.wtxid, buffer), PlainWitnessRoot(block.columns.wtxid));
    ++blocks;
  };
  for (const std::string& path : testing::DataFilesEndingWith(".raw")) {
    if (path.find("/block-") != std::string::npos) check(testing::ReadFileBytes(path));
  }
  for (const std::string& path : testing::DataFilesEndingWith(".dat")) {
    const std::vector<uint8_t> file = testing::ReadFileBytes(path);
    ByteReader reader(file);
    while (reader.ok() && reader.remaining() > 0) {
      reader.U32();
      check(reader.Bytes(reader.U32()));
    }
    EXPECT_TRUE(reader.ok()) << path;
  }
  EXPECT_GT(blocks, 0u);
  std::cout << blocks << " blocks\n";
}

}  // namespace
}  // namespace headrace
