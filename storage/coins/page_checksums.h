// CRC-32C of every 4 KiB page of a file's body, and which pages were found good already.
//
// Threads: any number may check pages at once. Sums may be replaced under threads that call PageRangeMatches alone, whose answer
// then means nothing: they find out by themselves. The first touch of a page costs its checksum (a third of a microsecond),
// later ones a bit test.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/check.h"
#include "engine/base/endian.h"
#include "engine/crypto/small_hashes.h"

namespace headrace {

inline constexpr uint64_t kPageBytes = 4096;

constexpr uint64_t RoundUpToPage(uint64_t bytes) { return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes; }

class PageChecksums {
 public:
  PageChecksums() = default;
  // Room for so many pages, and sums of none.
  explicit PageChecksums(size_t pages_max)
      : sums_(pages_max), good_(std::make_unique<std::atomic<uint64_t>[]>((pages_max + 63) / 64)) {}

  // Of the pages of `body`, whose size is a multiple of a page.
  static PageChecksums Of(ByteSpan body) {
    PageChecksums checksums(body.size() / kPageBytes);
    checksums.SumMorePages(body);
    return checksums;
  }
  // As a file holds them: four bytes a page.
  static PageChecksums Load(ByteSpan sums) {
    PageChecksums checksums(sums.size() / 4);
    checksums.LoadSums(sums);
    return checksums;
  }

  // These replace the sums, within the room there is; no page counts as good any more.
  void Clear() {
    Replace(0, [](size_t) { return 0; });
  }
  // Of the pages behind those that have sums.
  void SumMorePages(ByteSpan pages) {
    HR_CHECK(page_count_ + pages.size() / kPageBytes <= sums_.size());
    for (size_t at = 0; at < pages.size(); at += kPageBytes, ++page_count_) {
      std::atomic_ref(sums_[page_count_]).store(Crc32c(pages.subspan(at, kPageBytes)), std::memory_order_relaxed);
    }
  }
  void LoadSums(ByteSpan sums) {
    Replace(sums.size() / 4, [&](size_t page) { return LoadLittle32(&sums[page * 4]); });
  }

  ByteSpan bytes() const { return {reinterpret_cast<const uint8_t*>(sums_.data()), page_count_ * 4}; }
  // What the manifest holds: the sum of the sums.
  uint32_t total() const { return Crc32c(bytes()); }
  size_t page_count() const { return page_count_; }
  size_t room() const { return sums_.size(); }

  // Whether the page's 4096 bytes, wherever they are, are what was summed.
  bool Matches(size_t page, const uint8_t* bytes) const {
    return page < sums_.size() && Crc32c({bytes, kPageBytes}) == SumOf(page);
  }
  bool PageIsGood(const uint8_t* body, size_t page) const { return Matches(page, body + page * kPageBytes); }
  // Whether the pages that [begin, end) touches match their sums; those that do are remembered.
  bool PageRangeIsGood(const uint8_t* body, uint64_t begin, uint64_t end) const {
    return CheckPages(body, begin, end, [](std::atomic<uint64_t>& word, uint64_t bit) {
      word.fetch_or(bit, std::memory_order_relaxed);
    });
  }
  // The same, and nothing is remembered.
  bool PageRangeMatches(const uint8_t* body, uint64_t begin, uint64_t end) const {
    return CheckPages(body, begin, end, [](std::atomic<uint64_t>&, uint64_t) {});
  }

 private:
  uint32_t SumOf(size_t page) const {
    return std::atomic_ref(const_cast<uint32_t&>(sums_[page])).load(std::memory_order_relaxed);
  }
  template <typename NewSum>
  void Replace(size_t page_count, NewSum&& sum) {
    HR_CHECK(page_count <= sums_.size());
    page_count_ = page_count;
    for (size_t word = 0; word * 64 < sums_.size(); ++word) good_[word].store(0, std::memory_order_relaxed);
    for (size_t page = 0; page < sums_.size(); ++page) {
      // No page of zeros, which is what stands behind the last, has this sum.
      std::atomic_ref(sums_[page]).store(page < page_count ? sum(page) : 0, std::memory_order_relaxed);
    }
  }
  template <typename WhenGood>
  bool CheckPages(const uint8_t* body, uint64_t begin, uint64_t end, WhenGood&& when_good) const {
    for (size_t page = begin / kPageBytes; page * kPageBytes < end; ++page) {
      if (page >= sums_.size()) return false;
      std::atomic<uint64_t>& word = good_[page / 64];
      const uint64_t bit = uint64_t{1} << (page % 64);
      // Relaxed: the bit says something about memory that does not change; it orders nothing.
      if ((word.load(std::memory_order_relaxed) & bit) != 0) continue;
      if (!PageIsGood(body, page)) return false;
      when_good(word, bit);
    }
    return true;
  }

  std::vector<uint32_t> sums_;
  std::unique_ptr<std::atomic<uint64_t>[]> good_;
  size_t page_count_ = 0;
};

}  // namespace headrace
