// A stretch of reserved address space for one image of a file, taken from those that earlier files gave back: a
// simulated disk makes and removes files all the time, and the kernel's work for fresh pages would be half of all that
// a world costs. One thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "storage/coins/anonymous_memory.h"

namespace headrace::sim {

class SimRegion {
 public:
  // Of address space; the worlds' files are far smaller.
  static constexpr uint64_t kBytes = uint64_t{80} << 20;

  SimRegion() {
    if (Free().empty()) {
      memory_ = AnonymousMemory(kBytes);
    } else {
      memory_ = std::move(Free().back());
      Free().pop_back();
    }
  }
  SimRegion(const SimRegion&) = delete;
  SimRegion& operator=(const SimRegion&) = delete;
  ~SimRegion() {
    constexpr size_t kFreeMax = 256;
    constexpr uint64_t kWorthKeeping = uint64_t{8} << 20;
    if (touched_ > kWorthKeeping || Free().size() >= kFreeMax) return;
    std::memset(memory_.data(), 0, touched_);
    Free().push_back(std::move(memory_));
  }

  uint8_t* data() { return memory_.data(); }
  const uint8_t* data() const { return memory_.data(); }
  // Bytes before `end` may be other than zero; whoever writes says so.
  void Touch(uint64_t end) { touched_ = std::max(touched_, end); }

 private:
  static std::vector<AnonymousMemory>& Free() {
    static std::vector<AnonymousMemory> free;
    return free;
  }

  AnonymousMemory memory_;
  uint64_t touched_ = 0;
};

}  // namespace headrace::sim
