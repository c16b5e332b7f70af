#include "storage/coins/cold_read_meter.h"

#include <algorithm>

#include "engine/base/span.h"

namespace headrace {

void ColdReadMeter::Advance() {
  const SpanRecorder* recorder = CurrentSpanRecorder();
  if (recorder == nullptr) return;
  const int64_t now_ns = recorder->NowNs();
  if (in_flight_ != 0) {
    const auto passed_ns = static_cast<uint64_t>(now_ns - changed_ns_);
    reads_.busy_ns += passed_ns;
    reads_.waited_ns += in_flight_ * passed_ns;
  }
  changed_ns_ = now_ns;
}

void ColdReadMeter::Begin(uint64_t reads, uint64_t pages) {
  const std::lock_guard lock(mutex_);
  Advance();
  in_flight_ += reads;
  reads_.reads += reads;
  reads_.pages += pages;
  reads_.in_flight_max = std::max(reads_.in_flight_max, in_flight_);
}

void ColdReadMeter::End(uint64_t reads) {
  const std::lock_guard lock(mutex_);
  Advance();
  in_flight_ -= reads;
}

CoinColdReads ColdReadMeter::reads() const {
  const std::lock_guard lock(mutex_);
  return reads_;
}

}  // namespace headrace
