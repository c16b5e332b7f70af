// Where time goes: a span is one piece of work on one thread, from its beginning to its end. Stages open one a batch (a
// block, a range of shards, a batch of scripts), never one a coin.
//
// A span is wall time on its thread: while more threads run than there are processors, it holds the waiting for one.
// Spans nest: kResolve holds the engine thread's part of all that resolving a window does, kParse is the whole of
// parsing, and so on; those marked "inside" are parts of another.
//
// Any thread. The recorder is set once, by the program, before threads start; without one a span costs the load of a
// pointer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace headrace {

enum class SpanKind : uint8_t {
  kParse,        // columns out of bytes, and every transaction's hashes
  kCheck,        // the rules that need no coins
  kImport,       // taking blocks of -loadblock over: decoding and copying them
  kReadAhead,    // finding blocks in the block files
  kLocate,       // asking the store which pages the next blocks need
  kResolve,      // a window: coins, spends and the rules about them, on the engine thread
  kResolveBesideCheckpoint,  // the same, again: those of them while a checkpoint was under way
  kPartition,    //   inside: creations and spends by shard
  kPlan,         //   inside: the shards looked up
  kFillSpent,    //   inside: spent coins copied to their blocks
  kExecute,      //   inside: the shards changed
  kMoveYoung,    //   inside: survivors moved out of young memory
  kCheckSpends,  //   inside: the rules that need the spent coins
  kVerify,       // scripts
  kApply,        // the undo record, the tip moved
  kCheckpoint,   // a step of one, compaction included
  kHeldUp,       // the same again: those that a window came after at once, and so may have waited for
  kCount,
};
constexpr size_t kSpanKindCount = static_cast<size_t>(SpanKind::kCount);

std::string_view SpanKindName(SpanKind kind);

// Nanoseconds by kind since the recorder was made, over all threads.
using SpanTotals = std::array<uint64_t, kSpanKindCount>;

// How long the spans of one kind were: how many took at most so many milliseconds and longer than the bound before, those
// beyond the last bound behind them, and the longest.
struct SpanLengths {
  static constexpr std::array<uint32_t, 10> kBoundsMs = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};

  std::array<uint64_t, kBoundsMs.size() + 1> count{};
  uint64_t longest_ns = 0;

  // Where in `count` a span of this length belongs.
  static constexpr size_t ClassOf(uint64_t ns) {
    size_t at = 0;
    while (at < kBoundsMs.size() && ns > uint64_t{kBoundsMs[at]} * 1'000'000) ++at;
    return at;
  }
};
using SpanLengthsByKind = std::array<SpanLengths, kSpanKindCount>;

class SpanRecorder {
 public:
  virtual ~SpanRecorder() = default;
  // Monotonic.
  virtual int64_t NowNs() const = 0;
  virtual void Record(SpanKind kind, int64_t begin_ns, int64_t end_ns) = 0;
  virtual SpanTotals Totals() const = 0;
  virtual SpanLengthsByKind Lengths() const = 0;
};

// `recorder` must outlive every span; nullptr: nobody records.
void SetSpanRecorder(SpanRecorder* recorder);
SpanRecorder* CurrentSpanRecorder();

class Span {
 public:
  // Its length is added to `*sum_ns`, if there is one.
  explicit Span(SpanKind kind, int64_t* sum_ns = nullptr) : recorder_(CurrentSpanRecorder()), kind_(kind), sum_ns_(sum_ns) {
    if (recorder_ != nullptr) begin_ns_ = recorder_->NowNs();
  }
  ~Span() {
    if (recorder_ == nullptr) return;
    const int64_t end_ns = recorder_->NowNs();
    recorder_->Record(kind_, begin_ns_, end_ns);
    if (sum_ns_ != nullptr) *sum_ns_ += end_ns - begin_ns_;
  }
  Span(const Span&) = delete;
  Span& operator=(const Span&) = delete;

 private:
  SpanRecorder* const recorder_;
  const SpanKind kind_;
  int64_t* const sum_ns_;
  int64_t begin_ns_ = 0;
};

}  // namespace headrace
