// What the operator asked headrace-cli for, understood and checked. The files, the network options and their precedence
// are those of headraced, so that the client finds the server that was started the same way.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/config/machine_facts.h"
#include "tools/config/option_table.h"

namespace headrace {

enum class CliAction : uint8_t { kCall, kPrintHelp, kPrintVersion };

struct CliOptions {
  CliAction action = CliAction::kCall;  // for the others nothing below is filled in
  std::string host = "127.0.0.1";
  uint16_t port = 0;
  std::string user;
  std::string password;            // empty: the cookie
  std::string cookie_file;         // empty: none is looked for
  std::string config_file;         // for messages
  int64_t client_timeout_s = 900;  // 0: none
  bool waits = false;              // for a server that is not there yet, or starts
  int64_t wait_timeout_s = 0;      // 0: for ever
  bool reads_words = false;        // from the standard input, a line each
  bool reads_password = false;     // the first line of it
  bool is_named = false;           // words are NAME=VALUE
  std::vector<std::string> words;  // the method and what follows it
};

const OptionTable& CliOptionTable();

// `arguments` is argv without the program's name: options, then the method and its arguments.
absl::StatusOr<CliOptions> ParseCliOptions(std::span<const char* const> arguments, const MachineFacts& machine);

}  // namespace headrace
