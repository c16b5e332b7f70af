// Arena and slab: the memory that block bytes live in.
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <utility>
#include <vector>

#include "engine/base/arena.h"
#include "engine/base/counted_slab.h"
#include "engine/base/slab.h"

namespace headrace {
namespace {

TEST(Arena, CopiesStayWhereTheyAre) {
  std::mt19937_64 random(1);
  Arena arena(256);
  for (int round = 0; round < 3; ++round) {
    std::vector<std::pair<ByteSpan, std::vector<uint8_t>>> copies;
    size_t total = 0;
    for (int i = 0; i < 200; ++i) {
      // Also larger than a chunk, and empty.
      std::vector<uint8_t> bytes(random() % 10 == 0 ? random() % 1000 : random() % 40);
      for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
      total += bytes.size();
      copies.emplace_back(arena.Copy(bytes), bytes);
    }
    EXPECT_EQ(arena.used_bytes(), total);
    for (const auto& [span, bytes] : copies) EXPECT_TRUE(std::equal(span.begin(), span.end(), bytes.begin(), bytes.end()));
    arena.Reset();
    EXPECT_EQ(arena.used_bytes(), 0u);
  }
}

TEST(Arena, ResetReusesTheFirstChunk) {
  Arena arena(128);
  const uint8_t* first = arena.Allocate(100);
  arena.Allocate(100);
  arena.Reset();
  EXPECT_EQ(arena.Allocate(128), first);
  Arena untouched;
  untouched.Reset();
  EXPECT_EQ(untouched.used_bytes(), 0u);
}

TEST(Arena, ResetKeepsAMegabyteOfChunks) {
  Arena arena(256 << 10);
  std::vector<uint8_t*> chunks;
  for (int i = 0; i < 6; ++i) chunks.push_back(arena.Allocate(256 << 10));
  arena.Reset();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(arena.Allocate(256 << 10), chunks[i]);
  // Larger than any chunk that waits: those are passed over, and used again after the next reset.
  arena.Reset();
  EXPECT_EQ(arena.Allocate(1), chunks[0]);
  uint8_t* const large = arena.Allocate(300 << 10);
  std::memset(large, 1, 300 << 10);
  for (int i = 0; i < 4; ++i) EXPECT_NE(large, chunks[i]);
  arena.Reset();
  EXPECT_EQ(arena.Allocate(256 << 10), chunks[0]);
  EXPECT_EQ(arena.Allocate(256 << 10), chunks[1]);
}

TEST(Arena, ItsFirstChunksAreSmall) {
  Arena arena;
  EXPECT_EQ(arena.reserved_bytes(), 0u);
  arena.Allocate(100);
  EXPECT_EQ(arena.reserved_bytes(), size_t{4} << 10) << "thousands of tiny blocks have one each";
  for (int i = 0; i < 10'000; ++i) arena.Allocate(100);
  const size_t reserved = arena.reserved_bytes();
  EXPECT_GE(reserved, arena.used_bytes());
  EXPECT_LE(reserved, arena.used_bytes() + (size_t{80} << 10));
  arena.Reset();
  EXPECT_EQ(arena.reserved_bytes(), reserved) << "less than a megabyte is kept";
  for (int i = 0; i < 50'000; ++i) arena.Allocate(100);
  arena.Reset();
  EXPECT_LE(arena.reserved_bytes(), Arena::kKeptBytesMax);
}

TEST(Arena, MovesWithItsMemory) {
  Arena arena;
  const std::vector<uint8_t> bytes = {1, 2, 3};
  const ByteSpan copy = arena.Copy(bytes);
  const Arena moved = std::move(arena);
  EXPECT_EQ(copy[2], 3);
  EXPECT_EQ(moved.used_bytes(), 3u);
}

// Whoever is the last to hold it.
TEST(Slab, ACountedSlabCountsAsLongAsAnybodyHoldsIt) {
  auto count = std::make_shared<SlabBytes>(0);
  const std::vector<uint8_t> bytes(300, 7);
  SlabRef first = Counted(Slab::Copy(bytes), count);
  EXPECT_EQ(first->size(), 300u);
  SharedBytes second = SharedBytes::From(first);
  const SlabRef other = Counted(Slab::Copy(ByteSpan(bytes).first(50)), count);
  EXPECT_EQ(*count, 350u);
  first = nullptr;
  EXPECT_EQ(*count, 350u);
  EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), second.bytes.begin(), second.bytes.end()));
  second = {};
  EXPECT_EQ(*count, 50u);
}

TEST(Slab, CopyIsExactAndShared) {
  std::vector<uint8_t> bytes = {5, 6, 7};
  SlabRef slab = Slab::Copy(bytes);
  bytes[0] = 0;
  EXPECT_EQ(slab->size(), 3u);
  EXPECT_EQ(slab->bytes()[0], 5);
  const uint8_t* address = slab->bytes().data();
  const SharedBytes shared = SharedBytes::From(std::move(slab));
  EXPECT_EQ(shared.bytes.data(), address);
  EXPECT_EQ(shared.bytes[2], 7);
  EXPECT_EQ(Slab::Copy({})->size(), 0u);
}

TEST(Slab, IsFilledInPlace) {
  auto slab = std::make_shared<Slab>(4);
  std::memset(slab->writable().data(), 9, 4);
  EXPECT_EQ(SlabRef(slab)->bytes()[3], 9);
}

}  // namespace
}  // namespace headrace
