// What defaults depend on: the machine's memory and cores and the user's home. Read once at start; tests make their
// own.
#pragma once

#include <cstdint>
#include <string>

namespace headrace {

struct MachineFacts {
  uint64_t available_memory_bytes = 0;  // what can be taken without swapping, within the container's limit
  uint32_t cores = 1;                   // cores this process may run on
  std::string home_directory;           // empty when there is none
};

MachineFacts ReadMachineFacts();

}  // namespace headrace
