// Keeps the log's lines while it lives: reject reasons are part of what an operator sees, and some events are seen
// nowhere else. Any thread.
#pragma once

#include <algorithm>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "engine/base/log.h"

namespace headrace::testing {

class CapturedLog : public LogSink {
 public:
  // `on_line` is called with each line, one at a time.
  explicit CapturedLog(std::function<void(std::string_view)> on_line = nullptr) : on_line_(std::move(on_line)) {
    SetLogSink(this);
  }
  ~CapturedLog() override { SetLogSink(nullptr); }
  void Write(LogLevel, LogCategory, std::string_view line) override {
    const std::lock_guard lock(mutex_);
    lines_ += std::string(line) + "\n";
    if (on_line_) on_line_(line);
  }
  // The last lines, as many as fit into `bytes`.
  std::string Tail(size_t bytes) {
    const std::lock_guard lock(mutex_);
    return lines_.substr(lines_.size() - std::min(lines_.size(), bytes));
  }
  bool Has(const std::string& text) {
    const std::lock_guard lock(mutex_);
    return lines_.find(text) != std::string::npos;
  }

 private:
  std::mutex mutex_;
  std::function<void(std::string_view)> on_line_;
  std::string lines_;
};

}  // namespace headrace::testing
