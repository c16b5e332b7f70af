// The recorder of production: totals and lengths by kind, always; and, when asked, every span, to be written as a trace that the
// standard viewers of Chrome's format open (chrome://tracing, ui.perfetto.dev).
//
// Each thread writes to a lane of its own, without locks: 24 bytes a span, in chunks that are never moved. A lane that
// is full keeps counting and drops further spans; the trace says how many. Totals and traces may be read by any thread
// meanwhile; a trace then holds what had ended.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/base/span.h"

namespace headrace {

class SpanLog : public SpanRecorder {
 public:
  // `spans_max` of each thread are kept; 0: totals alone.
  explicit SpanLog(size_t spans_max);
  ~SpanLog() override;

  int64_t NowNs() const override;
  void Record(SpanKind kind, int64_t begin_ns, int64_t end_ns) override;
  SpanTotals Totals() const override;
  SpanLengthsByKind Lengths() const override;

  // The spans as JSON text (the "Trace Event Format": complete events, microseconds since the log was made).
  std::string ToTrace() const;
  uint64_t dropped() const;

 private:
  struct Lane;

  Lane& OwnLane();

  // Told apart by a number that no other log of the process ever has, so that a thread never takes another's lane for
  // its own.
  const uint64_t serial_;
  const size_t chunks_max_;
  const int64_t origin_ns_;
  mutable std::mutex lanes_mutex_;
  std::vector<std::unique_ptr<Lane>> lanes_;
};

}  // namespace headrace
