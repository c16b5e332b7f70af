// The copy of a table that a checkpoint writes, against copying it at one go and summing its pages after that.
#include "storage/coins/shard_image.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "engine/runtime/tbb_executor.h"
#include "storage/coins/page_checksums.h"
#include "tests/support/inline_executor.h"

namespace headrace {
namespace {

struct PlainImage {
  std::vector<uint8_t> bytes;
  uint32_t checksum;

  explicit PlainImage(const CoinTable& table) : bytes(table.image(), table.image() + table.bytes()) {
    bytes.resize(RoundUpToPage(bytes.size()));
    const PageChecksums checksums = PageChecksums::Of(bytes);
    checksum = checksums.total();
    bytes.insert(bytes.end(), checksums.bytes().begin(), checksums.bytes().end());
    bytes.resize(RoundUpToPage(bytes.size()));
  }
};

void ExpectEqual(const ShardImage& image, const CoinTable& table) {
  const PlainImage plain(table);
  EXPECT_EQ(ShardImage::BytesOf(table), plain.bytes.size());
  EXPECT_TRUE(std::ranges::equal(image.bytes(), plain.bytes)) << table.bytes();
  EXPECT_EQ(image.checksum(), plain.checksum) << table.bytes();
}

// From tables below a page to some hundred pages; larger images lie in the same memory before and after smaller ones.
void HoldAgainstPlain(Executor* executor) {
  std::mt19937_64 random(7);
  std::vector<uint32_t> sizes;
  for (uint32_t homes = CoinTable::kHomesMin; homes < 20'000; homes += 1 + homes / 2 + homes % 3) sizes.push_back(homes);
  ShardImage reused(ShardImage::BytesOf(CoinTable(sizes.back())));
  for (int round = 0; round < 3; ++round) {
    std::shuffle(sizes.begin(), sizes.end(), random);
    for (const uint32_t homes : sizes) {
      CoinTable table(homes);
      for (uint64_t coin = 0; coin < uint64_t{3} * homes; ++coin) table.Insert(random(), coin + 1);
      reused.Take(table, executor);
      ExpectEqual(reused, table);
      ShardImage exact(ShardImage::BytesOf(table));
      exact.Take(table, executor);
      ExpectEqual(exact, table);
    }
  }
}

TEST(ShardImage, IsThePagesAndTheirSums) {
  testing::InlineExecutor executor;
  HoldAgainstPlain(&executor);
}

TEST(ShardImage, IsTheSameWithWorkers) {
  const std::unique_ptr<Executor> executor = MakeTbbExecutor(3);
  HoldAgainstPlain(executor.get());
}

TEST(ShardImage, StaysAsItWasWhileTheTableChanges) {
  testing::InlineExecutor executor;
  CoinTable table(256);
  for (uint64_t coin = 1; coin <= 600; ++coin) table.Insert(coin * 0x9e3779b97f4a7c15, coin);
  ShardImage image(ShardImage::BytesOf(table));
  image.Take(table, &executor);
  const PlainImage before(table);
  for (uint64_t coin = 601; coin <= 700; ++coin) table.Insert(coin * 0x9e3779b97f4a7c15, coin);
  EXPECT_TRUE(std::ranges::equal(image.bytes(), before.bytes));
  EXPECT_FALSE(std::ranges::equal(image.bytes(), PlainImage(table).bytes));
}

}  // namespace
}  // namespace headrace
