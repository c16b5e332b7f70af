#include "tools/config/option_table.h"

#include <algorithm>
#include <vector>

#include "tools/config/text.h"

#ifndef HEADRACE_VERSION
#error "the build passes HEADRACE_VERSION"
#endif

namespace headrace {
namespace {

constexpr size_t kHelpWidth = 96;
// Optimal string alignment distance; names are short, so the quadratic table costs nothing.
size_t EditDistance(std::string_view a, std::string_view b) {
  const size_t width = b.size() + 1;
  std::vector<size_t> cells((a.size() + 1) * width);
  auto at = [&](size_t row, size_t column) -> size_t& { return cells[row * width + column]; };
  for (size_t i = 0; i <= a.size(); ++i) at(i, 0) = i;
  for (size_t j = 0; j <= b.size(); ++j) at(0, j) = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = at(i - 1, j - 1) + (a[i - 1] != b[j - 1] ? 1 : 0);
      at(i, j) = std::min({at(i - 1, j) + 1, at(i, j - 1) + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        at(i, j) = std::min(at(i, j), at(i - 2, j - 2) + 1);
      }
    }
  }
  return at(a.size(), b.size());
}

// Appends `text` in lines of at most kHelpWidth characters, each indented by six.
void AppendWrapped(std::string_view text, std::string& to) {
  while (!text.empty()) {
    size_t length = text.size();
    if (length > kHelpWidth) {
      length = text.rfind(' ', kHelpWidth);
      if (length == std::string_view::npos) length = kHelpWidth;
    }
    Append(to, "      ", text.substr(0, length), "\n");
    text.remove_prefix(length);
    while (text.starts_with(' ')) text.remove_prefix(1);
  }
}

}  // namespace

const OptionRow* OptionTable::Find(std::string_view name) const {
  const auto row =
      std::find_if(rows_.begin(), rows_.end(), [&](const OptionRow& candidate) { return candidate.name == name; });
  return row == rows_.end() ? nullptr : &*row;
}

std::string_view OptionTable::Nearest(std::string_view name) const {
  return std::min_element(rows_.begin(), rows_.end(),
                          [&](const OptionRow& a, const OptionRow& b) {
                            return EditDistance(name, a.name) < EditDistance(name, b.name);
                          })
      ->name;
}

std::string OptionTable::HelpText() const {
  std::string text = VersionText();
  Append(text, "\n", usage_, "\n");
  for (const OptionRow& row : rows_) {
    Append(text, "  -", row.name, row.placeholder.empty() ? "" : "=", row.placeholder, "\n");
    std::string help(row.help);
    if (row.kind == OptionKind::kList) help += " May be repeated.";
    if (!row.default_text.empty()) Append(help, " Default: ", row.default_text, ".");
    AppendWrapped(help, text);
  }
  return text;
}

std::string OptionTable::VersionText() const {
  return Concat(program_, " ", HEADRACE_VERSION, ", ", description_, "\n");
}

}  // namespace headrace
