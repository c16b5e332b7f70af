#include "tools/headraced/log_sink.h"

#include <fmt/chrono.h>
#include <spdlog/details/file_helper.h>
#include <spdlog/formatter.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <mutex>
#include <nlohmann/json.hpp>
#include <vector>

#include "tools/headraced/text.h"

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

// A file that is opened anew on request, between two lines.
class ReopeningFileSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  ReopeningFileSink(const std::string& path, std::shared_ptr<std::atomic<bool>> reopen_requested)
      : reopen_requested_(std::move(reopen_requested)) {
    file_.open(path);
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (reopen_requested_->exchange(false, std::memory_order_relaxed)) file_.reopen(/*truncate=*/false);
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    file_.write(line);
    // Lines are few; what happened just before a crash is what one wants to read.
    file_.flush();
  }
  void flush_() override { file_.flush(); }

 private:
  spdlog::details::file_helper file_;
  std::shared_ptr<std::atomic<bool>> reopen_requested_;
};

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
  std::unique_ptr<DaemonLogSink> sink(new DaemonLogSink);
  std::vector<spdlog::sink_ptr> targets;
  try {
    targets.push_back(std::make_shared<ReopeningFileSink>(path, sink->reopen_requested_));
  } catch (const spdlog::spdlog_ex& error) {
    return absl::UnavailableError(
        Concat("the log file ", path, " cannot be opened (", error.what(), "); check the directory's permissions."));
  }
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

void DaemonLogSink::Flush() {
  for (const auto& logger : loggers_) logger->flush();
}

}  // namespace headrace
