#include "tests/sim/sim_file.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "engine/base/check.h"

namespace headrace::sim {

void SimFile::MarkDirty(uint64_t begin, uint64_t end) {
  if (begin >= end) return;
  const uint64_t last = (end - 1) / kSectorBytes;
  if (last / 64 >= dirty_.size()) dirty_.resize(last / 64 + 1);
  for (uint64_t sector = begin / kSectorBytes; sector <= last; ++sector)
    dirty_[sector / 64] |= uint64_t{1} << (sector % 64);
}

template <typename Visit>
void SimFile::ForEachDirty(Visit&& visit) const {
  for (size_t word = 0; word < dirty_.size(); ++word) {
    for (uint64_t bits = dirty_[word]; bits != 0; bits &= bits - 1) {
      visit(word * 64 + static_cast<uint64_t>(std::countr_zero(bits)));
    }
  }
}

void SimFile::CopyToMedium(uint64_t sector) {
  durable_.Touch((sector + 1) * kSectorBytes);
  std::memcpy(durable_.data() + sector * kSectorBytes, live_.data() + sector * kSectorBytes, kSectorBytes);
}

void SimFile::Write(uint64_t offset, ByteSpan bytes) {
  HR_CHECK(offset + bytes.size() <= kBytesMax);
  std::memcpy(live_.data() + offset, bytes.data(), bytes.size());
  MarkDirty(offset, offset + bytes.size());
  written_end_ = std::max(written_end_, offset + bytes.size());
  live_.Touch(written_end_);
  if (offset + bytes.size() > size_) {
    size_ = offset + bytes.size();
    sizes_.push_back(size_);
  }
}

void SimFile::Truncate(uint64_t size) {
  HR_CHECK(size <= kBytesMax);
  if (size == size_) return;
  if (size < size_) {
    // What is cut off reads as zeros if the file grows again; until then the medium may show the old bytes.
    const uint64_t end = std::min(size_, written_end_);
    if (size < end) std::memset(live_.data() + size, 0, end - size);
    MarkDirty(size, end);
  }
  size_ = size;
  sizes_.push_back(size_);
}

void SimFile::Sync() {
  ForEachDirty([this](uint64_t sector) { CopyToMedium(sector); });
  std::fill(dirty_.begin(), dirty_.end(), 0);
  sizes_ = {size_};
}

void SimFile::FailSync(SimEntropy& entropy) {
  ForEachDirty([&](uint64_t sector) {
    if (entropy.OneIn(2)) CopyToMedium(sector);
  });
  // Those that did not get there stay different from what is read, and no later sync writes them.
  std::fill(dirty_.begin(), dirty_.end(), 0);
}

void SimFile::WriteBack(SimEntropy& entropy) {
  const uint64_t share = entropy.Between(2, 8);
  ForEachDirty([&](uint64_t sector) {
    if (!entropy.OneIn(share)) return;
    CopyToMedium(sector);
    dirty_[sector / 64] &= ~(uint64_t{1} << (sector % 64));
  });
  if (entropy.OneIn(4)) sizes_ = {size_};
}

std::shared_ptr<SimFile> SimFile::Survivor(SimEntropy& entropy) const {
  auto left = std::make_shared<SimFile>();
  left->size_ = sizes_[entropy.Below(sizes_.size())];
  left->sizes_ = {left->size_};
  left->written_end_ = std::min(left->size_, written_end_);
  left->live_.Touch(left->written_end_);
  left->durable_.Touch(left->written_end_);
  std::memcpy(left->live_.data(), durable_.data(), left->written_end_);
  // From nearly nothing to nearly everything: each file has its own luck.
  const uint64_t luck = entropy.Below(5);
  ForEachDirty([&](uint64_t sector) {
    if (entropy.Below(4) >= luck) return;
    const uint64_t begin = sector * kSectorBytes;
    if (begin >= left->written_end_) return;
    const uint64_t bytes = std::min(kSectorBytes, left->written_end_ - begin);
    std::memcpy(left->live_.data() + begin, live_.data() + begin, bytes);
  });
  std::memcpy(left->durable_.data(), left->live_.data(), left->written_end_);
  return left;
}

void SimFile::Rot(SimEntropy& entropy) {
  if (size_ == 0) return;
  const uint64_t begin = entropy.Below(size_);
  const uint64_t flips = entropy.Between(1, 8);
  for (uint64_t i = 0; i < flips; ++i) {
    const uint64_t at = std::min(size_ - 1, begin + entropy.Below(kSectorBytes));
    const auto mask = static_cast<uint8_t>(1u << entropy.Below(8));
    live_.data()[at] ^= mask;
    durable_.data()[at] ^= mask;
  }
}

}  // namespace headrace::sim
