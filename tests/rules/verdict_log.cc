#include "tests/rules/verdict_log.h"

#include <algorithm>
#include <cstdlib>

namespace headrace::testing {
namespace {

// The value of ` key=` up to the next word, or to `end` where values may have spaces.
std::string ValueOf(std::string_view line, const std::string& key, std::string_view end = " ") {
  const size_t at = line.find(" " + key + "=");
  if (at == std::string_view::npos) return {};
  const size_t begin = at + key.size() + 2;
  const size_t length = std::min(line.find(end, begin), line.size()) - begin;
  return std::string(line.substr(begin, length));
}

uint32_t NumberOf(const std::string& text) { return static_cast<uint32_t>(std::strtoul(text.c_str(), nullptr, 10)); }

}  // namespace

void VerdictLog::Write(LogLevel, LogCategory, std::string_view line) {
  if (line.find("rejected ") == std::string_view::npos) return;
  LoggedVerdict verdict;
  verdict.reason = ValueOf(line, "reason", " transaction=");
  verdict.stage = ValueOf(line, "stage");
  if (verdict.stage.empty()) verdict.stage = "header";
  verdict.transaction = NumberOf(ValueOf(line, "transaction"));
  verdict.input = NumberOf(ValueOf(line, "input"));
  const std::lock_guard lock(mutex_);
  by_hash_[ValueOf(line, "hash")] = verdict;
}

std::optional<LoggedVerdict> VerdictLog::Take(const Hash256& hash) {
  const std::lock_guard lock(mutex_);
  const auto node = by_hash_.extract(hash.ToHex());
  if (node.empty()) return std::nullopt;
  return node.mapped();
}

}  // namespace headrace::testing
