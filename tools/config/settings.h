// The options as the operator wrote them, before they mean anything: names and texts from the command line and from
// configuration files, with where each was written, and the order of precedence between them.
//
// Precedence: the command line, then the network's section, then the common part of the file. Of several values for one
// option the command line's last and the file's first wins; values of a list add up, and a negation (-noNAME, NAME is
// a list) discards what stands before it on the command line and everything of lower precedence.
//
// Cold path; one thread.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/config/option_table.h"

namespace headrace {

struct SettingValue {
  std::string text;         // "1" for a bare name
  bool is_negated = false;  // -noNAME; the text is then empty
  std::string origin;       // "the command line" or "FILE line N", for error sentences
};

class Settings {
 public:
  // `options` is what the program knows, and outlives the settings.
  explicit Settings(const OptionTable& options) : options_(options) {}

  // Takes argv without the program's name. Fails on an unknown option, naming the nearest, and on a bare word.
  absl::Status AddCommandLine(std::span<const char* const> arguments);
  // The same up to the first word that is no option; returns how many arguments were options.
  absl::StatusOr<size_t> AddLeadingOptions(std::span<const char* const> arguments);

  // Takes the text of a configuration file; `file_name` appears in sentences. A malformed line fails. An unknown name
  // is a warning, because one bitcoin.conf may serve several programs.
  absl::Status AddConfigText(std::string_view text, const std::string& file_name);

  // Values in effect on `chain`, highest precedence first; of an option that is no list, look at the first alone. An
  // empty `chain` leaves the network sections out.
  std::vector<SettingValue> Find(std::string_view name, std::string_view chain) const;

  const OptionTable& options() const { return options_; }
  bool IsOnCommandLine(std::string_view name) const { return command_line_.contains(name); }

  // Options that the file sets for mainnet only, by mistake, as seen from `chain`; and unknown names.
  std::vector<std::string> Warnings(std::string_view chain) const;

 private:
  using ValuesByName = std::map<std::string, std::vector<SettingValue>, std::less<>>;

  absl::Status AddOption(std::string_view text);
  absl::Status AddConfigLine(std::string_view line, const std::string& origin, std::string* section);

  const OptionTable& options_;
  ValuesByName command_line_;
  std::map<std::string, ValuesByName, std::less<>> config_;  // by section; the common part is ""
  std::vector<std::string> warnings_;
};

}  // namespace headrace
