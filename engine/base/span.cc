#include "engine/base/span.h"

#include <atomic>
#include <iterator>

namespace headrace {
namespace {

// Published with release and read with acquire: whoever finds the recorder finds it whole.
std::atomic<SpanRecorder*> g_recorder{nullptr};

}  // namespace

std::string_view SpanKindName(SpanKind kind) {
  static constexpr std::string_view kNames[] = {
      "parse", "check",      "import",  "read_ahead", "locate",       "resolve", "resolve_beside_checkpoint", "partition",
      "plan",  "fill_spent", "execute", "move_young", "check_spends", "verify",  "apply",                     "checkpoint",
      "held_up"};
  static_assert(std::size(kNames) == kSpanKindCount);
  return kNames[static_cast<size_t>(kind)];
}

void SetSpanRecorder(SpanRecorder* recorder) { g_recorder.store(recorder, std::memory_order_release); }

SpanRecorder* CurrentSpanRecorder() { return g_recorder.load(std::memory_order_acquire); }

}  // namespace headrace
