// The command line of headrace-chaingen.
#pragma once

#include <span>
#include <string>

#include "engine/base/status_macros.h"
#include "tools/chaingen/chain_shape.h"

namespace headrace::chaingen {

struct Options {
  ChainShape shape;
  std::string output;      // one file, or
  std::string output_dir;  // a folder of them
  std::string expected;  // empty: not written
  bool wants_help = false;
};

// `arguments` without the program's name. Errors are sentences for the user.
absl::StatusOr<Options> ParseOptions(std::span<const char* const> arguments);
std::string UsageText();

}  // namespace headrace::chaingen
