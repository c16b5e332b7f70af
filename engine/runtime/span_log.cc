#include "engine/runtime/span_log.h"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace headrace {
namespace {

constexpr size_t kChunkSpans = 4096;

std::atomic<uint64_t> g_next_serial{1};

// The lane that this thread used last, and whose it is.
struct OwnedLane {
  uint64_t serial = 0;
  void* lane = nullptr;
};
thread_local OwnedLane t_lane;

std::string NameOfThisThread() {
  char name[16] = {};
  return pthread_getname_np(pthread_self(), name, sizeof(name)) == 0 ? name : "";
}

// Thread names are the program's own; what JSON would stumble over is left out all the same.
std::string JsonText(const std::string& text) {
  std::string clean;
  for (const char c : text) {
    if (c >= ' ' && c != '"' && c != '\\' && c != '\x7f') clean += c;
  }
  return clean;
}

}  // namespace

struct SpanLog::Lane {
  struct RecordedSpan {
    int64_t begin_ns;
    int64_t end_ns;
    SpanKind kind;
  };
  static_assert(sizeof(RecordedSpan) == 24);
  using Chunk = std::array<RecordedSpan, kChunkSpans>;

  explicit Lane(size_t chunks_max) : thread(NameOfThisThread()), chunks(chunks_max) {}

  const std::string thread;
  // Written by the lane's thread alone. Release, and acquire by readers: a counted span is a written one.
  std::atomic<size_t> count{0};
  std::vector<std::unique_ptr<Chunk>> chunks;  // places are fixed; filled before `count` reaches them
  std::atomic<uint64_t> dropped{0};
  // Relaxed: each is a number of its own.
  struct Lengths {
    std::atomic<uint64_t> total_ns{0};
    std::atomic<uint64_t> longest_ns{0};
    std::array<std::atomic<uint64_t>, SpanLengths::kBoundsMs.size() + 1> count{};
  };
  std::array<Lengths, kSpanKindCount> lengths{};
};

SpanLog::SpanLog(size_t spans_max)
    : serial_(g_next_serial.fetch_add(1, std::memory_order_relaxed)),
      chunks_max_((spans_max + kChunkSpans - 1) / kChunkSpans),
      origin_ns_(NowNs()) {}

SpanLog::~SpanLog() = default;

int64_t SpanLog::NowNs() const {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

SpanLog::Lane& SpanLog::OwnLane() {
  if (t_lane.serial != serial_) {
    auto lane = std::make_unique<Lane>(chunks_max_);
    t_lane = {serial_, lane.get()};
    const std::lock_guard lock(lanes_mutex_);
    lanes_.push_back(std::move(lane));
  }
  return *static_cast<Lane*>(t_lane.lane);
}

void SpanLog::Record(SpanKind kind, int64_t begin_ns, int64_t end_ns) {
  Lane& lane = OwnLane();
  Lane::Lengths& lengths = lane.lengths[static_cast<size_t>(kind)];
  const auto length_ns = static_cast<uint64_t>(end_ns - begin_ns);
  // One writer: no read-modify-write.
  const auto add = [](std::atomic<uint64_t>& number, uint64_t more) {
    number.store(number.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  };
  add(lengths.total_ns, length_ns);
  add(lengths.count[SpanLengths::ClassOf(length_ns)], 1);
  if (length_ns > lengths.longest_ns.load(std::memory_order_relaxed)) {
    lengths.longest_ns.store(length_ns, std::memory_order_relaxed);
  }
  if (chunks_max_ == 0) return;
  const size_t index = lane.count.load(std::memory_order_relaxed);
  if (index == chunks_max_ * kChunkSpans) {
    lane.dropped.store(lane.dropped.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    return;
  }
  std::unique_ptr<Lane::Chunk>& chunk = lane.chunks[index / kChunkSpans];
  if (chunk == nullptr) chunk = std::make_unique_for_overwrite<Lane::Chunk>();
  (*chunk)[index % kChunkSpans] = {begin_ns, end_ns, kind};
  lane.count.store(index + 1, std::memory_order_release);
}

SpanTotals SpanLog::Totals() const {
  SpanTotals totals{};
  const std::lock_guard lock(lanes_mutex_);
  for (const auto& lane : lanes_) {
    for (size_t kind = 0; kind < kSpanKindCount; ++kind)
      totals[kind] += lane->lengths[kind].total_ns.load(std::memory_order_relaxed);
  }
  return totals;
}

SpanLengthsByKind SpanLog::Lengths() const {
  SpanLengthsByKind all;
  const std::lock_guard lock(lanes_mutex_);
  for (const auto& lane : lanes_) {
    for (size_t kind = 0; kind < kSpanKindCount; ++kind) {
      const Lane::Lengths& own = lane->lengths[kind];
      all[kind].longest_ns = std::max(all[kind].longest_ns, own.longest_ns.load(std::memory_order_relaxed));
      for (size_t at = 0; at < own.count.size(); ++at) {
        all[kind].count[at] += own.count[at].load(std::memory_order_relaxed);
      }
    }
  }
  return all;
}

uint64_t SpanLog::dropped() const {
  uint64_t dropped = 0;
  const std::lock_guard lock(lanes_mutex_);
  for (const auto& lane : lanes_) dropped += lane->dropped.load(std::memory_order_relaxed);
  return dropped;
}

std::string SpanLog::ToTrace() const {
  std::string text =
      absl::StrCat("{\"displayTimeUnit\":\"ms\",\"otherData\":{\"spans_dropped\":", dropped(), "},\"traceEvents\":[");
  const std::lock_guard lock(lanes_mutex_);
  const char* separator = "\n";
  for (size_t number = 0; number < lanes_.size(); ++number) {
    const Lane& lane = *lanes_[number];
    absl::StrAppend(&text, separator, "{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":1,\"tid\":", number + 1,
                    ",\"args\":{\"name\":\"", JsonText(lane.thread), "\"}}");
    separator = ",\n";
    const size_t count = lane.count.load(std::memory_order_acquire);
    for (size_t index = 0; index < count; ++index) {
      const Lane::RecordedSpan& span = (*lane.chunks[index / kChunkSpans])[index % kChunkSpans];
      absl::StrAppendFormat(&text, ",\n{\"name\":\"%s\",\"ph\":\"X\",\"pid\":1,\"tid\":%d,\"ts\":%.3f,\"dur\":%.3f}",
                            std::string(SpanKindName(span.kind)), number + 1,
                            static_cast<double>(span.begin_ns - origin_ns_) / 1e3,
                            static_cast<double>(span.end_ns - span.begin_ns) / 1e3);
    }
  }
  return text + "\n]}\n";
}

}  // namespace headrace
