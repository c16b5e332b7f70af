// Where the nodes' log lines go: to the judge, and with `verbose` to the screen. One thread.
#pragma once

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "engine/base/log.h"
#include "tests/sim/judge.h"
#include "tests/sim/world.h"

namespace headrace::sim {

class NodeLog final : public LogSink {
 public:
  NodeLog(World& world, bool is_verbose) : world_(world), is_verbose_(is_verbose) { SetLogSink(this); }
  ~NodeLog() override { SetLogSink(nullptr); }

  void Write(LogLevel level, LogCategory category, std::string_view line) override {
    if (is_verbose_) {
      std::printf("%12.6f   [%d] %s %s: %.*s\n", static_cast<double>(world_.clock().now_ns()) / kNsPerSecond,
                  world_.current() == nullptr ? -1 : world_.current()->number(),
                  std::string(LogLevelName(level)).c_str(), std::string(LogCategoryName(category)).c_str(),
                  static_cast<int>(line.size()), line.data());
    }
    world_.judge().OnLogLine(line);
  }

 private:
  World& world_;
  const bool is_verbose_;
};

}  // namespace headrace::sim
