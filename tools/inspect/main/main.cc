// headrace-inspect: reads data directories offline, prints what is in them, and says why something is wrong.

#include <iostream>
#include <string>
#include <vector>

#include "engine/crypto/sha256_path.h"
#include "tools/inspect/inspect_command.h"

int main(int argc, char** argv) {
  if (const auto path = headrace::ChooseSha256PathByEnvironment(); !path.ok()) {
    std::cerr << "Error: " << path.status().message() << "\n";
    return 1;
  }
  return headrace::RunInspect(std::vector<std::string>(argv + 1, argv + argc), std::cout, std::cerr);
}
