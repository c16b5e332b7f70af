// Where log events go: debug.log in the network's data directory and, on request, the standard output; as text or as one
// JSON object a line. Control characters are escaped, because a peer chooses some of the words.
//
// Write is called from any thread; RequestReopen from a signal handler too. A failing disk never stops the node from
// here: spdlog reports it on stderr, at most once a second.
#pragma once

#include <array>
#include <atomic>
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

class DaemonLogSink final : public LogSink {
 public:
  // Appends to `path`, whose directory exists. `to_console`: standard output too.
  static absl::StatusOr<std::unique_ptr<DaemonLogSink>> Open(const std::string& path, LogFormat format, bool to_console);
  ~DaemonLogSink() override;

  void Write(LogLevel level, LogCategory category, std::string_view line) override;

  // The next line goes to a file opened anew under the same name: log rotation moves the old one away and sends SIGHUP.
  void RequestReopen() noexcept { reopen_requested_->store(true, std::memory_order_relaxed); }

  void Flush();

 private:
  DaemonLogSink() = default;

  static constexpr size_t kCategories = static_cast<size_t>(LogCategory::kCount);
  std::array<std::shared_ptr<spdlog::logger>, kCategories> loggers_;  // one per category, over the same sinks
  // Relaxed: the flag carries no data, and any later line may be the one that acts on it.
  std::shared_ptr<std::atomic<bool>> reopen_requested_ = std::make_shared<std::atomic<bool>>(false);
};
static_assert(std::atomic<bool>::is_always_lock_free, "RequestReopen is called from signal handlers");

// Bytes below space and 0x7f as \xNN; what is one line stays one line.
std::string EscapeControls(std::string_view line);

}  // namespace headrace
