// Cold reads: brings the pages of old segments that a block will ask for into memory before its window is applied,
// through the File port and at depth, so that no worker sits in a page fault while the disk could do a hundred reads at
// once.
//
// What is read goes nowhere: the system's page cache is the memory for what is hot, and it is there that the pages are
// wanted. A page that is gone again when its turn comes is a fault, slow and correct.
//
// Arithmetic. A block of mainnet spends some 5,000 coins; those that are old, a third perhaps, lie on as many pages.
// One fault after the other, at 100 us, that is 160 ms a block; at a depth of 64 it is the disk's own rate. Asking the
// system whether a page is there costs a fifth of a microsecond, which a set that fits into memory need not pay for
// every coin: as long as samples find everything in memory, only samples are asked about.
//
// Threads: the engine thread, which is also the only one that changes the index; the executor's workers probe it
// meanwhile.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "engine/ports/coin_store.h"
#include "storage/coins/coin_state.h"
#include "storage/coins/cold_read_meter.h"

namespace headrace {

class ColdReader {
 public:
  explicit ColdReader(CoinState* state);

  // See CoinStore::Locate.
  void Locate(std::span<const BlockColumns* const> blocks, std::span<CoinReadsRef> reads,
              const std::function<void()>& when_read);

  CoinColdReads reads() const { return meter_->reads(); }

 private:
  // Pages of old segments that are not in memory, by (segment id, page), ascending.
  using Pages = std::vector<uint64_t>;

  Pages MissingPages(const BlockColumns& block) const;
  bool IsSampleResident(const BlockColumns& block) const;
  CoinReadsRef Read(const Pages& pages, const std::function<void()>& when_read);

  CoinState* const state_;
  // Where the kernel puts what is read: nobody looks at it.
  std::shared_ptr<std::vector<uint8_t>> discard_;
  // So many more blocks are looked at coin by coin.
  uint32_t suspicious_blocks_ = 0;
  // Shared with reads under way, which may outlive this.
  const std::shared_ptr<ColdReadMeter> meter_;
};

}  // namespace headrace
