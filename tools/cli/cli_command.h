// headrace-cli without its main: one call, its answer on `output`, complaints on `errors`.
#pragma once

#include <iosfwd>
#include <span>

#include "tools/config/machine_facts.h"

namespace headrace {

// Returns the exit status.
int RunCli(std::span<const char* const> arguments, const MachineFacts& machine, std::istream& input,
           std::ostream& output, std::ostream& errors);

}  // namespace headrace
