// One file of a simulated disk: what is read now, and what would be left of it after a power failure.
//
// The live image is what reads and mappings see. It stands in one reserved stretch of memory, so that a mapping stays
// where it is and shows later writes, as one of a real file does. The durable image is what the medium holds. Between
// the two lie sectors that were written since the last sync, each of which the medium may or may not have by now, and
// the sizes that the file had meanwhile, of which it may have kept any.
//
// One thread. Costs two reservations of address space a file; memory as it is written.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/base/bytes.h"
#include "tests/sim/sim_entropy.h"
#include "tests/sim/sim_region.h"

namespace headrace::sim {

class SimFile {
 public:
  static constexpr uint64_t kSectorBytes = 512;
  static constexpr uint64_t kBytesMax = SimRegion::kBytes;

  uint64_t size() const { return size_; }
  ByteSpan live() const { return {live_.data(), size_}; }

  void Write(uint64_t offset, ByteSpan bytes);
  void Truncate(uint64_t size);
  // Everything is on the medium.
  void Sync();
  // The sync failed: the medium has some of it, and the system forgets that the rest was ever to be written.
  void FailSync(SimEntropy& entropy);
  // The system writes something back when it likes.
  void WriteBack(SimEntropy& entropy);

  // The file as the next start finds it after a power failure.
  std::shared_ptr<SimFile> Survivor(SimEntropy& entropy) const;
  // Changes a few bits on the medium and in what is read.
  void Rot(SimEntropy& entropy);

 private:
  void MarkDirty(uint64_t begin, uint64_t end);
  bool IsDirty(uint64_t sector) const {
    return sector / 64 < dirty_.size() && (dirty_[sector / 64] >> (sector % 64) & 1) != 0;
  }
  void CopyToMedium(uint64_t sector);
  template <typename Visit>
  void ForEachDirty(Visit&& visit) const;

  SimRegion live_;
  SimRegion durable_;
  uint64_t size_ = 0;
  // Nothing was ever written from here on: zeros that need no work.
  uint64_t written_end_ = 0;
  // What the size was since the last sync, the durable one first.
  std::vector<uint64_t> sizes_{0};
  std::vector<uint64_t> dirty_;  // a bit a sector
};

}  // namespace headrace::sim
