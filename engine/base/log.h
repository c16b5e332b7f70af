// Log events: one line each, `key=value` words. Any thread. The sink is set once, by the program, before threads start;
// without one (tests, libraries) events are dropped. Never called inside per-transaction loops.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace headrace {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarning, kError };

// `-debug=` names these; a category's debug lines are off unless it is asked for.
enum class LogCategory : uint8_t { kNode, kNet, kSync, kValidation, kCoins, kBlocks, kDisk, kRpc, kCount };

std::string_view LogCategoryName(LogCategory category);
std::string_view LogLevelName(LogLevel level);

class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual void Write(LogLevel level, LogCategory category, std::string_view line) = 0;
};

// `sink` must outlive every thread that logs; nullptr drops events.
void SetLogSink(LogSink* sink);
void EnableDebugCategory(LogCategory category);
bool LogIsOn(LogLevel level, LogCategory category);
void WriteLog(LogLevel level, LogCategory category, std::string_view line);

}  // namespace headrace

// HR_LOG(kInfo, kNet, "peer connected id=", id) builds its line only when somebody reads it.
#define HR_LOG(level, category, ...)                                                                 \
  do {                                                                                               \
    if (::headrace::LogIsOn(::headrace::LogLevel::level, ::headrace::LogCategory::category)) {       \
      ::headrace::WriteLog(::headrace::LogLevel::level, ::headrace::LogCategory::category,           \
                           ::absl::StrCat(__VA_ARGS__));                                             \
    }                                                                                                \
  } while (false)
