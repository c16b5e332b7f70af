// headrace-inspect: reads data directories offline, prints what is in them, and says why something is wrong.

#include <iostream>
#include <string>
#include <vector>

#include "tools/inspect/inspect_command.h"

int main(int argc, char** argv) {
  return headrace::RunInspect(std::vector<std::string>(argv + 1, argv + argc), std::cout, std::cerr);
}
