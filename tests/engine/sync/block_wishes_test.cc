// What waits comes out as it went in, whatever it was, and costs what it should.
#include "engine/sync/block_wishes.h"

#include <deque>
#include <random>
#include <utility>

#include "gtest/gtest.h"

namespace headrace {
namespace {

TEST(BlockWishesTest, EqualAPlainQueue) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    std::mt19937 chance(seed);
    BlockWishes wishes;
    std::deque<std::pair<HeaderId, InventoryItem>> plain;
    constexpr uint32_t kTypes[] = {kInvBlock, kInvWitnessBlock, kInvTransaction, kInvFilteredBlock,
                                   kInvWitnessTransaction};
    for (int step = 0; step < 5'000; ++step) {
      // More comes than goes for a while, and then the other way round.
      const bool pushes = chance() % 5 < (step / 500 % 2 == 0 ? 3u : 2u);
      if (pushes) {
        InventoryItem item{kTypes[chance() % 5], Hash256()};
        item.hash.bytes[0] = static_cast<uint8_t>(chance());
        const HeaderId id = chance() % 4 == 0 ? kNoHeader : chance() % 2 == 0 ? chance() % 100 : 0x7ffffffe;
        wishes.Push(item, id);
        plain.emplace_back(id, item);
      } else if (!plain.empty()) {
        const auto [id, item] = plain.front();
        plain.pop_front();
        const BlockWishes::Wish wish = wishes.Pop();
        const bool is_known = id != kNoHeader && (item.type & ~kInvWitnessFlag) == kInvBlock;
        ASSERT_EQ(wish.id, is_known ? id : kNoHeader);
        ASSERT_EQ(wish.item.type, item.type);
        if (!is_known) {
          ASSERT_EQ(wish.item, item);
        }
      }
      ASSERT_EQ(wishes.size(), plain.size());
      ASSERT_EQ(wishes.empty(), plain.empty());
      if (chance() % 2'000 == 0) wishes.Clear(), plain.clear();
    }
  }
}

TEST(BlockWishesTest, BlocksTakeFourBytesAndOthersTheirItem) {
  BlockWishes wishes;
  EXPECT_EQ(wishes.bytes(), 0u);
  for (HeaderId id = 0; id < 1'000; ++id) wishes.Push({kInvWitnessBlock, Hash256()}, id);
  EXPECT_EQ(wishes.bytes(), 4'000u);
  EXPECT_EQ(wishes.bytes_beyond_own(), 0u);
  for (int i = 0; i < 200; ++i) wishes.Push({kInvTransaction, Hash256()}, kNoHeader);
  EXPECT_EQ(wishes.bytes(), 4'000u + 200 * (4 + 36));
  EXPECT_EQ(wishes.bytes_beyond_own(), 4'000u + 200 * (4 + 36) - BlockWishes::kOwnBytes);
  while (!wishes.empty()) wishes.Pop();
  EXPECT_EQ(wishes.bytes(), 0u);
}

}  // namespace
}  // namespace headrace
