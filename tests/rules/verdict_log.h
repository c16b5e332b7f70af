// What a node said about the blocks and headers that it refused: its log, which is what an operator sees. Any thread
// writes; the test reads between turns.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "engine/base/log.h"
#include "engine/primitives/hash256.h"

namespace headrace::testing {

struct LoggedVerdict {
  std::string reason;
  std::string stage;  // "header", "parse", "check", "resolve", "verify"
  uint32_t transaction = 0;
  uint32_t input = 0;
};

// The sink of the whole program while it lives: one at a time.
class VerdictLog : public LogSink {
 public:
  VerdictLog() { SetLogSink(this); }
  ~VerdictLog() override { SetLogSink(nullptr); }
  VerdictLog(const VerdictLog&) = delete;
  VerdictLog& operator=(const VerdictLog&) = delete;

  void Write(LogLevel level, LogCategory category, std::string_view line) override;
  // The last verdict on this hash since it was asked about.
  std::optional<LoggedVerdict> Take(const Hash256& hash);

 private:
  std::mutex mutex_;
  std::map<std::string, LoggedVerdict> by_hash_;
};

}  // namespace headrace::testing
