// How far the node is, for whoever watches: a bar that redraws itself on a terminal, or one log line every few seconds
// (`progress height=... percent=... mb_s=... tx_s=... inputs_s=... coins=... memory_mb=... eta_s=... waiting_on=... busy=...`).
// `busy` says how many cores each stage kept busy, and names the busiest first: what limits stands there.
//
// Rates are over the last ten seconds, the time left over the last minute. One thread; Update costs a few microseconds
// and may be called as often as snapshots are taken.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "engine/node/node_status.h"
#include "storage/blocks/flat_block_store.h"

namespace headrace {

std::string_view WaitReasonName(WaitReason reason);

struct ProgressRates {
  double megabytes_per_second = 0;
  double transactions_per_second = 0;
  double inputs_per_second = 0;
  std::array<double, kSpanKindCount> cores_busy{};  // by stage, over the same time
  std::optional<int64_t> seconds_left;  // unknown while nothing moves; 0 at the tip
};

// Turns snapshots into rates.
class RateWindow {
 public:
  void Add(const NodeStatus& status, int64_t now_ns);
  ProgressRates Rates() const;

 private:
  static constexpr int64_t kRateWindowNs = 10'000'000'000;
  static constexpr int64_t kTimeLeftWindowNs = 60'000'000'000;

  struct Sample {
    int64_t ns;
    uint64_t block_bytes;
    uint64_t transactions;
    uint64_t inputs;
    double progress;
    SpanTotals span_ns;
  };
  std::deque<Sample> samples_;  // oldest first; at most one for each 100 ms of the longer window
  bool is_at_tip_ = false;
};

class ProgressReporter {
 public:
  // `terminal` is where the bar is drawn; nullptr: log lines instead.
  explicit ProgressReporter(std::FILE* terminal) : terminal_(terminal) {}

  void Update(const NodeStatus& status, uint64_t resident_bytes, int64_t now_ns);
  // Before the node runs: how far the search through the block files is.
  void UpdateScan(const BlockScanProgress& scan, int64_t now_ns);
  // Reports the last snapshot whatever the time, and leaves the cursor on a fresh line. Before anything else is printed.
  void Finish(const NodeStatus& status, uint64_t resident_bytes, int64_t now_ns);

  // `seconds` since the search began.
  static std::string ScanLine(const BlockScanProgress& scan, double seconds);
  static std::string LogLine(const NodeStatus& status, const ProgressRates& rates, uint64_t resident_bytes);
  // At most `columns` characters, without control characters.
  static std::string BarLine(const NodeStatus& status, const ProgressRates& rates, uint64_t resident_bytes, size_t columns);

 private:
  static constexpr int64_t kLogIntervalNs = 5'000'000'000;
  static constexpr int64_t kQuietLogIntervalNs = 600'000'000'000;  // nothing new
  static constexpr int64_t kDrawIntervalNs = 200'000'000;

  void Draw(const NodeStatus& status, uint64_t resident_bytes);
  void Log(const NodeStatus& status, uint64_t resident_bytes);

  std::FILE* const terminal_;
  RateWindow window_;
  std::optional<int64_t> scan_began_ns_;
  std::optional<int64_t> reported_ns_;
  uint32_t reported_height_ = 0;
};

}  // namespace headrace
