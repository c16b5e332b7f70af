// What happened in a world, as one number: two runs of one seed must have the same. With `verbose` every event is also
// a line. One thread.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "engine/crypto/small_hashes.h"
#include "tests/sim/sim_clock.h"

namespace headrace::sim {

class Trace {
 public:
  Trace(SimClock& clock, bool is_verbose) : clock_(clock), is_verbose_(is_verbose) {}

  template <typename... Parts>
  void Add(const Parts&... parts) {
    AddLine(absl::StrCat(parts...));
  }

  uint64_t hash() const { return hash_; }
  uint64_t count() const { return count_; }
  bool is_verbose() const { return is_verbose_; }

 private:
  void AddLine(std::string_view line) {
    ++count_;
    const ByteSpan bytes(reinterpret_cast<const uint8_t*>(line.data()), line.size());
    hash_ = SipHash13(hash_, static_cast<uint64_t>(clock_.now_ns()), bytes);
    if (!is_verbose_) return;
    std::printf("%12.6f %.*s\n", static_cast<double>(clock_.now_ns()) / kNsPerSecond, static_cast<int>(line.size()),
                line.data());
  }

  SimClock& clock_;
  const bool is_verbose_;
  uint64_t hash_ = 0;
  uint64_t count_ = 0;
};

}  // namespace headrace::sim
