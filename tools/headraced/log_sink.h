// Where log events go: debug.log in the network's data directory and, on request, the standard output; as text or as one
// JSON object a line. Control characters are escaped, because a peer chooses some of the words.
//
// Write is called from any thread; RequestReopen from a signal handler too. A log that cannot be written fails nobody who logs:
// the first failure is kept, and whoever runs the node asks for it and stops, because an operator must not be left with a log that ends
// in the middle and a node that seems to be well.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "engine/base/log.h"
#include "tools/headraced/options.h"

namespace spdlog {
class logger;
}

namespace headrace {

class LogFileSink;

class DaemonLogSink final : public LogSink {
 public:
  // Appends to `path`, whose directory exists. `to_console`: standard output too.
  static absl::StatusOr<std::unique_ptr<DaemonLogSink>> Open(const std::string& path, LogFormat format, bool to_console);
  ~DaemonLogSink() override;

  void Write(LogLevel level, LogCategory category, std::string_view line) override;

  // The next line goes to a file opened anew under the same name: log rotation moves the old one away and sends SIGHUP.
  // When that fails, the old file goes on and says so.
  void RequestReopen() noexcept;
  // The first write to the file that failed, as a sentence; nothing was written since.
  absl::Status failure() const;

  void Flush();

 private:
  DaemonLogSink() = default;

  static constexpr size_t kCategories = static_cast<size_t>(LogCategory::kCount);
  std::array<std::shared_ptr<spdlog::logger>, kCategories> loggers_;  // one per category, over the same sinks
  std::shared_ptr<LogFileSink> file_;
};

// Bytes below space and 0x7f as \xNN; what is one line stays one line.
std::string EscapeControls(std::string_view line);

}  // namespace headrace
