#include "storage/coins/shard_image.h"

#include <algorithm>
#include <cstring>

#include "engine/base/check.h"
#include "engine/base/endian.h"
#include "engine/crypto/small_hashes.h"

namespace headrace {
namespace {

// What a worker takes at a time: a quarter of a MiB, whose sums are whole cache lines.
constexpr size_t kPagesAtOnce = 64;
constexpr uint64_t kSumBytes = 4;
constexpr uint64_t kHugeImageBytes = 2 << 20;

uint64_t BodyBytes(const CoinTable& table) { return RoundUpToPage(table.bytes()); }

}  // namespace

uint64_t ShardImage::BytesOf(const CoinTable& table) {
  return RoundUpToPage(BodyBytes(table) + BodyBytes(table) / kPageBytes * kSumBytes);
}

ShardImage::ShardImage(uint64_t bytes_max) : memory_(bytes_max) {
  if (bytes_max >= kHugeImageBytes) memory_.PreferHugePages();
}

void ShardImage::Take(const CoinTable& table, Executor* executor) {
  size_ = BytesOf(table);
  HR_CHECK(size_ <= memory_.size());
  const uint64_t body_bytes = BodyBytes(table);
  uint8_t* const body = memory_.data();
  uint8_t* const sums = body + body_bytes;
  executor->ParallelFor(body_bytes / kPageBytes, kPagesAtOnce, [&](size_t begin, size_t end) {
    for (size_t page = begin; page < end; ++page) {
      uint8_t* const at = body + page * kPageBytes;
      const uint64_t used = std::min(table.bytes() - page * kPageBytes, kPageBytes);
      std::memcpy(at, table.image() + page * kPageBytes, used);
      std::memset(at + used, 0, kPageBytes - used);
      StoreLittle(sums + page * kSumBytes, Crc32c({at, kPageBytes}));
    }
  });
  const uint64_t sum_bytes = body_bytes / kPageBytes * kSumBytes;
  checksum_ = Crc32c({sums, sum_bytes});
  std::memset(sums + sum_bytes, 0, size_ - body_bytes - sum_bytes);
}

}  // namespace headrace
