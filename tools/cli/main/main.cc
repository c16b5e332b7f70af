// headrace-cli: calls the methods of a running headraced.

#include <iostream>
#include <span>

#include "tools/cli/cli_command.h"

int main(int argc, char** argv) {
  const std::span<const char* const> arguments(argv + 1, argv + argc);
  return headrace::RunCli(arguments, headrace::ReadMachineFacts(), std::cin, std::cout, std::cerr);
}
