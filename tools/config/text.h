// Small text work on std::string_view, which the packaged Abseil does not take (its string_view is a type of its own).
// Pure; any thread.
#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>

namespace headrace {

namespace text_internal {
inline void AppendPart(std::string& to, std::string_view part) { to += part; }
template <std::integral Number>
void AppendPart(std::string& to, Number part) {
  to += std::to_string(part);
}
}  // namespace text_internal

// Texts and whole numbers, one after another.
template <typename... Parts>
void Append(std::string& to, const Parts&... parts) {
  (text_internal::AppendPart(to, parts), ...);
}
template <typename... Parts>
std::string Concat(const Parts&... parts) {
  std::string joined;
  Append(joined, parts...);
  return joined;
}

// The whole text as a decimal number: no blanks, no plus sign, nothing after it, no overflow.
template <std::integral Number>
std::optional<Number> ToNumber(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

inline std::string_view StripBlanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n\v\f";
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

}  // namespace headrace
