// Every option of headraced as one row of data: what it is called, what it takes and what it is for. The parser, the
// help text and the nearest-name suggestion all read this table, so an option exists in one place.
// Pure data and functions; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace headrace {

enum class OptionKind : uint8_t {
  kFlag,    // 0 or 1; a bare name means 1
  kNumber,  // a whole number within [minimum, maximum]
  kText,    // one value; interpretation is the caller's
  kList,    // repeatable; values add up
};

struct OptionRow {
  std::string_view name;
  OptionKind kind;
  std::string_view placeholder;   // how help writes the value; empty for flags
  std::string_view default_text;  // how help writes the default; empty when there is nothing to say
  std::string_view help;
  int64_t minimum = 0;  // kNumber only
  int64_t maximum = 0;
  // In the common part of a configuration file the option holds for mainnet alone: the same port or peer list for two
  // networks is a mistake. Other networks name it in their section.
  bool is_per_network = false;
};

std::span<const OptionRow> OptionTable();

// nullptr when there is no such option.
const OptionRow* FindOption(std::string_view name);

// The option whose name is the fewest edits away (insert, delete, replace, swap of neighbours); the first on a tie.
std::string_view NearestOption(std::string_view name);

// What -help prints.
std::string HelpText();
// What -version prints.
std::string VersionText();

}  // namespace headrace
