#include "tools/headraced/log_sink.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <spdlog/formatter.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <nlohmann/json.hpp>
#include <vector>

#include "storage/file/file_error.h"
#include "tools/config/text.h"

namespace headrace {
namespace {

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return spdlog::level::debug;
    case LogLevel::kInfo: return spdlog::level::info;
    case LogLevel::kWarning: return spdlog::level::warn;
    case LogLevel::kError: return spdlog::level::err;
  }
  return spdlog::level::err;
}

int OpenForAppending(const std::string& path) { return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644); }

}  // namespace

// The log file: a line is handed to the kernel at once, because what happened just before a crash is what one wants to read.
class LogFileSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  LogFileSink(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  ~LogFileSink() override { ::close(descriptor_); }

  // Relaxed: the flag carries no data, and any later line may be the one that acts on it.
  void RequestReopen() noexcept { reopen_requested_.store(true, std::memory_order_relaxed); }

  absl::Status failure() {
    const std::lock_guard lock(mutex_);
    return failure_;
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (reopen_requested_.exchange(false, std::memory_order_relaxed)) Reopen(message);
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    Append({line.data(), line.size()});
  }
  void flush_() override {}

 private:
  // Between two lines. Where no new file can be had, the old one goes on: a rotation that fails loses nothing.
  void Reopen(const spdlog::details::log_msg& occasion) {
    const int opened = OpenForAppending(path_);
    if (opened >= 0) {
      ::close(descriptor_);
      descriptor_ = opened;
      return;
    }
    const absl::Status status = FileError("open", path_, errno);
    const std::string sentence = Concat("the log goes on in the old file: ", std::string(status.message()));
    spdlog::details::log_msg warning(occasion.time, {}, LogCategoryName(LogCategory::kNode).data(), spdlog::level::warn, sentence);
    spdlog::memory_buf_t line;
    formatter_->format(warning, line);
    Append({line.data(), line.size()});
  }

  void Append(std::string_view text) {
    // A full disk has no room for the rest of the story either; the first failure is the one to report.
    while (failure_.ok() && !text.empty()) {
      const ssize_t written = ::write(descriptor_, text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) {
        failure_ = FileError("write", path_, written < 0 ? errno : EIO);
        return;
      }
      text.remove_prefix(static_cast<size_t>(written));
    }
  }

  const std::string path_;
  int descriptor_;
  absl::Status failure_;
  std::atomic<bool> reopen_requested_{false};
  static_assert(std::atomic<bool>::is_always_lock_free, "RequestReopen is called from signal handlers");
};

namespace {

// {"time":"...Z","level":"info","category":"net","message":"..."}
class JsonFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& to) override {
    const auto since_1970 = message.time.time_since_epoch();
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(since_1970).count();
    nlohmann::ordered_json object;
    object["time"] = fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(static_cast<std::time_t>(ms / 1000)), ms % 1000);
    const spdlog::string_view_t level = spdlog::level::to_string_view(message.level);
    object["level"] = std::string(level.data(), level.size());
    object["category"] = std::string(message.logger_name.data(), message.logger_name.size());
    object["message"] = std::string(message.payload.data(), message.payload.size());
    const std::string line = object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    to.append(line.data(), line.data() + line.size());
  }
  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<JsonFormatter>(); }
};

std::unique_ptr<spdlog::formatter> MakeFormatter(LogFormat format) {
  if (format == LogFormat::kJson) return std::make_unique<JsonFormatter>();
  return std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%eZ [%n:%l] %v", spdlog::pattern_time_type::utc);
}

}  // namespace

std::string EscapeControls(std::string_view line) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string escaped;
  escaped.reserve(line.size());
  for (const char character : line) {
    const uint8_t byte = static_cast<uint8_t>(character);
    if (byte >= 0x20 && byte != 0x7f) {
      escaped += character;
    } else {
      escaped += "\\x";
      escaped += kDigits[byte >> 4];
      escaped += kDigits[byte & 15];
    }
  }
  return escaped;
}

absl::StatusOr<std::unique_ptr<DaemonLogSink>> DaemonLogSink::Open(const std::string& path, LogFormat format,
                                                                   bool to_console) {
  const int descriptor = OpenForAppending(path);
  if (descriptor < 0) return FileError("open the log file", path, errno);
  std::unique_ptr<DaemonLogSink> sink(new DaemonLogSink);
  sink->file_ = std::make_shared<LogFileSink>(path, descriptor);
  std::vector<spdlog::sink_ptr> targets = {sink->file_};
  if (to_console) targets.push_back(std::make_shared<spdlog::sinks::stdout_sink_mt>());
  for (const spdlog::sink_ptr& target : targets) target->set_formatter(MakeFormatter(format));
  for (size_t i = 0; i < kCategories; ++i) {
    const std::string name(LogCategoryName(static_cast<LogCategory>(i)));
    sink->loggers_[i] = std::make_shared<spdlog::logger>(name, targets.begin(), targets.end());
    sink->loggers_[i]->set_level(spdlog::level::trace);  // what is off never arrives here
  }
  return sink;
}

DaemonLogSink::~DaemonLogSink() = default;

void DaemonLogSink::Write(LogLevel level, LogCategory category, std::string_view line) {
  const std::string escaped = EscapeControls(line);
  loggers_[static_cast<size_t>(category)]->log(ToSpdlog(level), spdlog::string_view_t(escaped.data(), escaped.size()));
}

void DaemonLogSink::RequestReopen() noexcept { file_->RequestReopen(); }

absl::Status DaemonLogSink::failure() const { return file_->failure(); }

void DaemonLogSink::Flush() {
  for (const auto& logger : loggers_) logger->flush();
}

}  // namespace headrace
