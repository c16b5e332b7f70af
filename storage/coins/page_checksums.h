// CRC-32C of every 4 KiB page of a file's body, and which pages were found good already.
//
// Threads: any number may call PageRangeIsGood at once; the sums themselves do not change once made. The first touch of
// a page costs its checksum (a third of a microsecond), later ones a bit test.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/endian.h"
#include "engine/crypto/small_hashes.h"

namespace headrace {

inline constexpr uint64_t kPageBytes = 4096;

constexpr uint64_t RoundUpToPage(uint64_t bytes) { return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes; }

class PageChecksums {
 public:
  PageChecksums() = default;
  // Sums the pages of `body`, whose size is a multiple of a page.
  static PageChecksums Of(ByteSpan body) {
    PageChecksums checksums(body.size() / kPageBytes);
    for (size_t page = 0; page < checksums.sums_.size(); ++page) {
      checksums.sums_[page] = Crc32c(body.subspan(page * kPageBytes, kPageBytes));
    }
    return checksums;
  }
  // Takes sums as a file holds them: four bytes a page.
  static PageChecksums Load(ByteSpan sums) {
    PageChecksums checksums(sums.size() / 4);
    for (size_t page = 0; page < checksums.sums_.size(); ++page) checksums.sums_[page] = LoadLittle32(&sums[page * 4]);
    return checksums;
  }

  ByteSpan bytes() const { return {reinterpret_cast<const uint8_t*>(sums_.data()), sums_.size() * 4}; }
  // What the manifest holds: the sum of the sums.
  uint32_t total() const { return Crc32c(bytes()); }
  size_t page_count() const { return sums_.size(); }

  // Whether the page's 4096 bytes, wherever they are, are what was summed.
  bool Matches(size_t page, const uint8_t* bytes) const {
    return page < sums_.size() && Crc32c({bytes, kPageBytes}) == sums_[page];
  }
  bool PageIsGood(const uint8_t* body, size_t page) const { return Matches(page, body + page * kPageBytes); }
  // Whether the pages that [begin, end) touches match their sums.
  bool PageRangeIsGood(const uint8_t* body, uint64_t begin, uint64_t end) const {
    for (size_t page = begin / kPageBytes; page * kPageBytes < end; ++page) {
      if (page >= sums_.size()) return false;
      std::atomic<uint64_t>& word = good_[page / 64];
      const uint64_t bit = uint64_t{1} << (page % 64);
      // Relaxed: the bit says something about memory that never changes; it orders nothing.
      if ((word.load(std::memory_order_relaxed) & bit) != 0) continue;
      if (!PageIsGood(body, page)) return false;
      word.fetch_or(bit, std::memory_order_relaxed);
    }
    return true;
  }

 private:
  explicit PageChecksums(size_t pages) : sums_(pages), good_(std::make_unique<std::atomic<uint64_t>[]>((pages + 63) / 64)) {}

  std::vector<uint32_t> sums_;
  std::unique_ptr<std::atomic<uint64_t>[]> good_;
};

}  // namespace headrace
