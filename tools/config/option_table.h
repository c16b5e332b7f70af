// Every option of a program as one row of data: what it is called, what it takes and what it is for. The parser, the
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

class OptionTable {
 public:
  // `program` as it is called, `description` what it is, `usage` what help says before the options. All outlive the
  // table.
  constexpr OptionTable(std::string_view program, std::string_view description, std::string_view usage,
                        std::span<const OptionRow> rows)
      : program_(program), description_(description), usage_(usage), rows_(rows) {}

  std::string_view program() const { return program_; }
  std::span<const OptionRow> rows() const { return rows_; }

  // nullptr when there is no such option.
  const OptionRow* Find(std::string_view name) const;

  // The option whose name is the fewest edits away (insert, delete, replace, swap of neighbours); the first on a tie.
  std::string_view Nearest(std::string_view name) const;

  // What -help prints.
  std::string HelpText() const;
  // What -version prints.
  std::string VersionText() const;

 private:
  std::string_view program_;
  std::string_view description_;
  std::string_view usage_;
  std::span<const OptionRow> rows_;
};

}  // namespace headrace
