#include "engine/base/log.h"

#include <atomic>

namespace headrace {
namespace {

// Set before threads start and read by all of them; relaxed is enough for a flag that nothing else hangs on, the sink
// itself is published with release and read with acquire.
std::atomic<LogSink*> g_sink{nullptr};
std::atomic<uint32_t> g_debug_categories{0};

uint32_t Bit(LogCategory category) { return uint32_t{1} << static_cast<uint32_t>(category); }

}  // namespace

std::string_view LogCategoryName(LogCategory category) {
  static constexpr std::string_view kNames[] = {"node", "net", "sync", "validation", "coins", "blocks", "disk", "rpc"};
  static_assert(std::size(kNames) == static_cast<size_t>(LogCategory::kCount));
  return kNames[static_cast<size_t>(category)];
}

std::string_view LogLevelName(LogLevel level) {
  static constexpr std::string_view kNames[] = {"debug", "info", "warning", "error"};
  return kNames[static_cast<size_t>(level)];
}

void SetLogSink(LogSink* sink) { g_sink.store(sink, std::memory_order_release); }

void EnableDebugCategory(LogCategory category) { g_debug_categories.fetch_or(Bit(category), std::memory_order_relaxed); }

bool LogIsOn(LogLevel level, LogCategory category) {
  if (g_sink.load(std::memory_order_relaxed) == nullptr) return false;
  return level != LogLevel::kDebug || (g_debug_categories.load(std::memory_order_relaxed) & Bit(category)) != 0;
}

void WriteLog(LogLevel level, LogCategory category, std::string_view line) {
  LogSink* sink = g_sink.load(std::memory_order_acquire);
  if (sink != nullptr) sink->Write(level, category, line);
}

}  // namespace headrace
